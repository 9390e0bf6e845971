"""A volume's signal at the voxels of another grid."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri_sij.geometry import Floats, Grid
from mri_sij.volume import Volume

Interpolation = Literal["linear", "nearest"]
_ORDER: dict[Interpolation, Literal[0, 1]] = {"nearest": 0, "linear": 1}

EDGE_SLACK_VOXELS = 1e-3
"""A place this far outside the outermost voxel centres still counts as inside: rounding of affines, nothing more."""


def resample(volume: Volume, grid: Grid, *, interpolation: Interpolation = "linear", outside: float = 0.0) -> Volume:
    """`volume` at the voxel centres of `grid`, float32; `outside` where those lie beyond the outermost voxel centres.

    The same grid, also where `grid` is its reading order, gives the same voxels, untouched. Integers stay exact under
    "nearest".
    """
    if volume.grid.same_as(grid, tolerance_mm=1e-6):
        return Volume(volume.values, grid)
    order = volume.grid.reading_order
    if volume.grid.reordered(order).same_as(grid, tolerance_mm=1e-6):
        return Volume(volume.reordered(order).values, grid)
    total = np.linalg.inv(volume.grid.affine) @ grid.affine
    matrix, offset = total[:3, :3], total[:3, 3]
    # "nearest" at the edge, then masked: map_coordinates' "constant" would blend the outermost half voxel with 0.
    data = ndimage.affine_transform(
        volume.values, matrix, offset, output_shape=grid.shape, order=_ORDER[interpolation], mode="nearest"
    )
    data[~_inside(volume.grid, matrix, offset, grid)] = outside
    return Volume(data, grid)


def overlap_fraction(grid: Grid, other: Grid) -> float:
    """Share of `grid`'s voxels, 0 to 1, that lie inside `other`'s outermost voxel borders."""
    steps = [np.linspace(0, n - 1, min(n, 24)) for n in grid.shape]
    points = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1)
    index = other.index(grid.world(points))
    return float(((index >= -0.5) & (index <= np.array(other.shape) - 0.5)).all(axis=-1).mean())


def _inside(source: Grid, matrix: Floats, offset: Floats, grid: Grid) -> NDArray[np.bool_]:
    inside = np.ones(grid.shape, bool)
    i, j, k = (np.arange(n, dtype=float) for n in grid.shape)
    for axis, size in enumerate(source.shape):
        index = (
            offset[axis]
            + matrix[axis, 0] * i[:, None, None]
            + matrix[axis, 1] * j[None, :, None]
            + matrix[axis, 2] * k[None, None, :]
        )
        inside &= (index >= -EDGE_SLACK_VOXELS) & (index <= size - 1 + EDGE_SLACK_VOXELS)
    return inside
