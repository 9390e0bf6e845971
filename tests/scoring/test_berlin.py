"""Berlin grades against shares worked by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from worked_forms import evidence

from mri_sij.config import ScoringSettings
from mri_sij.evidence import Evidence, Half, Side
from mri_sij.scoring.berlin import grade_of, score_berlin

RULES = ScoringSettings()


def with_areas(visit: Evidence, oedema_mm2: float, bone_mm2: float) -> Evidence:
    return Evidence(
        tuple(
            replace(
                j,
                quadrants=tuple(
                    replace(q, oedema_area_mm2=oedema_mm2 if q.oedema else 0.0, bone_area_mm2=bone_mm2)
                    for q in j.quadrants
                ),
            )
            for j in visit.joints
        )
    )


@pytest.mark.parametrize(
    ("fraction", "grade"),
    [(0.0, 0), (0.001, 1), (0.3299, 1), (0.33, 2), (0.5, 2), (0.66, 2), (0.6601, 3), (1.0, 3)],
)
def test_grade(fraction: float, grade: int) -> None:
    assert grade_of(fraction, RULES) == grade


def test_share_is_of_the_quadrant_over_all_slices() -> None:
    # right upper ilium on three of six slices, each 80 of 100 mm2: 240 of 600 mm2, 40 %, grade 2;
    # left lower sacrum on one slice: 80 of 600 mm2, 13 %, grade 1
    visit = with_areas(evidence("1000 0001", "1000 0000", "1000 0000"), 80.0, 100.0)
    berlin = score_berlin(visit, RULES)
    assert berlin is not None
    assert (berlin.side(Side.RIGHT), berlin.side(Side.LEFT), berlin.total) == (2, 1, 3)
    assert max(g.fraction or 0 for g in berlin.grades) == pytest.approx(0.4)


def test_all_bone_is_24() -> None:
    berlin = score_berlin(with_areas(evidence(*["1111 1111"] * 6), 100.0, 100.0), RULES)
    assert berlin is not None
    assert berlin.total == 24


def test_a_form_without_areas_has_no_berlin_score() -> None:
    assert score_berlin(evidence("1000 0000"), RULES) is None


@pytest.mark.parametrize("area", ["oedema_area_mm2", "bone_area_mm2"])
def test_one_area_that_is_not_known_leaves_no_berlin_score(area: str) -> None:
    first, *rest = with_areas(evidence("1000 0000"), 80.0, 100.0).joints
    quadrant, *others = first.quadrants
    overruled = replace(first, quadrants=(replace(quadrant, **{area: None}), *others))
    assert score_berlin(Evidence((overruled, *rest)), RULES) is None


def test_a_quadrant_that_is_never_scored_has_no_grade() -> None:
    visit = with_areas(evidence(*["1111 1111"] * 6), 80.0, 100.0)
    low = Evidence(tuple(replace(j, joint_height_mm=25.0) for j in visit.joints))
    berlin = score_berlin(low, RULES)
    assert berlin is not None
    found = {(g.quadrant.half, g.fraction, g.grade) for g in berlin.grades}
    assert found == {(Half.UPPER, 0.8, 3), (Half.LOWER, None, None)}
    assert (berlin.side(Side.RIGHT), berlin.total) == (6, 12)


def test_oedema_that_does_not_count_in_its_slice_does_not_count_here() -> None:
    visit = with_areas(evidence("0000 0000"), 0.0, 100.0)
    joints = [replace(j, quadrants=tuple(replace(q, oedema_area_mm2=4.0) for q in j.quadrants)) for j in visit.joints]
    berlin = score_berlin(Evidence(tuple(joints)), RULES)
    assert berlin is not None
    assert berlin.total == 0
