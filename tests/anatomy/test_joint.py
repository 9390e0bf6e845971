from __future__ import annotations

import numpy as np
import pelvis
import pytest

from mri_sij.anatomy.joint import find_joints
from mri_sij.anatomy.labels import LEFT_ILIUM, NAMES, SACRUM
from mri_sij.config import AnatomySettings
from mri_sij.evidence import Side
from mri_sij.geometry import Grid
from mri_sij.volume import LabelMap

SETTINGS = AnatomySettings()


def _errors_mm(labels: LabelMap) -> np.ndarray:
    """Left-right distance of every cartilaginous midline point from the true joint."""
    joints, out = find_joints(labels, SETTINGS), []
    for side in Side:
        for k, there in joints.of(side).slices.items():
            points = np.column_stack([there.midline, np.full(len(there.midline), k)])[there.cartilaginous]
            world = labels.grid.world(points)
            out.append(np.abs(np.abs(world[:, 0]) - pelvis.joint_x_mm(world[:, 2], -world[:, 1])))
    return np.concatenate(out)


@pytest.mark.parametrize("tilt_deg", [0, 20, 35, 50])
def test_the_midline_runs_half_way_between_the_bones(tilt_deg: float) -> None:
    errors = _errors_mm(pelvis.labels(pelvis.grid(tilt_deg)))
    assert errors.mean() < 0.5
    assert np.percentile(errors, 95) < 1.2


def test_a_notch_in_the_sacrum_does_not_bend_the_midline() -> None:
    whole = pelvis.labels(pelvis.grid(30))
    data = whole.data.copy()
    beside = (data == SACRUM) & (np.abs(np.arange(data.shape[1]) - 75) < 6)[None, :, None]
    beside[:, :, :9] = beside[:, :, 11:] = False
    lateral = np.abs(np.arange(data.shape[0]) - data.shape[0] / 2) * 0.9 > 38
    data[beside & lateral[:, None, None]] = 0
    errors = _errors_mm(LabelMap(data, whole.grid, NAMES))
    assert np.percentile(errors, 99) < 2.0


def test_the_ligamentous_recess_is_not_cartilage() -> None:
    labels = pelvis.labels(pelvis.grid(0))
    joint = find_joints(labels, SETTINGS).left
    back = {k: -labels.grid.world(np.array([0.0, 0, k]))[1] for k in joint.slices}
    front = [joint.slices[k].height_mm for k in joint.slices if -24 < back[k] < pelvis.RECESS_FROM_MM - 4]
    behind = [joint.slices[k].height_mm for k in joint.slices if back[k] > pelvis.RECESS_FROM_MM + 4]
    assert min(front) > 65
    assert max(front) < 80
    assert max(behind, default=0) == 0


def test_margins_lie_on_their_bones() -> None:
    there = next(iter(find_joints(pelvis.labels(pelvis.grid(20)), SETTINGS).left.slices.values()))
    assert (there.iliac_margin[:, 0] > there.midline[:, 0]).all()
    assert (there.sacral_margin[:, 0] < there.midline[:, 0]).all()
    assert (np.diff(there.midline[:, 1]) > 0).all()


def test_mirrored_bones_give_mirrored_joints() -> None:
    labels = pelvis.labels(pelvis.grid(35))
    swapped = np.array([0, 1, 3, 2], np.uint8)[labels.data[::-1]]
    plain, mirrored = (
        find_joints(one, SETTINGS) for one in (labels, LabelMap(np.ascontiguousarray(swapped), labels.grid, NAMES))
    )
    for k, there in plain.left.slices.items():
        other = mirrored.right.slices[k]
        np.testing.assert_allclose(labels.grid.shape[0] - 1 - other.midline[:, 0], there.midline[:, 0], atol=1e-6)
        assert other.height_mm == there.height_mm


def test_no_joint_without_a_second_bone() -> None:
    labels = pelvis.labels(pelvis.grid(20))
    joints = find_joints(
        LabelMap(np.where(labels.data == SACRUM, 0, labels.data).astype(np.uint8), labels.grid, NAMES), SETTINGS
    )
    assert not joints.left.slices
    assert not joints.right.slices


@pytest.mark.parametrize(
    ("narrow", "height_mm", "covered_mm"),
    [
        ((range(10, 60),), 54, 54),
        ((range(10, 40), range(47, 60)), 54, 54),  # a break of 5 mm is bridged
        ((range(10, 40), range(48, 60)), 54, 46),
        ((range(10, 20), range(32, 60)), 54, 42),
        ((range(10, 40), range(57, 60)), 32, 32),  # a speck
    ],
)
def test_height_is_from_end_to_end_of_the_cartilage_and_what_it_covers_without_wide_breaks(
    narrow: tuple[range, ...], height_mm: float, covered_mm: float
) -> None:
    """Rows of 1 mm: gaps of 2 mm on some, of 8 mm between them, which take up to a row more on either side."""
    bones = np.zeros((60, 70, 8), np.uint8)
    bones[10:30, 10:60], bones[38:50, 10:60] = SACRUM, LEFT_ILIUM
    for rows in narrow:
        bones[30:33, rows.start : rows.stop], bones[35:38, rows.start : rows.stop] = SACRUM, LEFT_ILIUM
    grid = Grid(bones.shape, np.array([[-1.0, 0, 0, 0], [0, 0, -4, 0], [0, 1, 0, 0], [0, 0, 0, 1]]))
    joints = find_joints(LabelMap(bones, grid, NAMES), SETTINGS)
    there = joints.left.slices[3]
    assert (there.height_mm, there.covered_mm) == (height_mm, covered_mm)
    assert not joints.right.slices


def test_marked_cartilage_is_taken_as_it_is_marked_and_on_its_own_side_only() -> None:
    labels = pelvis.labels(pelvis.grid(0))
    rows, slices = np.arange(labels.grid.shape[1]), np.arange(labels.grid.shape[2])
    marked = (labels.data == 0) & ((rows >= 60) & (rows < 90))[:, None] & ((slices > 7) & (slices < 13))
    marked &= (labels.grid.world(np.argwhere(np.ones(marked.shape)))[:, 0] < 0).reshape(marked.shape)
    joints = find_joints(labels, SETTINGS, cartilage=marked)
    for k, there in joints.left.slices.items():
        found = there.midline[there.cartilaginous, 1]
        assert found.tolist() == (list(range(60, 90)) if 7 < k < 13 else [])
    assert not any(there.cartilaginous.any() for there in joints.right.slices.values())
