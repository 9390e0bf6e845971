"""Laterality, symmetry and extent."""

from __future__ import annotations

import pytest
from test_berlin import with_areas
from worked_forms import evidence

from mri_sij.config import ScoringSettings
from mri_sij.evidence import Bone, Side
from mri_sij.scoring.pattern import find_pattern

RULES = ScoringSettings()


@pytest.mark.parametrize(
    ("slices", "bilateral", "symmetry", "symmetric"),
    [
        ((), False, None, None),
        (("1000 0000",), False, 0.0, False),
        (("1000 1000",), True, 1.0, True),
        (("1100 1000",), True, 2 / 3, True),
        (("1000 0100",), True, 0.0, False),
        (("1000 0000", "0000 1000"), True, 0.0, False),
    ],
)
def test_sides(slices: tuple[str, ...], bilateral: bool, symmetry: float | None, symmetric: bool | None) -> None:
    pattern = find_pattern(evidence(*slices), RULES)
    assert pattern.bilateral is bilateral
    assert pattern.symmetric is symmetric
    assert pattern.symmetry == pytest.approx(symmetry) if symmetry is not None else pattern.symmetry is None


def test_extent_above_half_is_extensive() -> None:
    # right ilium: 4 of 6 slices whole in both halves, 67 %; left sacrum: 3 of 6, 50 %, which is not "above"
    visit = with_areas(evidence("1010 0101", "1010 0101", "1010 0101", "1010 0000"), 100.0, 100.0)
    extents = {(e.side, e.bone): e for e in find_pattern(visit, RULES).extents}
    assert extents[Side.RIGHT, Bone.ILIUM].fraction == pytest.approx(2 / 3)
    assert extents[Side.RIGHT, Bone.ILIUM].extensive is True
    assert extents[Side.LEFT, Bone.SACRUM].fraction == pytest.approx(0.5)
    assert extents[Side.LEFT, Bone.SACRUM].extensive is False


def test_extent_is_unknown_without_areas() -> None:
    assert {(e.fraction, e.extensive) for e in find_pattern(evidence("1000 0000"), RULES).extents} == {(None, None)}
