"""Three and more visits."""

from __future__ import annotations

import pytest

from mri_sij.compare.outcome import ChangeClass
from mri_sij.compare.trajectory import follow
from mri_sij.config import CompareSettings

SETTINGS = CompareSettings()


def test_each_visit_against_the_first_and_the_one_before() -> None:
    found = follow([12, 6, 0, 5], SETTINGS)
    baseline = [s.since_baseline.change_class for s in found.steps if s.since_baseline]
    previous = [s.since_previous.change_class for s in found.steps if s.since_previous]
    assert baseline == [ChangeClass.REGRESSION, ChangeClass.NORMALIZATION, ChangeClass.REGRESSION]
    assert previous == [ChangeClass.REGRESSION, ChangeClass.NORMALIZATION, ChangeClass.PROGRESSION]
    assert (found.lowest, found.relapse) == (2, 3)


def test_a_visit_that_could_not_be_compared_is_stepped_over() -> None:
    found = follow([8, None, 2], SETTINGS)
    assert found.steps[1].sparcc is None and found.steps[1].since_previous is None
    assert found.steps[2].previous == 0


def test_progression_without_earlier_improvement_is_no_relapse() -> None:
    assert follow([2, 8, 14], SETTINGS).relapse is None


def test_a_lone_baseline() -> None:
    found = follow([4], SETTINGS)
    assert found.lowest == 0 and found.steps[0].since_baseline is None


@pytest.mark.parametrize("totals", [[], [None, 3]])
def test_without_a_baseline_there_is_no_trajectory(totals: list[float | None]) -> None:
    with pytest.raises(ValueError, match="baseline"):
        follow(totals, SETTINGS)


@pytest.mark.parametrize(("totals", "relapse"), [([10, 8, 6, 12], 3), ([12, 2, 4, 6, 8], 3), ([12, 6, 8, 6, 8], None)])
def test_a_relapse_may_come_in_small_steps(totals: list[float | None], relapse: int | None) -> None:
    assert follow(totals, SETTINGS).relapse == relapse
