"""SPARCC arithmetic against forms worked by hand, and its laws."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worked_forms import WORKED, Worked, evidence, joint

from mri_sij.config import ScoringSettings
from mri_sij.evidence import QUADRANTS, Bone, Evidence, Half, JointSliceEvidence, QuadrantEvidence, Side
from mri_sij.scoring.complete import EvidenceError
from mri_sij.scoring.sparcc import score_sparcc, scored_quadrants

RULES = ScoringSettings()


@st.composite
def joints(draw: st.DrawFn, side: Side, number: int) -> JointSliceEvidence:
    height = draw(st.none() | st.floats(0, 70))
    how_many = draw(st.sampled_from((4, 4, 4, 2, 0)))
    quadrants = tuple(
        QuadrantEvidence(q, draw(st.booleans()), None, draw(st.floats(0, 300)), 300.0) for q in QUADRANTS[:how_many]
    )
    return JointSliceEvidence(side, number, quadrants, draw(st.booleans()), draw(st.booleans()), joint_height_mm=height)


@st.composite
def visits(draw: st.DrawFn) -> Evidence:
    first, step = draw(st.integers(6, 30)), draw(st.sampled_from((1, -1)))
    numbers = [first + step * n for n in range(6)]
    return Evidence(tuple(draw(joints(side, number)) for number in numbers for side in Side))


def mirrored(visit: Evidence) -> Evidence:
    other = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}
    return Evidence(tuple(replace(j, side=other[j.side]) for j in visit.joints))


@pytest.mark.parametrize("form", WORKED, ids=lambda form: form.name)
def test_worked_by_hand(form: Worked) -> None:
    sparcc = score_sparcc(evidence(*form.slices), RULES)
    whole = sparcc.sum
    assert (whole.quadrants, whole.intensity, whole.depth) == (form.quadrants, form.intensity, form.depth)
    assert (sparcc.side(Side.RIGHT).total, sparcc.side(Side.LEFT).total) == (form.right, form.left)
    assert tuple(sparcc.on_slice(n).total for n in sparcc.slice_numbers) == form.by_slice
    assert sparcc.total == form.right + form.left == sum(form.by_slice)
    assert whole.quadrants_scored == form.scored


def test_by_bone() -> None:
    whole = score_sparcc(evidence("0101 1000", "1111id 0000"), RULES).sum
    assert (whole.sacrum, whole.ilium) == (2 + 2, 1 + 2)


@given(visits())
def test_total_is_the_sum_of_its_parts_and_bounded(visit: Evidence) -> None:
    sparcc = score_sparcc(visit, RULES)
    assert 0 <= sparcc.total <= 72
    assert sparcc.total == sum(sparcc.side(side).total for side in Side)
    assert sparcc.total == sum(sparcc.on_slice(n).total for n in sparcc.slice_numbers)
    assert sparcc.total == sum(j.total for j in sparcc.joints)
    assert sparcc.sum.quadrants == sparcc.sum.sacrum + sparcc.sum.ilium <= sparcc.sum.quadrants_scored <= 48


def test_slices_may_be_counted_from_the_back() -> None:
    visit = evidence("1000 0000")
    counted = Evidence(tuple(replace(j, slice_number=20 - j.slice_number) for j in visit.joints))
    assert score_sparcc(counted, RULES).slice_numbers == (16, 15, 14, 13, 12, 11)


@given(visits())
def test_mirroring_swaps_sides_and_nothing_else(visit: Evidence) -> None:
    one, other = score_sparcc(visit, RULES), score_sparcc(mirrored(visit), RULES)
    assert one.total == other.total
    assert one.side(Side.LEFT) == other.side(Side.RIGHT)
    assert one.side(Side.RIGHT) == other.side(Side.LEFT)


@settings(max_examples=200)
@given(visits(), st.data())
def test_more_oedema_never_lowers_the_score(visit: Evidence, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, len(visit.joints) - 1))
    j = visit.joints[n]
    more = [replace(j, intense=True), replace(j, deep=True)]
    more += [
        replace(j, quadrants=(*j.quadrants[:k], replace(j.quadrants[k], oedema=True), *j.quadrants[k + 1 :]))
        for k in range(len(j.quadrants))
    ]
    changed = Evidence((*visit.joints[:n], data.draw(st.sampled_from(more)), *visit.joints[n + 1 :]))
    assert score_sparcc(changed, RULES).total >= score_sparcc(visit, RULES).total


@pytest.mark.parametrize(
    ("height_mm", "halves"),
    [
        (None, {Half.UPPER, Half.LOWER}),
        (45.0, {Half.UPPER, Half.LOWER}),
        (30.0, {Half.UPPER, Half.LOWER}),
        (29.9, {Half.UPPER}),
        (10.1, {Half.UPPER}),
        (10.0, set()),
        (0.0, set()),
    ],
)
def test_rule_for_low_joints(height_mm: float | None, halves: set[Half]) -> None:
    low = replace(joint("1111id", Side.LEFT, 3), joint_height_mm=height_mm)
    counted = scored_quadrants(low)
    assert {q.quadrant.half for q in counted} == halves
    assert {q.quadrant.bone for q in counted} == (set(Bone) if halves else set())


def test_an_item_without_scored_oedema_gives_no_point() -> None:
    first, *rest = evidence("0010id 0000").joints
    hidden = Evidence((replace(first, joint_height_mm=20.0), *rest))
    assert score_sparcc(hidden, RULES).total == 0


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda e: e.joints[:10], "5 are given"),
        (lambda e: (), "0 are given"),
        (lambda e: e.joints[:-1], "left joint 0 times"),
        (lambda e: (*e.joints, e.joints[0]), "right joint 2 times"),
        (lambda e: tuple(j for j in e.joints if j.side is Side.LEFT), "right joint 0 times"),
        (lambda e: (*e.joints[:-2], *(replace(j, slice_number=40) for j in e.joints[-2:])), "consecutive"),
        (lambda e: tuple(replace(j, slice_number=2 * j.slice_number) for j in e.joints), "consecutive"),
        (lambda e: (replace(e.joints[0], quadrants=e.joints[0].quadrants[:3]), *e.joints[1:]), "upper two"),
        (lambda e: (replace(e.joints[0], quadrants=e.joints[0].quadrants[:2] * 2), *e.joints[1:]), "upper two"),
        (lambda e: (replace(e.joints[0], quadrants=e.joints[0].quadrants[2:]), *e.joints[1:]), "upper two"),
    ],
)
def test_incomplete_evidence_is_refused_never_0(broken, message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        score_sparcc(Evidence(broken(evidence("1000 0000"))), RULES)
