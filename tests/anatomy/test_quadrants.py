"""Side, bone, half and depth of blocks of bone beside straight joints, worked by hand."""

from __future__ import annotations

import numpy as np
import pelvis

from mri_sij.anatomy.joint import Joint, Joints
from mri_sij.anatomy.labels import LEFT_ILIUM, NAMES, RIGHT_ILIUM, SACRUM
from mri_sij.anatomy.quadrants import divide
from mri_sij.evidence import Side
from mri_sij.geometry import Grid
from mri_sij.volume import LabelMap

SHAPE = (61, 40, 3)
GRID = Grid(SHAPE, np.array([[-2.0, 0, 0, 60], [0, 0, -4, 0], [0, 1, 0, 0], [0, 0, 0, 1]]))
LEFT, RIGHT = 45, 15


def test_bone_belongs_to_the_nearer_joint_and_halves_meet_in_the_middle_of_the_cartilage() -> None:
    bones = np.zeros(SHAPE, np.uint8)
    bones[16:45, 5:35], bones[46:60, 5:35], bones[1:15, 5:35] = SACRUM, LEFT_ILIUM, RIGHT_ILIUM
    joints = (
        Joint(side, {1: pelvis.joint_slice(1, column, range(5, 35), range(15, 35))})
        for side, column in ((Side.LEFT, LEFT), (Side.RIGHT, RIGHT))
    )
    both = Joints(GRID, *joints)
    found = divide(LabelMap(bones, GRID, NAMES), both)
    assert not found.side[..., 0].any() and not found.side[..., 2].any() and np.isinf(found.depth_mm[..., 0]).all()
    plane = found.on(1)
    column, row = np.indices(SHAPE[:2])
    inside = bones[..., 1] > 0
    assert np.array_equal(plane.side, np.where(inside, np.where(column > 30, 1, np.where(column < 30, 2, 1)), 0))
    assert np.array_equal(plane.bone, np.where(inside, np.where((column > RIGHT) & (column < LEFT), 1, 2), 0))
    assert np.array_equal(plane.half, np.where(inside, np.where(row > 24.5, 2, 1), 0))
    assert np.array_equal(plane.cartilaginous, inside & (row >= 15))
    assert np.array_equal(plane.space, ((column == LEFT) | (column == RIGHT)) & (row >= 15) & (row < 35))
    away = 2.0 * np.minimum(abs(column - LEFT), abs(column - RIGHT)) - 1  # half a gap of 2 mm is no bone
    assert np.array_equal(plane.depth_mm[inside], away[inside])
