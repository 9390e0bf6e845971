"""The class rule of change: its order, its limits, its marks, and the laws that hold for every pair of scores."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mri_sij.compare.outcome import DECIDED, ChangeClass, certainly, class_probabilities, classify, judge
from mri_sij.config import CompareSettings

SETTINGS = CompareSettings()
STRICT = CompareSettings(strict=True)
N, R, S, P = DECIDED
scores = st.integers(0, 72)
readers = st.integers(0, 144).map(lambda n: n / 2)


@pytest.mark.parametrize(
    ("baseline", "followup", "expected"),
    [
        (0, 0, S),
        (0, 2, S),
        (0, 3, P),
        (10, 12, S),
        (10, 12.5, P),
        (10, 13, P),
        (10, 8, S),
        (10, 7.5, R),
        (10, 7, R),
        (10, 2, R),
        (10, 1.5, N),
        (10, 1, N),
        (10, 0, N),
        (2, 1, N),
        (3, 1.5, N),
        (3, 2, S),
        (1, 0, S),
        (1.5, 1, S),
        (1, 3.5, P),
        (1.9, 1.9, S),
        (4.5, 2, R),
        (72, 0, N),
        (0, 72, P),
    ],
)
def test_the_order_of_the_rule(baseline: float, followup: float, expected: ChangeClass) -> None:
    assert classify(baseline, followup, SETTINGS) is expected


@pytest.mark.parametrize(
    ("baseline", "followup", "expected"),
    [(10, 13, S), (10, 13.4, P), (10, 13.5, P), (10, 7, S), (10, 6.6, R), (10, 6, R), (3, 1, N), (0, 3, S), (0, 4, P)],
)
def test_strict_mode_asks_for_the_smallest_detectable_change(
    baseline: float, followup: float, expected: ChangeClass
) -> None:
    assert classify(baseline, followup, STRICT) is expected


def test_a_change_of_exactly_the_threshold_counts_in_spite_of_rounding() -> None:
    assert classify(0.1 + 0.2, 0.3 + 2.5, SETTINGS) is P
    assert classify(7 / 3 + 2.5, 7 / 3, SETTINGS) is R
    assert not judge(0, 3.4, SETTINGS).within_error


def test_a_fall_below_remission_from_below_it_is_stable() -> None:
    assert classify(4, 0, CompareSettings(active_from=5)) is S


def test_marks_of_small_remission() -> None:
    found = judge(2, 1, SETTINGS)
    assert (found.change_class, found.grey_zone, found.within_error, found.resolved_completely) == (
        N,
        True,
        True,
        False,
    )
    assert (found.delta, found.percent) == (-1, -50)


def test_marks_of_complete_resolution() -> None:
    found = judge(9, 0, SETTINGS)
    assert found.resolved_completely and not found.grey_zone and not found.active and not found.inactive
    assert found.percent == -100 and not found.within_error
    assert not judge(0, 0, SETTINGS).resolved_completely


def test_percent_is_of_the_baseline() -> None:
    assert judge(8, 2, SETTINGS).percent == -75


def test_inactive_and_persistently_active() -> None:
    assert judge(1, 1, SETTINGS).inactive
    assert judge(0, 0, SETTINGS).percent is None
    assert judge(8, 9, SETTINGS).active


def test_change_between_the_two_thresholds_is_grey() -> None:
    assert judge(10, 13, SETTINGS).grey_zone
    assert not judge(10, 14, SETTINGS).grey_zone
    assert not judge(10, 12, SETTINGS).grey_zone and judge(10, 12, SETTINGS).within_error


def test_mixed_needs_new_lesions_beside_a_falling_total_or_as_many_lost() -> None:
    assert judge(20, 12, SETTINGS, gained=2, lost=10).mixed
    assert not judge(20, 12, SETTINGS, gained=1, lost=9).mixed
    assert judge(10, 10, SETTINGS, gained=3, lost=3).mixed
    assert not judge(10, 14, SETTINGS, gained=4, lost=0).mixed
    assert judge(10, 9, SETTINGS, gained=2, lost=1).mixed
    assert judge(10, 10, SETTINGS, gained=2, lost=2).mixed
    assert not judge(10, 10, SETTINGS, gained=2, lost=1).mixed


@given(readers)
def test_a_visit_against_itself_is_stable_without_change(score: float) -> None:
    found = judge(score, score, SETTINGS)
    assert found.change_class is S and found.delta == 0 and not found.within_error and not found.mixed


@given(readers, readers)
def test_swapped_visits_negate_the_change(first: float, second: float) -> None:
    there, back = judge(first, second, SETTINGS), judge(second, first, SETTINGS)
    assert there.delta == -back.delta
    if there.change_class is P:
        assert back.change_class in (R, N)
    if there.change_class is R:
        assert back.change_class is P


@given(scores, scores, scores)
def test_a_worse_followup_is_never_a_better_class(baseline: int, followup: int, more: int) -> None:
    rank = {N: 0, R: 1, S: 2, P: 3}
    worse = min(followup + more, 72)
    assert rank[classify(baseline, worse, SETTINGS)] >= rank[classify(baseline, followup, SETTINGS)] or baseline < 2


@given(readers, readers)
def test_strict_mode_never_finds_more_change(first: float, second: float) -> None:
    if classify(first, second, STRICT) is not S:
        assert classify(first, second, SETTINGS) is not S


distributions = st.dictionaries(scores, st.floats(0.01, 1), min_size=1, max_size=6)


@given(distributions, distributions)
def test_probabilities_of_the_classes_sum_to_one(first: dict[int, float], second: dict[int, float]) -> None:
    shares = class_probabilities(first, second, SETTINGS)
    assert sum(shares.values()) == pytest.approx(1) and min(shares.values()) >= 0
    assert tuple(shares) == DECIDED


def test_probabilities_worked_by_hand() -> None:
    apart, alike = CompareSettings(shared_error=0.0), CompareSettings(shared_error=1.0)
    shares = class_probabilities({4: 0.5, 2: 0.5}, {1: 0.5, 5: 0.5}, apart)
    assert shares == {N: 0.5, R: 0.0, S: 0.25, P: 0.25}
    # Wrong alike: 2 goes with 1 (normalization), 4 with 5 (stability).
    assert class_probabilities({4: 0.5, 2: 0.5}, {1: 0.5, 5: 0.5}, alike) == {N: 0.5, R: 0.0, S: 0.5, P: 0.0}
    # The lowest quarter is 2 and 1, the next 2 and 5, the upper half 4 and 5.
    assert class_probabilities({4: 0.5, 2: 0.5}, {1: 0.25, 5: 0.75}, alike) == {N: 0.25, R: 0.0, S: 0.5, P: 0.25}


def test_a_total_as_uncertain_as_the_same_one_before_is_stable_when_errors_are_alike() -> None:
    doubtful = {4: 0.3, 8: 0.4, 20: 0.3}
    assert class_probabilities(doubtful, doubtful, CompareSettings(shared_error=1.0))[S] == pytest.approx(1)
    assert class_probabilities(doubtful, doubtful, CompareSettings(shared_error=0.0))[S] < 0.4


def test_certain_scores_give_a_certain_class() -> None:
    assert class_probabilities({9: 1.0}, {0: 1.0}, SETTINGS)[N] == 1
    assert certainly(R) == {N: 0.0, R: 1.0, S: 0.0, P: 0.0}
