"""Cartilage against ligament: by the gap, by the place, and by what T1 shows between the bones."""

from __future__ import annotations

import numpy as np
import pelvis
import pytest
from people import scanned

from mri_sij.anatomy.cartilage import behind_mm, covered_by_cartilage, ridge_across
from mri_sij.anatomy.shape import fit_shape
from mri_sij.config import AnatomySettings
from mri_sij.geometry import Grid
from mri_sij.volume import Volume

SETTINGS = AnatomySettings()
SPACING = (1.0, 1.0, 4.0)
NOWHERE = np.zeros((60, 12))


def gaps(above_mm: float = 4.0) -> np.ndarray:
    """60 rows on 12 slices: 3 mm wide below row 30, `above_mm` above it; nothing faces anything above row 50."""
    gap = np.full((60, 12), 3.0)
    gap[30:] = above_mm
    gap[50:] = np.nan
    return gap


def upper(value: float) -> np.ndarray:
    """0 below row 30, `value` above."""
    return np.where(np.arange(60)[:, None] < 30, 0.0, value) * np.ones((60, 12))


def test_a_wide_gap_alone_is_a_recess_and_a_narrow_one_is_not() -> None:
    assert covered_by_cartilage(gaps(4.0), NOWHERE, None, SPACING, SETTINGS)[:50].all()
    wide = covered_by_cartilage(gaps(8.0), NOWHERE, None, SPACING, SETTINGS)
    assert wide[:26].all()
    assert not wide[31:].any()


def test_fat_between_the_plates_marks_a_recess_that_is_hardly_wider_than_the_joint() -> None:
    covered = covered_by_cartilage(gaps(4.0), NOWHERE, upper(0.6), SPACING, SETTINGS)
    assert covered[:29].all()
    assert not covered[33:].any()
    assert covered_by_cartilage(gaps(4.0), NOWHERE, None, SPACING, SETTINGS)[:50].all()


def test_a_dark_joint_stays_cartilage_where_it_widens_and_grey_cartilage_where_it_is_narrow() -> None:
    assert covered_by_cartilage(gaps(6.0), NOWHERE, upper(0.0), SPACING, SETTINGS)[:50].all()
    assert covered_by_cartilage(gaps(3.0), NOWHERE, upper(0.35), SPACING, SETTINGS)[:50].all()


def test_the_same_gap_is_a_recess_behind_and_above_and_cartilage_in_front_and_below() -> None:
    behind = upper(50.0) - 25.0
    covered = covered_by_cartilage(np.full((60, 12), 5.0), behind, None, SPACING, SETTINGS)
    assert covered[:29].all()
    assert not covered[33:].any()
    narrow = covered_by_cartilage(np.full((60, 12), 1.0), behind + 25.0, None, SPACING, SETTINGS)
    assert not narrow[33:].any()


def test_without_a_fitted_pelvis_the_gap_decides() -> None:
    same = covered_by_cartilage(gaps(8.0), NOWHERE, None, SPACING, SETTINGS)
    assert np.array_equal(covered_by_cartilage(gaps(8.0), None, None, SPACING, SETTINGS), same)


def test_what_does_not_face_bone_is_not_cartilage() -> None:
    assert not covered_by_cartilage(gaps(), NOWHERE, None, SPACING, SETTINGS)[50:].any()


@pytest.mark.parametrize("seed", [1, 2])
def test_behind_is_told_in_the_pelvis_whatever_part_of_it_the_slices_show(seed: int) -> None:
    """Two stacks of one person, tilted alike: all of the joints, and their front half alone."""
    bones = scanned(seed, -35.0)
    grid = bones.grid
    column = np.full(grid.shape[1:], np.nan)
    column[40:80, 4:12] = 80.0
    half = Grid((grid.shape[0], grid.shape[1], 13), grid.affine)
    whole, front = fit_shape(bones.data, grid), fit_shape(bones.data[:, :, :13], half)
    assert whole is not None
    assert front is not None
    found = behind_mm(whole, grid, column)
    assert np.array_equal(np.isnan(found), np.isnan(column))
    assert np.all(np.diff(found[40:80, 4:12], axis=0) > 0), "upwards"
    assert np.all(np.diff(found[40:80, 4:12], axis=1) > 0), "backwards"
    assert np.nanmax(np.abs(behind_mm(front, half, column[:, :13]) - found[:, :13])) < 4


def test_a_mirrored_patient_has_joints_as_far_behind() -> None:
    bones = scanned(3, -20.0)
    grid, swapped = bones.grid, np.array([0, 1, 3, 2], np.uint8)[bones.data[::-1]]
    plain, mirrored = fit_shape(bones.data, grid), fit_shape(swapped, grid)
    assert plain is not None
    assert mirrored is not None
    column = np.full(grid.shape[1:], np.nan)
    column[40:80, 4:12] = 80.0
    np.testing.assert_allclose(
        behind_mm(mirrored, grid, grid.shape[0] - 1 - column), behind_mm(plain, grid, column), atol=1e-6
    )


def _t1(plates_mm: float, between: float) -> Volume:
    """Marrow of 100 with a joint at column 100: two dark plates of 2 mm, `plates_mm` apart, and `between` them."""
    grid = pelvis.grid(0)
    off_mm = np.abs((np.arange(grid.shape[0]) - 100) * grid.spacing_mm[0])
    line = np.where(off_mm < plates_mm / 2 - 1, between, np.where(off_mm < plates_mm / 2 + 1, 10.0, 100.0))
    return Volume(np.broadcast_to(line[:, None, None], grid.shape).astype(np.float32), grid)


@pytest.mark.parametrize(
    ("plates_mm", "between", "least", "most"),
    [(1.0, 10.0, 0.0, 0.05), (4.0, 45.0, 0.1, 0.4), (8.0, 110.0, 0.8, 1.1)],
    ids=["one dark band", "grey cartilage", "fat in a recess"],
)
def test_the_rise_between_the_plates(plates_mm: float, between: float, least: float, most: float) -> None:
    t1 = _t1(plates_mm, between)
    labels = pelvis.labels(t1.grid)
    column = np.full(t1.grid.shape[1:], 101.0)
    column[:10] = np.nan
    found = ridge_across(t1, labels, column)
    assert np.isnan(found[:10]).all()
    assert least <= found[10:].min() <= found[10:].max() <= most


def test_any_gain_and_a_mirrored_joint_give_the_same_rise() -> None:
    t1 = _t1(6.0, 80.0)
    labels = pelvis.labels(t1.grid)
    found = ridge_across(t1, labels, np.full(t1.grid.shape[1:], 101.0))
    louder = Volume(t1.values * np.float32(8), t1.grid)
    assert np.array_equal(ridge_across(louder, labels, np.full(t1.grid.shape[1:], 101.0)), found)
    mirrored = Volume(np.ascontiguousarray(t1.values[::-1]), t1.grid)
    column = np.full(t1.grid.shape[1:], t1.grid.shape[0] - 1 - 101.0)
    assert np.allclose(ridge_across(mirrored, labels, column), found)
