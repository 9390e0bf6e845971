"""Side, bone, half and depth of every voxel of bone near a joint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.joint import ILIUM_OF, Joints, JointSlice
from mri_sij.anatomy.labels import SACRUM
from mri_sij.anatomy.margins import HALF_GAP_MM
from mri_sij.anatomy.span import span
from mri_sij.evidence import Side
from mri_sij.volume import LabelMap

REGION_SIDE = {Side.LEFT: 1, Side.RIGHT: 2}
BONE_SACRUM, BONE_ILIUM = 1, 2
HALF_LOWER, HALF_UPPER = 1, 2
SPACE_MM = 4.0
"""The joint space reaches this far from the joint's midline (our choice: cartilage is 2-4 mm thick in all, erosions
widen the space)."""


@dataclass(frozen=True, eq=False)
class Regions:
    """Arrays on the STIR's grid in the reading frame.

    `side` 0 none, 1 left, 2 right joint; `bone` 0 none, 1 sacrum, 2 ilium; `half` 0 none, 1 lower, 2 upper;
    `depth_mm` distance in the slice from the bone's own articular margin, as readers measure depth (infinite outside
    the joint's bones); `cartilaginous` where the nearest joint is. `space` marks what is no bone between the bones of a
    cartilaginous joint: cartilage, fluid, and what fills erosions.
    """

    side: NDArray[np.uint8]
    bone: NDArray[np.uint8]
    half: NDArray[np.uint8]
    depth_mm: NDArray[np.float32]
    cartilaginous: NDArray[np.bool_]
    space: NDArray[np.bool_]

    def on(self, k: int) -> Regions:
        """Slice `k` alone, arrays of shape (i, j)."""
        side, bone, half = (np.ascontiguousarray(a[:, :, k]) for a in (self.side, self.bone, self.half))
        covered, space = (np.ascontiguousarray(a[:, :, k]) for a in (self.cartilaginous, self.space))
        return Regions(side, bone, half, np.ascontiguousarray(self.depth_mm[:, :, k]), covered, space)


def divide(labels: LabelMap, joints: Joints) -> Regions:
    """Divide the bones among joints and quadrants; a sacral voxel belongs to the nearer joint of its slice."""
    shape, spacing = labels.grid.shape, labels.grid.spacing_mm
    side, bone, half = (np.zeros(shape, np.uint8) for _ in range(3))
    depth = np.full(shape, np.inf, np.float32)
    cartilaginous, space = np.zeros(shape, bool), np.zeros(shape, bool)
    for which in Side:
        joint = joints.of(which)
        for k, there in joint.slices.items():
            plane = labels.data[:, :, k]
            own = (plane == SACRUM) | (plane == ILIUM_OF[which])
            box = _box_of(own, there)
            from_line, nearest = _to_midline(there, box, spacing[:2])
            away = np.maximum(from_line - np.minimum(there.gap_mm[nearest] / 2, HALF_GAP_MM), 0).astype(np.float32)
            row, covered = there.midline[nearest, 1].astype(np.intp), there.cartilaginous[nearest]
            here = (*box, k)
            space[here] |= (plane[box] == 0) & covered & (from_line <= SPACE_MM) & _beside_cartilage(there, box[1])
            nearer = own[box] & (away < depth[here])
            side[here][nearer] = REGION_SIDE[which]
            bone[here][nearer] = np.where(plane[box] == SACRUM, BONE_SACRUM, BONE_ILIUM)[nearer]
            half[here][nearer] = np.where(row > _middle_row(there), HALF_UPPER, HALF_LOWER)[nearer]
            cartilaginous[here][nearer] = covered[nearer]
            depth[here][nearer] = away[nearer]
    return Regions(side, bone, half, depth, cartilaginous, space)


def _box_of(own: NDArray[np.bool_], joint: JointSlice) -> tuple[slice, slice]:
    """The part of a slice that holds the bones and the whole midline."""
    i, _ = _drawn(joint, own.shape)
    columns, rows = np.asarray(own.any(1)), np.asarray(own.any(0))
    columns[i] = rows[np.rint(joint.midline[:, 1]).astype(np.intp)] = True
    return span(columns), span(rows)


def _beside_cartilage(joint: JointSlice, rows: slice) -> NDArray[np.bool_]:
    """Which of `rows` lie between the ends of the joint's cartilage, shape (1, rows)."""
    covered = joint.midline[joint.cartilaginous, 1]
    row = np.arange(rows.start, rows.stop)[None, :]
    return np.asarray((row >= covered.min()) & (row <= covered.max()) if len(covered) else row < 0)


def _middle_row(joint: JointSlice) -> float:
    rows = joint.midline[joint.cartilaginous, 1] if joint.cartilaginous.any() else joint.midline[:, 1]
    return float((rows[0] + rows[-1]) / 2)


def _drawn(joint: JointSlice, shape: tuple[int, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Voxels of the midline, without breaks where it runs flat."""
    fine = np.linspace(0, len(joint.midline) - 1, 3 * len(joint.midline))
    i = np.interp(fine, np.arange(len(joint.midline)), joint.midline[:, 0])
    at = np.clip(np.rint(i).astype(np.intp), 0, shape[0] - 1)
    return at, np.rint(fine).astype(np.intp)


def _to_midline(
    joint: JointSlice, box: tuple[slice, slice], spacing: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Over the `box` of a slice: distance (mm) from the midline, and the number of its nearest point."""
    shape = (box[0].stop - box[0].start, box[1].stop - box[1].start)
    line = np.ones(shape, bool)
    which = np.zeros(shape, np.intp)
    i, n = _drawn(joint, (box[0].stop, box[1].stop))
    j = np.rint(joint.midline[n, 1]).astype(np.intp)
    line[i - box[0].start, j - box[1].start] = False
    which[i - box[0].start, j - box[1].start] = n
    away, (near_i, near_j) = ndi.distance_transform_edt(line, spacing, return_indices=True)
    return np.asarray(away), which[near_i, near_j]
