"""Signal by physics against values worked out by hand from the published equations and relaxation times."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest

from mri_sij.phantom.tissue import Sequence, Tissue, signal_table

STIR = Sequence(4000, 60, 160, 1.5)
T1 = Sequence(550, 12, None, 1.5)


class Typical:
    """Draws that leave every tissue at its published value."""

    def lognormal(self, mean: float, sigma: float) -> float:
        return 1.0

    def normal(self, mean: float, sigma: float) -> float:
        return 0.0


def table(sequence: Sequence) -> np.ndarray:
    return signal_table(sequence, Typical())  # type: ignore[arg-type]


def test_muscle_on_stir_at_3_t_and_1_5_t() -> None:
    for field, inversion, t1 in ((1.5, 160, 856), (3.0, 220, 980)):
        fat_t1 = {1.5: 310, 3.0: 375}[field]
        water = 1 - 2 * exp(-inversion / t1) + exp(-4000 / t1)
        lipid = 1 - 2 * exp(-inversion / fat_t1) + exp(-4000 / fat_t1)
        by_hand = 0.80 * abs(0.97 * water * exp(-60 / 32) + 0.03 * lipid * exp(-60 / 62))
        assert table(Sequence(4000, 60, inversion, field))[Tissue.MUSCLE] == pytest.approx(by_hand, rel=1e-9)


def test_marrow_on_t1() -> None:
    water, lipid = (1 - exp(-550 / 900)) * exp(-12 / 46), (1 - exp(-550 / 310)) * exp(-12 / 62)
    assert table(T1)[Tissue.MARROW] == pytest.approx(0.75 * 0.5 * (water + lipid), rel=1e-9)


def test_air_gives_no_signal() -> None:
    assert table(STIR)[Tissue.AIR] == 0


def test_contrast_is_that_of_the_sequences() -> None:
    stir, t1 = table(STIR), table(T1)
    assert stir[Tissue.OEDEMA] > 2 * stir[Tissue.MARROW]
    assert stir[Tissue.CSF] > stir[Tissue.OEDEMA]
    assert stir[Tissue.SUBCUTANEOUS_FAT] < stir[Tissue.RED_MARROW]
    assert t1[Tissue.SUBCUTANEOUS_FAT] > t1[Tissue.MARROW] > t1[Tissue.MUSCLE] > t1[Tissue.CSF]
    assert t1[Tissue.OEDEMA] < t1[Tissue.MARROW]
    assert t1[Tissue.CORTEX] < t1[Tissue.CARTILAGE]


def test_frequency_selective_suppression_leaves_its_share_of_fat() -> None:
    whole, left = table(Sequence(4000, 60, None, 1.5)), table(Sequence(4000, 60, None, 1.5, 0.1))
    fat_t1 = 1 - exp(-4000 / 310)
    lost = 0.9 * 0.85 * 0.93 * fat_t1 * exp(-60 / 62)
    assert whole[Tissue.SUBCUTANEOUS_FAT] - left[Tissue.SUBCUTANEOUS_FAT] == pytest.approx(lost, rel=1e-9)


def test_draws_vary_around_the_published_values_and_repeat() -> None:
    drawn = np.array([signal_table(STIR, np.random.default_rng(n)) for n in range(200)])
    assert np.median(drawn[:, Tissue.MUSCLE]) == pytest.approx(table(STIR)[Tissue.MUSCLE], rel=0.1)
    assert drawn[:, Tissue.MUSCLE].std() > 0
    assert np.array_equal(drawn[7], signal_table(STIR, np.random.default_rng(7)))
