"""The readings that differ a little, what each of them accepts, and the interval and chances of their totals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_oedema import candidate

from mri_sij.config import LesionSettings
from mri_sij.lesions.items import Marks
from mri_sij.lesions.oedema import Perturbation
from mri_sij.lesions.uncertainty import accepted, chances_of, interval_of, other_readings, perturbations


def test_readings_differ_by_the_spreads_that_settings_give() -> None:
    one = perturbations(LesionSettings())
    wide = perturbations(LesionSettings(reference_sd=0.14, logit_sd=2.8, border_sd_mm=1.2))
    drawn, wider = (np.array([(np.log(p.reference), p.logit, p.border_mm) for p in every]) for every in (one, wide))
    assert np.allclose(wider, 2 * drawn) and np.allclose(drawn.std(0), (0.07, 1.4, 0.6), rtol=0.35)
    assert {p.slice_shift for p in perturbations(LesionSettings(slice_shift=0.0))} == {0}
    assert {p.slice_shift for p in perturbations(LesionSettings(slice_shift=1.0))} == {-1, 1}


@pytest.mark.parametrize(
    ("method", "inside", "change", "kept"),
    [
        ("combined", {"ratio": 0.97}, Perturbation(reference=1.1), False),
        ("combined", {"ratio": 0.9}, Perturbation(reference=0.9), True),
        ("combined", {"oedema": 0.72}, Perturbation(logit=0.2), False),
        ("combined", {"oedema": 0.65}, Perturbation(logit=-0.3), True),
        ("network+rules", {"ratio": 1.15}, Perturbation(reference=1.1), False),
        ("rules", {"ratio": 1.8}, Perturbation(reference=1.1), False),
        ("rules", {"ratio": 1.6}, Perturbation(reference=0.9), True),
    ],
)
def test_brighter_marrow_and_longer_odds_ask_more_of_a_candidate(
    method: Any, inside: dict[str, float], change: Perturbation, kept: bool
) -> None:
    assert accepted(candidate(**inside), LesionSettings(method=method), change).any() == kept


def test_one_joint_that_is_seen_is_enough_for_a_slice_to_be_read() -> None:
    settings = LesionSettings(perturbations=3, reference_sd=0, logit_sd=0, border_sd_mm=0, area_sd=0)
    search, heights = candidate(ratio=2.5), np.array([[0.0, 60, 0], [0, 0, 0]])
    for ratio, intense in ((None, False), (2.4, True), (2.6, False)):
        for marks in other_readings(search, heights, np.array([0]), ratio, settings):
            assert marks.quadrant[0, 1, 1] and not marks.quadrant[1].any() and marks.intense[0, 1] == intense


def marks_of(points: int) -> Marks:
    """One slice with so many positive quadrants."""
    quadrant = np.zeros((1, 5, 3), bool)
    quadrant[0, 1:, 1:].flat[:points] = True
    return Marks(quadrant, np.zeros((1, 3), bool), np.zeros((1, 3), bool))


def test_the_interval_is_the_middle_of_all_totals_and_holds_the_readings_own() -> None:
    settings = LesionSettings(perturbations=3, slice_shift=0.0, interval_level=0.5, interval_margin=0)
    readings = (marks_of(0), marks_of(4), marks_of(8))
    found = interval_of(readings, marks_of(4), np.array([0]), settings)
    assert (found.low, found.high, found.level) == (3, 5, 0.5)
    assert found.probabilities == ((0, 0.25), (4, 0.5), (8, 0.25))
    assert (interval_of(readings, marks_of(0), np.array([0]), settings).low) == 0
    assert (interval_of(readings, marks_of(8), np.array([0]), settings).high) == 8


def test_chances_are_the_share_of_readings_with_an_item() -> None:
    intense = Marks(marks_of(8).quadrant, np.ones((1, 3), bool), np.zeros((1, 3), bool))
    found = chances_of((intense, marks_of(8)), marks_of(0))
    assert found.quadrant[0, 1, 1] == pytest.approx(2 / 3)
    assert (found.intense[0, 1], found.deep[0, 1]) == pytest.approx((1 / 3, 0))
