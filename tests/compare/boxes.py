"""Box bones in any position on any grid: a person whose every place is known."""

from __future__ import annotations

import numpy as np

from mri_sij.anatomy.labels import LEFT_ILIUM, NAMES, RIGHT_ILIUM, SACRUM
from mri_sij.compare.rigid import invert, matrix_of, move
from mri_sij.geometry import Floats, Grid
from mri_sij.volume import LabelMap

CENTRES = {SACRUM: (0.0, 0.0, 0.0), LEFT_ILIUM: (-49.0, 0.0, 4.0), RIGHT_ILIUM: (49.0, 0.0, 4.0)}
HALVES = {SACRUM: (30.0, 22.0, 34.0), LEFT_ILIUM: (16.0, 30.0, 24.0), RIGHT_ILIUM: (16.0, 30.0, 24.0)}
"""Middle and half size in RAS mm; the ilia start 3 mm beside the sacrum."""


def motion(turn_deg: tuple[float, float, float], shift_mm: tuple[float, float, float]) -> Floats:
    """Rotation vector about the origin, then a shift."""
    return matrix_of(np.array([*turn_deg, *shift_mm]), np.zeros(3))


def grid(tilt_deg: float, spacing_mm: float, pixel_mm: float = 1.4, *, reach_mm: float = 80.0) -> Grid:
    """Slices tilted from coronal, in the reading frame, centred on the sacrum, wide enough for all bones."""
    angle = np.deg2rad(tilt_deg)
    up, back = np.array([0, np.sin(angle), np.cos(angle)]), np.array([0, -np.cos(angle), np.sin(angle)])
    axes = np.stack([np.array([-1.0, 0, 0]), up, back], 1)
    sizes = (round(2 * reach_mm / pixel_mm), round(100 / pixel_mm), round(92 / spacing_mm))
    affine = np.eye(4)
    affine[:3, :3] = axes * (pixel_mm, pixel_mm, spacing_mm)
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(sizes) - 1) / 2)
    return Grid(sizes, affine)


def labels_on(target: Grid, person: Floats, *, scale: float = 1.0, without: int = 0) -> LabelMap:
    """The boxes, moved by `person`, on `target`; `scale` makes another person of them."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in target.shape), indexing="ij"), -1).reshape(-1, 3)
    points = move(invert(person), target.world(index))
    data = np.zeros(len(points), np.uint8)
    for bone, centre in CENTRES.items():
        if bone != without:
            inside = (np.abs(points - scale * np.array(centre)) <= np.array(HALVES[bone]) * (scale, 1, scale)).all(-1)
            data[inside] = bone
    return LabelMap(data.reshape(target.shape), target, NAMES)


def joint_points() -> Floats:
    """Points of both joints, RAS mm, of a person who has not moved."""
    y, z = np.meshgrid(np.arange(-20, 21, 5.0), np.arange(-18, 19, 6.0))
    return np.concatenate([np.stack([np.full(y.size, x), y.ravel(), z.ravel()], 1) for x in (-31.5, 31.5)])
