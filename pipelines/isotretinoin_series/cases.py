"""The nine patients of Aydoğ et al., North Clin Istanb 2019;6(1):75-80, as simulated patients.

What the paper says of each patient (sex, age, dose, HLA-B27, site, interval, outcome) stands here; it gives no numbers
for the oedema, so size, depth and brightness are ours, made to fit its words (smaller than at first), and so are the
erosions of case 8.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mri_sij.evidence import Bone, Side
from mri_sij.phantom.lesion import Lesion, draw_erosions

L, R = Side.LEFT, Side.RIGHT
I, S = Bone.ILIUM, Bone.SACRUM  # noqa: E741


@dataclass(frozen=True)
class Case:
    """One patient: what the paper says, the seed of the simulated person, and the oedema of both visits.

    `followup` is None where the patient was not followed up; `interval_years` and `outcome` are then None too.
    """

    number: int
    sex: str
    age_years: int
    dose: str
    b27: str
    site: str
    interval_years: int | None
    outcome: str | None
    seed: int
    baseline: tuple[Lesion, ...]
    followup: tuple[Lesion, ...] | None


def both_bones(side: Side, along: float, across: float, size: float, ratio: float) -> tuple[Lesion, ...]:
    """Oedema on both sides of one joint; `size` is its depth in mm, it reaches 1.4 times as far along the joint."""
    return tuple(Lesion(side, bone, along, across, size, 1.4 * size, ratio) for bone in (S, I))


def bilateral(size: float, ratio: float) -> tuple[Lesion, ...]:
    """Oedema on both sides of both joints above the middle, and in both ilia below it."""
    upper = (*both_bones(L, 0.68, 0.6, size, ratio), *both_bones(R, 0.62, 0.6, 0.9 * size, ratio))
    lower = (Lesion(L, I, 0.3, 0.6, 0.8 * size, size, ratio), Lesion(R, I, 0.33, 0.6, 0.8 * size, size, ratio))
    return (*upper, *lower)


def faded(lesions: tuple[Lesion, ...], size: float, keep: int) -> tuple[Lesion, ...]:
    """The first `keep` lesions, shrunk to `size` times their depth and extent; the others have gone."""
    return tuple(replace(one, depth_mm=size * one.depth_mm, radius_mm=size * one.radius_mm) for one in lesions[:keep])


_ANTEROINFERIOR = (*both_bones(L, 0.25, 0.45, 11, 2.2), *both_bones(R, 0.22, 0.45, 7, 2.2))
_MARKED, _MODERATE, _MILD = bilateral(12, 2.4), bilateral(9, 2.2), bilateral(7, 2.1)
_WITH_EROSIONS = (*_MILD, *draw_erosions(np.random.default_rng(8), _MILD))

NO, YES = "-", "+"
BOTH = "bilateral, sacral and iliac"
FRONT = "bilateral, anteroinferior, left more than right"
ERODED = "bilateral, with sacral and iliac erosions"

CASES = (
    Case(1, "F", 21, "50 mg/d (4 months)", YES, BOTH, None, None, 101, _MODERATE, None),
    Case(2, "M", 29, "40 mg/d (6 months)", NO, BOTH, 3, "regression", 102, _MARKED, faded(_MARKED, 0.7, 4)),
    Case(3, "F", 36, "50 mg/d", YES, BOTH, 2, "normal", 103, _MODERATE, ()),
    Case(4, "F", 28, "25 mg/d", NO, BOTH, 2, "regression", 104, _MODERATE, faded(_MODERATE, 0.8, 2)),
    Case(5, "F", 21, "25 mg/d", YES, BOTH, 1, "regression", 105, _MODERATE, faded(_MODERATE, 0.7, 1)),
    Case(6, "M", 16, "40/20/40 mg/d (7 months)", YES, BOTH, None, None, 106, _MARKED, None),
    Case(7, "F", 44, "not reported (7 years earlier)", NO, FRONT, 1, "similar", 107, _ANTEROINFERIOR, _ANTEROINFERIOR),
    Case(8, "F", 28, "50 mg/d (5 months, 6 years earlier)", NO, ERODED, None, None, 108, _WITH_EROSIONS, None),
    Case(9, "F", 36, "50 mg/d (2 courses of 6 months)", NO, "bilateral", 1, "regression", 109, _MILD, faded(_MILD, 0.8, 1)),  # noqa: E501
)  # fmt: skip

SAID = {"normal": "normalization", "regression": "regression", "similar": "stability", "progression": "progression"}
"""The class that this project gives to what the paper's words mean."""
