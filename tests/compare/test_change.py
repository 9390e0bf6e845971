"""Change of the form: trends, sums, and the laws of self, swap and mirror."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mri_sij.compare.change import FormChange, LevelsError, Trend, compare_forms, trend_of
from mri_sij.config import ScoringSettings
from mri_sij.evidence import QUADRANTS, Evidence, JointSliceEvidence, QuadrantEvidence, Side
from mri_sij.scoring.sparcc import Sparcc, score_sparcc

SETTINGS = ScoringSettings()
OTHER = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}
codes = st.lists(st.tuples(*[st.booleans()] * 6), min_size=12, max_size=12)


def form(cells: list[tuple[bool, ...]], first: int = 3) -> Evidence:
    """Evidence of six slices, right joint before left, from twelve rows of four quadrants, intense, deep."""
    joints = []
    for row, (*quadrants, intense, deep) in enumerate(cells):
        items = tuple(QuadrantEvidence(q, on) for q, on in zip(QUADRANTS, quadrants, strict=True))
        side = Side.LEFT if row % 2 else Side.RIGHT
        joints.append(JointSliceEvidence(side, first + row // 2, items, intense, deep))
    return Evidence(tuple(joints))


def sparcc(cells: list[tuple[bool, ...]], first: int = 3) -> Sparcc:
    return score_sparcc(form(cells, first), SETTINGS)


def mirrored(evidence: Evidence) -> Sparcc:
    return score_sparcc(Evidence(tuple(replace(j, side=OTHER[j.side]) for j in evidence.joints)), SETTINGS)


def trends(change: FormChange) -> dict[tuple[Side, str], Trend]:
    return {(q.side, str(q.quadrant)): q.trend for q in change.quadrants}


NONE = (False,) * 6
FULL = (True,) * 6
UPPER_ILIUM = (True, False, False, False, False, False)


def test_trends() -> None:
    assert [trend_of(*pair) for pair in ((2, 0), (3, 1), (1, 1), (0, 0), (1, 2), (0, 1), (None, 1), (1, None))] == [
        Trend.RESOLVED, Trend.LOWER, Trend.UNCHANGED, Trend.UNCHANGED, Trend.HIGHER, Trend.NEW, Trend.NOT_SCORED,
        Trend.NOT_SCORED,
    ]  # fmt: skip


def test_one_lesion_resolved_and_one_new() -> None:
    before = sparcc([UPPER_ILIUM, NONE, UPPER_ILIUM, *[NONE] * 9])
    after = sparcc([NONE, NONE, NONE, UPPER_ILIUM, *[NONE] * 8])
    change = compare_forms(before, after)
    assert change.total.delta == -1 and change.right.delta == -2 and change.left.delta == 1
    assert (change.gained, change.lost) == (1, 2)
    assert change.count(Trend.RESOLVED) == 1 and change.count(Trend.NEW) == 1 and change.count(Trend.UNCHANGED) == 6
    assert [i.level for i in change.items if i.trend is Trend.RESOLVED] == [1, 2]
    moved = {key: trend for key, trend in trends(change).items() if trend is not Trend.UNCHANGED}
    assert moved == {(Side.RIGHT, "upper ilium"): Trend.RESOLVED, (Side.LEFT, "upper ilium"): Trend.NEW}


def test_each_item_of_a_level_is_compared_with_the_same_item_of_that_level() -> None:
    before = sparcc([NONE, NONE, (True, True, False, False, True, False), *[NONE] * 9])
    after = sparcc([NONE, NONE, (True, False, True, False, False, True), *[NONE] * 9])
    moved = [i for i in compare_forms(before, after).items if i.trend is not Trend.UNCHANGED]
    assert {(i.level, i.side) for i in moved} == {(2, Side.RIGHT)}
    assert {i.name: i.trend for i in moved} == {
        "upper_sacrum": Trend.RESOLVED, "lower_ilium": Trend.NEW, "intense": Trend.RESOLVED, "deep": Trend.NEW,
    }  # fmt: skip


def test_a_lesion_that_moved_by_one_level_is_neither_gained_nor_lost() -> None:
    change = compare_forms(sparcc([UPPER_ILIUM, *[NONE] * 11]), sparcc([NONE, NONE, UPPER_ILIUM, *[NONE] * 9]))
    assert (change.total.delta, change.gained, change.lost) == (0, 0, 0)


def test_levels_match_by_order_not_by_slice_number() -> None:
    change = compare_forms(sparcc([FULL] * 12, first=3), sparcc([FULL] * 12, first=9))
    assert change.total.delta == 0 and {i.level for i in change.items} == set(range(1, 7))


def test_quadrants_that_one_visit_does_not_score_are_not_compared() -> None:
    low = form([FULL] * 12)
    short = tuple(replace(j, quadrants=tuple(q for q in j.quadrants if q.quadrant.half == "upper")) for j in low.joints)
    change = compare_forms(sparcc([FULL] * 12), score_sparcc(Evidence(short), SETTINGS))
    assert {i.trend for i in change.items if "lower" in i.name} == {Trend.NOT_SCORED}
    assert change.lost == 0


def test_forms_of_other_length_are_refused() -> None:
    with pytest.raises(LevelsError, match=r"6 levels.*5"):
        compare_forms(sparcc([NONE] * 12), score_sparcc(form([NONE] * 10), ScoringSettings(slices=5)))


@given(codes)
def test_a_form_against_itself_has_no_change(cells: list[tuple[bool, ...]]) -> None:
    change = compare_forms(sparcc(cells), sparcc(cells))
    assert change.total.delta == change.gained == change.lost == 0
    assert {i.trend for i in change.items} == {Trend.UNCHANGED}


@given(codes, codes)
def test_swapped_forms_negate_every_change(one: list[tuple[bool, ...]], two: list[tuple[bool, ...]]) -> None:
    there, back = compare_forms(sparcc(one), sparcc(two)), compare_forms(sparcc(two), sparcc(one))
    assert (there.total.delta, there.left.delta, there.right.delta) == tuple(
        -d for d in (back.total.delta, back.left.delta, back.right.delta)
    )
    assert (there.gained, there.lost) == (back.lost, back.gained)
    opposite = {Trend.NEW: Trend.RESOLVED, Trend.HIGHER: Trend.LOWER, Trend.UNCHANGED: Trend.UNCHANGED}
    opposite |= {v: k for k, v in opposite.items()}
    assert trends(back) == {k: opposite[v] for k, v in trends(there).items()}


@given(codes, codes)
def test_mirrored_forms_swap_sides_and_nothing_else(one: list[tuple[bool, ...]], two: list[tuple[bool, ...]]) -> None:
    plain = compare_forms(sparcc(one), sparcc(two))
    mirror = compare_forms(mirrored(form(one)), mirrored(form(two)))
    assert (mirror.left.delta, mirror.right.delta) == (plain.right.delta, plain.left.delta)
    assert {(OTHER[s], q): t for (s, q), t in trends(mirror).items()} == trends(plain)


@given(codes, codes)
def test_totals_are_sums_of_parts(one: list[tuple[bool, ...]], two: list[tuple[bool, ...]]) -> None:
    change = compare_forms(sparcc(one), sparcc(two))
    assert change.total.delta == change.left.delta + change.right.delta
    quadrants = change.total.followup.quadrants - change.total.baseline.quadrants
    assert change.gained - change.lost == quadrants
