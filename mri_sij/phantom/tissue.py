"""Tissues and the signal they give: inversion-recovery and spin-echo equations from T1, T2 and proton density.

Relaxation times in ms at 1.5 T and 3 T from the literature as gathered by de Bazelaire 2004 (Radiology 230:652),
Stanisz 2005 (MRM 54:507) and Gold 2004 (AJR 183:343); oedema and marrow fat fractions from the proton density fat
fractions of normal marrow (about 51 %) and of bone-marrow oedema (about 15 %) in the sacroiliac joint (PMID
30740910). Published values spread widely, so every simulated visit draws its own around these.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from mri_sij.geometry import Floats


class Tissue(IntEnum):
    """What a voxel of a simulated person is made of."""

    AIR = 0
    SUBCUTANEOUS_FAT = 1
    FAT = 2
    MUSCLE = 3
    CSF = 4
    NERVE = 5
    VEIN = 6
    ARTERY = 7
    GAS = 8
    BOWEL = 9
    BOWEL_WALL = 10
    URINE = 11
    UTERUS = 12
    DISC = 13
    LIGAMENT = 14
    SKIN = 15
    CORTEX = 16
    CARTILAGE = 17
    JOINT_FLUID = 18
    MARROW = 19
    RED_MARROW = 20
    FATTY_MARROW = 21
    OEDEMA = 22
    SCLEROSIS = 23


# Water part: T1 and T2 at 1.5 T, T1 at 3 T, proton density; then the fat fraction of the signal.
_WATER = {
    Tissue.AIR: (1000, 50, 1000, 0.0, 0.0),
    Tissue.SUBCUTANEOUS_FAT: (900, 40, 1000, 0.85, 0.93),
    Tissue.FAT: (900, 40, 1000, 0.85, 0.88),
    Tissue.MUSCLE: (856, 32, 980, 0.80, 0.03),
    Tissue.CSF: (4000, 1500, 4300, 1.0, 0.0),
    Tissue.NERVE: (1000, 75, 1080, 0.80, 0.15),
    Tissue.VEIN: (1440, 220, 1900, 0.85, 0.0),
    Tissue.ARTERY: (1440, 60, 1900, 0.10, 0.0),
    Tissue.GAS: (1000, 30, 1000, 0.03, 0.0),
    Tissue.BOWEL: (1100, 85, 1300, 0.75, 0.08),
    Tissue.BOWEL_WALL: (950, 60, 1100, 0.80, 0.05),
    Tissue.URINE: (3500, 900, 3700, 1.0, 0.0),
    Tissue.UTERUS: (1200, 90, 1400, 0.85, 0.0),
    Tissue.DISC: (1100, 75, 1300, 0.70, 0.0),
    Tissue.LIGAMENT: (800, 25, 900, 0.35, 0.25),
    Tissue.SKIN: (700, 40, 800, 0.6, 0.1),
    Tissue.CORTEX: (800, 8, 900, 0.15, 0.0),
    Tissue.CARTILAGE: (1060, 42, 1240, 0.65, 0.0),
    Tissue.JOINT_FLUID: (2850, 700, 3600, 0.95, 0.0),
    Tissue.MARROW: (900, 46, 1000, 0.75, 0.50),
    Tissue.RED_MARROW: (900, 48, 1000, 0.77, 0.30),
    Tissue.FATTY_MARROW: (900, 42, 1000, 0.78, 0.85),
    Tissue.OEDEMA: (1300, 80, 1500, 0.85, 0.14),
    Tissue.SCLEROSIS: (900, 30, 1000, 0.30, 0.40),
}
_FAT_T1_MS = {1.5: 310.0, 3.0: 375.0}
_FAT_T2_MS = 62.0


@dataclass(frozen=True)
class Sequence:
    """A spin-echo sequence; `inversion_time_ms` None means none. `fat_left` is the share of fat signal that a
    frequency-selective suppression leaves."""

    repetition_time_ms: float
    echo_time_ms: float
    inversion_time_ms: float | None
    field_strength_t: float
    fat_left: float = 1.0


def signal_table(sequence: Sequence, rng: np.random.Generator, spread: float = 0.08) -> Floats:
    """Signal of every `Tissue` under a sequence, shape (tissues,), arbitrary units.

    Inversion recovery S = PD (1 - 2 exp(-TI/T1) + exp(-TR/T1)) exp(-TE/T2), water and fat added with their sign and
    then taken as magnitude; spin echo without the inversion. `spread` is the relative standard deviation of each T1,
    T2 and density.
    """
    table = np.zeros(len(Tissue))
    weight = float(np.interp(sequence.field_strength_t, (1.5, 3.0), (0.0, 1.0)))
    fat_t1 = (_FAT_T1_MS[1.5] * (1 - weight) + _FAT_T1_MS[3.0] * weight) * rng.lognormal(0, 0.02)
    for tissue, (t1_low, typical_t2, t1_high, typical_density, typical_fat) in _WATER.items():
        t1 = (t1_low * (1 - weight) + t1_high * weight) * rng.lognormal(0, spread)
        t2 = typical_t2 * rng.lognormal(0, spread)
        density = typical_density * rng.lognormal(0, spread / 2)
        drawn = typical_fat + rng.normal(0, spread / 2) * (0 < typical_fat < 1)
        fat = float(np.clip(drawn, 0, 1))
        water = (1 - fat) * _spin_echo(sequence, t1, t2)
        lipid = (
            fat * _spin_echo(sequence, fat_t1, _FAT_T2_MS) * (1 if sequence.inversion_time_ms else sequence.fat_left)
        )
        table[tissue] = density * abs(water + lipid)
    return table


def _spin_echo(sequence: Sequence, t1: float, t2: float) -> float:
    tr, te, ti = sequence.repetition_time_ms, sequence.echo_time_ms, sequence.inversion_time_ms
    recovery = 1 - np.exp(-tr / t1) if ti is None else 1 - 2 * np.exp(-ti / t1) + np.exp(-tr / t1)
    return float(recovery * np.exp(-te / t2))
