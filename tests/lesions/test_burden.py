"""Volumes, fractions and sides of oedema, worked by hand on blocks of bone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_items import SHAPE, search_of

from mri_sij.config import LesionSettings
from mri_sij.evidence import Bone, Side
from mri_sij.geometry import Grid
from mri_sij.lesions.burden import measure_burden
from mri_sij.lesions.records import OEDEMA_PLACES, Measures
from mri_sij.lesions.search import Search

NOTHING = {label: np.zeros(0, np.float32) for label in OEDEMA_PLACES}


def blocks() -> tuple[np.ndarray, Search]:
    """Ten columns of each bone, voxels of 0.1 ml, the upper half of the rows too far from the joint to count.

    Of the left sacrum 1 ml on the cortex is oedema of 3 times marrow, of the right ilium 1.5 ml at the joint, of twice,
    and 1.5 ml away from it, darker than marrow.
    """
    code, bone, depth = np.zeros(SHAPE, np.uint8), np.ones(SHAPE, bool), np.ones(SHAPE, np.float32)
    for n in range(4):
        code[10 * n : 10 * n + 10] = n + 1
    bone[0], depth[:, 20:] = False, 30
    oedema, ratio = np.zeros(SHAPE, bool), np.ones(SHAPE)
    oedema[0, :10, 0], ratio[0, :10, 0] = True, 3
    oedema[39, 5:35, 0], ratio[39, :20, 0], ratio[39, 20:, 0] = True, 2, 0.5
    grid = Grid(SHAPE, np.diag([2.0, 2.5, 20, 1]))
    return oedema, replace(search_of(ratio), code=code, bone=bone, depth_mm=depth, grid=grid)


def measured(**settings: float) -> Measures:
    return measure_burden(*blocks(), NOTHING, (), LesionSettings(**settings))


def test_volumes_and_fractions_of_each_bone() -> None:
    found = measured()
    by_bone = {(b.side, b.bone): b for b in found.burdens}
    left, right = by_bone[Side.LEFT, Bone.SACRUM], by_bone[Side.RIGHT, Bone.ILIUM]
    assert (left.volume_ml, right.volume_ml, found.volume_ml) == pytest.approx((1, 3, 4))
    assert (left.periarticular_ml, right.periarticular_ml) == pytest.approx((37, 40))  # cortex only where oedema is
    assert (left.fraction, right.fraction) == pytest.approx((1 / 37, 1.5 / 40))
    assert found.fraction == pytest.approx(2.5 / 157)
    assert (left.mean_contrast, right.mean_contrast) == pytest.approx((3, 1.25))
    assert (left.volume_times_contrast_ml, right.volume_times_contrast_ml) == pytest.approx((2, 1.5))
    assert found.volume_times_contrast_ml == pytest.approx(3.5)
    assert by_bone[Side.LEFT, Bone.ILIUM].mean_contrast is None


def test_oedema_beyond_the_joint_counts_for_volumes_and_not_for_shares() -> None:
    found = measure_burden(*blocks(), {**NOTHING, 2: np.full(20, 1.5, np.float32)}, (), LesionSettings())
    ilium = next(b for b in found.burdens if (b.side, b.bone) == (Side.LEFT, Bone.ILIUM))
    assert (ilium.volume_ml, ilium.volume_times_contrast_ml, ilium.mean_contrast) == pytest.approx((2, 1, 1.5))
    assert (ilium.fraction, found.fraction, found.volume_ml) == pytest.approx((0, measured().fraction, 6))


def test_sides_are_held_against_each_other() -> None:
    assert measured().asymmetry == pytest.approx(-0.5)
    for least_ml, ratio, told in ((1.0, 0.3, (True, True)), (1.0, 0.4, (True, False)), (1.1, 0.3, (False, False))):
        found = measured(min_volume_ml=least_ml, symmetric_ratio=ratio)
        assert (found.bilateral, found.symmetric) == told


def test_oedema_is_extensive_where_it_takes_more_than_a_share_of_a_bone() -> None:
    assert measured(extensive_fraction=0.03).extensive == ((Side.RIGHT, Bone.ILIUM),)
    assert measured(extensive_fraction=0.04).extensive == ()


def test_without_oedema_or_bone_there_is_no_share() -> None:
    oedema, search = blocks()
    none = measure_burden(np.zeros_like(oedema), search, NOTHING, (), LesionSettings())
    assert (none.volume_ml, none.fraction, none.asymmetry, none.bilateral) == (0, 0, None, False)
    bare = measure_burden(oedema, replace(search, code=np.zeros_like(search.code)), NOTHING, (), LesionSettings())
    assert bare.fraction is None and {b.fraction for b in bare.burdens} == {None} and bare.extensive == ()
