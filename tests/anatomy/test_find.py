from __future__ import annotations

from dataclasses import replace

import numpy as np
import pelvis
import pytest

from mri_sij.anatomy.find import Anatomy, Unusable, find_anatomy
from mri_sij.anatomy.labels import LEFT_ILIUM, NAMES, RIGHT_ILIUM, SACRUM
from mri_sij.anatomy.quality import Check, Quality
from mri_sij.config import AnatomySettings
from mri_sij.geometry import Grid
from mri_sij.volume import LabelMap, Volume

SETTINGS = AnatomySettings()


def _find(labels: LabelMap) -> Anatomy | Unusable:
    return find_anatomy(pelvis.stir(labels), pelvis.segmentation(labels), SETTINGS)


def _codes(found: Anatomy | Unusable) -> set[str]:
    assert isinstance(found, Unusable)
    return {reason.code for reason in found.why.reasons}


@pytest.mark.parametrize("tilt_deg", [0, 25, 45])
def test_six_slices_end_where_the_recess_begins(tilt_deg: float) -> None:
    labels = pelvis.labels(pelvis.grid(tilt_deg))
    found = _find(labels)
    assert isinstance(found, Anatomy)
    numbers = found.slice_choice.numbers
    assert len(numbers) == 6
    assert np.diff(numbers).tolist() == [1] * 5
    assert numbers[-1] == found.slice_choice.transitional
    if tilt_deg == 0:
        back_mm = -labels.grid.world(np.array([0.0, 0, numbers[-1]]))[1]
        assert abs(back_mm - pelvis.RECESS_FROM_MM) <= 4


def test_the_six_slices_from_the_front_start_where_the_joint_is_half_as_high() -> None:
    labels = pelvis.labels(pelvis.grid(0))
    settings = SETTINGS.model_copy(update={"slices_from": "front"})
    front = find_anatomy(pelvis.stir(labels), pelvis.segmentation(labels), settings)
    back = _find(labels)
    assert isinstance(front, Anatomy) and isinstance(back, Anatomy)
    numbers = front.slice_choice.numbers
    assert np.diff(numbers).tolist() == [1] * 5
    assert numbers[0] < back.slice_choice.numbers[0]
    assert front.slice_choice.transitional == back.slice_choice.transitional
    for joint in (front.joints.left, front.joints.right):
        heights = {k: seen.covered_mm for k, seen in joint.slices.items()}
        assert heights[numbers[0]] >= 0.5 * max(heights.values())
        assert heights.get(numbers[0] - 1, 0.0) < 0.5 * max(heights.values())


def test_regions_divide_both_bones_at_the_middle() -> None:
    labels = pelvis.labels(pelvis.grid(0))
    found = _find(labels)
    assert isinstance(found, Anatomy)
    regions, k = found.regions, found.slice_choice.numbers[2]
    near = regions.depth_mm[:, :, k] < 10
    for side in (1, 2):
        for bone in (1, 2):
            halves = [
                int(
                    (
                        near
                        & (regions.side[:, :, k] == side)
                        & (regions.bone[:, :, k] == bone)
                        & (regions.half[:, :, k] == h)
                    ).sum()
                )
                for h in (1, 2)
            ]
            assert min(halves) > 0.6 * max(halves)
    assert np.isinf(regions.depth_mm[labels.data == 0]).all()


def test_half_a_pelvis_is_refused() -> None:
    labels = pelvis.labels(pelvis.grid(20))
    half = np.where(labels.data == RIGHT_ILIUM, 0, labels.data).astype(np.uint8)
    assert "quality_right_ilium_ml" in _codes(_find(LabelMap(half, labels.grid, NAMES)))


def test_an_empty_segmentation_is_refused() -> None:
    on = pelvis.grid(20)
    codes = _codes(_find(LabelMap(np.zeros(on.shape, np.uint8), on, NAMES)))
    assert {"quality_sacrum_ml", "quality_joint_slices"} <= codes


def test_sagittal_slices_are_refused() -> None:
    labels = pelvis.labels(pelvis.grid(0))
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, 4.0], [0.9, 0, 0], [0, 0.9, 0]])
    turned = LabelMap(labels.data, Grid(labels.grid.shape, affine), NAMES)
    assert "quality_left_right_deg" in _codes(_find(turned))


def test_passes_that_disagree_are_refused() -> None:
    labels = pelvis.labels(pelvis.grid(20))
    doubtful = replace(pelvis.segmentation(labels), agreement=0.5)
    assert "quality_agreement" in _codes(find_anatomy(pelvis.stir(labels), doubtful, SETTINGS))


def test_fat_that_is_not_suppressed_is_refused() -> None:
    labels = pelvis.labels(pelvis.grid(20))
    bone, fat = labels.data > 0, np.zeros(labels.grid.shape, bool)
    fat[:, :25] = True
    stir = Volume(np.where(bone, 100, np.where(fat, 400, 60)).astype(np.float32), labels.grid)
    t1 = Volume(np.where(bone, 100, np.where(fat, 300, 60)).astype(np.float32), labels.grid)
    assert "quality_fat_to_bone" in _codes(find_anatomy(stir, pelvis.segmentation(labels), SETTINGS, t1))


def test_the_figures_of_an_image_do_not_depend_on_the_size_of_its_numbers() -> None:
    labels = pelvis.labels(pelvis.grid(20))
    fat = np.zeros(labels.grid.shape, bool)
    fat[:, :25] = True
    stir = np.where(fat, 150, pelvis.stir(labels).values).astype(np.float32)
    t1 = np.where(fat, 300, np.where(labels.data > 0, 100, 60)).astype(np.float32)
    found = []
    for power in (0, -40):
        pair = [Volume(np.ldexp(signal, power), labels.grid) for signal in (stir, t1)]
        found.append(find_anatomy(pair[0], pelvis.segmentation(labels), SETTINGS, pair[1]))
    assert isinstance(found[0], Anatomy) and isinstance(found[1], Anatomy)
    assert found[0].quality == found[1].quality
    assert "fat_to_bone" in {check.name for check in found[0].quality.checks}


def test_the_same_bones_give_the_same_answer_twice() -> None:
    labels = pelvis.labels(pelvis.grid(35))
    one, two = _find(labels), _find(labels)
    assert isinstance(one, Anatomy)
    assert isinstance(two, Anatomy)
    assert one.quality == two.quality
    assert one.slice_choice == two.slice_choice
    for k, there in one.joints.left.slices.items():
        assert there.midline.tobytes() == two.joints.left.slices[k].midline.tobytes()


def test_labels_of_the_made_pelvis_are_whole() -> None:
    sizes = np.bincount(pelvis.labels(pelvis.grid(0)).data.ravel())
    assert sizes[LEFT_ILIUM] == sizes[RIGHT_ILIUM]
    assert sizes[SACRUM] > 0


def test_what_could_not_be_measured_claims_nothing() -> None:
    meaning = "The image is too noisy."
    checks = [Check("signal_to_noise", value, 4.0, None, "", meaning) for value in (None, 2.0)]
    assert [reason.message for reason in Quality(tuple(checks)).failed] == [
        "signal_to_noise could not be measured, expected at least 4.",
        "The image is too noisy. signal_to_noise is 2, expected at least 4.",
    ]
