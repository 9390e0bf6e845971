"""A pelvis of simple solids with known joints, sampled on any grid: a sacral wedge between two curved iliac plates."""

from __future__ import annotations

import numpy as np

from mri_sij.anatomy.joint import JointSlice
from mri_sij.anatomy.labels import LEFT_ILIUM, NAMES, RIGHT_ILIUM, SACRUM, Segmentation
from mri_sij.geometry import Grid
from mri_sij.volume import LabelMap, Volume

GAP_MM = 3.0
RECESS_FROM_MM = 18.0
"""Behind this, the sacrum draws back from the ilium: the ligamentous part."""


def grid(tilt_deg: float, shape: tuple[int, int, int] = (220, 150, 20), in_plane_mm: float = 0.9) -> Grid:
    """Slices 4 mm apart in the reading frame, tilted from coronal about the left-right axis, centred on the origin."""
    tilt = np.deg2rad(tilt_deg)
    axes = np.array([[-1.0, 0, 0], [0, np.sin(tilt), np.cos(tilt)], [0, -np.cos(tilt), np.sin(tilt)]]).T
    affine = np.eye(4)
    affine[:3, :3] = axes * (in_plane_mm, in_plane_mm, 4.0)
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def joint_x_mm(up_mm: np.ndarray, back_mm: np.ndarray) -> np.ndarray:
    """Distance of the true joint from the midline at a height and a depth."""
    return 48.0 + 0.08 * up_mm + 4.0 * np.sin(up_mm / 22.0) - 0.15 * back_mm


def labels(on: Grid, recess: bool = True) -> LabelMap:
    """Bones on `on`: joint 3 mm wide over 70 mm of height, 60 mm from front to back."""
    i, j, k = np.indices(on.shape)
    x, y, z = np.moveaxis(on.world(np.stack([i, j, k], -1)), -1, 0)
    back, up = -y, z
    off = np.abs(x) - joint_x_mm(up, back)
    within = (np.abs(back) < 30) & (np.abs(up) < 35)
    drawn_back = np.where(recess & (back > RECESS_FROM_MM), 9.0, 0.0)
    out = np.zeros(on.shape, np.uint8)
    out[(off < -GAP_MM / 2 - drawn_back) & within] = SACRUM
    ilium = (off > GAP_MM / 2) & (off < 20) & (np.abs(back) < 36) & (np.abs(up) < 42)
    out[ilium & (x < 0)] = LEFT_ILIUM
    out[ilium & (x > 0)] = RIGHT_ILIUM
    return LabelMap(out, on, NAMES)


def joint_slice(k: int, column: float, rows: range, covered: range, height_mm: float = 50.0) -> JointSlice:
    """A straight joint, 2 mm wide, at one column of one slice, covered by cartilage on some of its rows."""
    line = np.array([[column, row] for row in rows], float)
    cartilage = np.array([row in covered for row in rows])
    gap = np.full(len(rows), 2.0)
    return JointSlice(k, line, line, line, gap, cartilage, height_mm, height_mm, float(len(rows)))


def segmentation(of: LabelMap) -> Segmentation:
    """The bones as a sure segmenter would hand them on."""
    sure = Volume(np.where(of.data > 0, 0.95, 0.0).astype(np.float32), of.grid)
    return Segmentation(of, sure, 0.95, "builtin", "ab" * 32)


def stir(of: LabelMap) -> Volume:
    """Bone of 100 on soft tissue of 60, with a little noise."""
    rng = np.random.default_rng(0)
    signal = np.where(of.data > 0, 100.0, 60.0) + rng.normal(0, 3, of.grid.shape)
    return Volume(signal.astype(np.float32), of.grid)
