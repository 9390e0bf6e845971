"""Figures that refuse a visit, against their limits."""

from __future__ import annotations

import numpy as np
import pelvis
import pytest

from mri_sij.anatomy.image_quality import fat_ratio, homogeneity, left_right_deg, signal_to_noise
from mri_sij.anatomy.joint import find_joints
from mri_sij.anatomy.labels import LEFT_ILIUM, NAMES, RIGHT_ILIUM, SACRUM
from mri_sij.anatomy.quality import Check, Quality, assess
from mri_sij.config import AnatomySettings
from mri_sij.geometry import Grid
from mri_sij.volume import LabelMap, Volume

SETTINGS = AnatomySettings()


@pytest.mark.parametrize(
    ("value", "low", "high", "passed", "expected"),
    [
        (2.0, 2.0, 5.0, True, ""),
        (5.0, 2.0, 5.0, True, ""),
        (1.9, 2.0, 5.0, False, "Odd. size is 1.9 ml, expected 2 to 5."),
        (5.1, 2.0, 5.0, False, "Odd. size is 5.1 ml, expected 2 to 5."),
        (1.9, 2.0, None, False, "Odd. size is 1.9 ml, expected at least 2."),
        (5.1, None, 5.0, False, "Odd. size is 5.1 ml, expected at most 5."),
        (None, 2.0, None, False, "size could not be measured, expected at least 2."),
        (None, None, None, True, ""),
        (99.0, None, None, True, ""),
    ],
)
def test_a_figure_passes_within_its_limits_and_fails_where_it_could_not_be_measured(
    value: float | None, low: float | None, high: float | None, passed: bool, expected: str
) -> None:
    check = Check("size", value, low, high, "ml", "Odd.")
    assert check.passed is passed
    assert [(r.code, r.message) for r in Quality((check,)).failed] == ([] if passed else [("quality_size", expected)])


def test_what_a_whole_pelvis_measures() -> None:
    labels = pelvis.labels(pelvis.grid(0))
    found = assess(pelvis.stir(labels), pelvis.segmentation(labels), find_joints(labels, SETTINGS), SETTINGS)
    value = {check.name: check.value for check in found.checks}
    ml = {bone: (labels.data == bone).sum() * 0.9 * 0.9 * 4 / 1000 for bone in (SACRUM, LEFT_ILIUM, RIGHT_ILIUM)}
    assert (value["sacrum_ml"], value["left_ilium_ml"]) == pytest.approx((ml[SACRUM], ml[LEFT_ILIUM]))
    assert value["right_ilium_ml"] == pytest.approx(ml[RIGHT_ILIUM])
    assert value["side_ratio"] == pytest.approx(1) and value["sacrum_in_one_part"] == 1
    assert (value["probability"], value["agreement"]) == pytest.approx((0.95, 0.95))
    assert value["joints_apart_mm"] == pytest.approx(2 * 48, abs=4) and value["sacrum_off_centre"] == pytest.approx(
        0, abs=0.01
    )
    assert not found.failed


def test_a_small_ilium_and_a_broken_sacrum_are_measured_as_shares() -> None:
    labels = pelvis.labels(pelvis.grid(0))
    broken = labels.data.copy()
    broken[:, 70:80][broken[:, 70:80] == SACRUM] = 0
    broken[:, 75:][broken[:, 75:] == RIGHT_ILIUM] = 0
    cut = LabelMap(broken, labels.grid, NAMES)
    found = assess(pelvis.stir(labels), pelvis.segmentation(cut), find_joints(labels, SETTINGS), SETTINGS)
    value = {check.name: check.value for check in found.checks}
    assert value["side_ratio"] == pytest.approx(0.5, abs=0.01)
    assert value["right_ilium_ml"] / value["left_ilium_ml"] == value["side_ratio"]
    sacrum = broken == SACRUM
    assert value["sacrum_in_one_part"] == pytest.approx(sacrum[:, 80:].sum() / sacrum.sum())


def test_a_sacrum_beside_the_middle_of_the_joints_is_measured_by_their_distance() -> None:
    labels = pelvis.labels(pelvis.grid(0))
    bones = labels.data.copy()
    bones[:110][bones[:110] == SACRUM] = 0
    cut = LabelMap(bones, labels.grid, NAMES)
    found = assess(pelvis.stir(labels), pelvis.segmentation(cut), find_joints(labels, SETTINGS), SETTINGS)
    value = {check.name: check.value for check in found.checks}
    off_mm = (np.argwhere(bones == SACRUM)[:, 0].mean() - 109.5) * 0.9
    assert value["sacrum_off_centre"] == pytest.approx(off_mm / (2 * 48), abs=0.02)
    assert "quality_sacrum_off_centre" in {reason.code for reason in found.failed}


GRID = Grid((60, 60, 4), np.array([[-2.0, 0, 0, 60], [0, 0, -4, 0], [0, 2, 0, 0], [0, 0, 0, 1]]))
BONE = np.zeros(GRID.shape, bool)
BONE[10:40, 10:40] = True


def test_noise_is_what_neighbouring_voxels_of_bone_differ_by() -> None:
    noise = np.random.default_rng(0).normal(0, 5, GRID.shape)
    slope = np.arange(60)[:, None, None]
    stir = Volume((100 + slope - slope.mean() + noise).astype(np.float32), GRID)
    assert signal_to_noise(stir, BONE) == pytest.approx(np.median(stir.values[BONE]) / 5, rel=0.06)
    assert signal_to_noise(Volume(np.ones(GRID.shape, np.float32), GRID), BONE) is None
    assert signal_to_noise(stir, np.zeros(GRID.shape, bool)) is None


def test_noise_that_whole_numbers_hide_in_most_voxels_is_measured() -> None:
    noise = np.random.default_rng(1).normal(0, 0.25, GRID.shape)
    stir = Volume(np.round(100 + noise).astype(np.float32), GRID)
    assert (np.median(stir.values) == stir.values).mean() > 0.9
    assert 200 < (signal_to_noise(stir, BONE) or 0) < 1000


def test_evenness_is_the_brightest_slice_over_the_darkest() -> None:
    stir = Volume(np.broadcast_to(np.array([1, 2, 3, 8], np.float32), GRID.shape).copy(), GRID)
    assert homogeneity(stir, BONE) == pytest.approx(8)
    oedema = stir.values.copy()
    oedema[10:30, :, 3] = 80  # two thirds of the bone
    assert homogeneity(Volume(oedema, GRID), BONE) == pytest.approx(8)
    assert homogeneity(stir, BONE & (np.arange(4) < 2)) == pytest.approx(2)
    assert homogeneity(stir, np.zeros(GRID.shape, bool)) is None


def test_fat_is_what_is_bright_on_t1_outside_bone() -> None:
    stir, t1 = np.full(GRID.shape, 50, np.float32), np.full(GRID.shape, 100, np.float32)
    stir[BONE], t1[45:], stir[45:] = 40, 140, 60
    assert fat_ratio(Volume(stir, GRID), Volume(t1, GRID), BONE) == pytest.approx(1.5)
    t1[45:] = 134  # not bright enough
    assert fat_ratio(Volume(stir, GRID), Volume(t1, GRID), BONE) is None


def test_slices_run_from_left_to_right_however_they_tilt() -> None:
    turn = np.deg2rad(20)
    axial = np.array(
        [[-np.cos(turn), -np.sin(turn), 0, 0], [np.sin(turn), -np.cos(turn), 0, 0], [0, 0, 4, 0], [0, 0, 0, 1]]
    )
    ones = np.ones((4, 4, 4), np.float32)
    assert left_right_deg(Volume(ones, Grid((4, 4, 4), axial))) == pytest.approx(20, abs=1e-4)
    assert left_right_deg(pelvis.stir(pelvis.labels(pelvis.grid(50)))) == pytest.approx(0, abs=1e-4)
