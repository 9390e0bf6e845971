"""A bone of a label map as a surface that two visits can be laid on: points on it, and a field of distances to it.

Slices are 3-5 mm apart, so the surface between two slices is that of shape-based interpolation (Raya and Udupa 1990):
signed distances within each slice, interpolated linearly from slice to slice. Where the field of view cuts a bone
there is no surface.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.labels import NAMES, SACRUM
from mri_sij.geometry import Floats, Grid
from mri_sij.volume import LabelMap

Field = NDArray[np.float32]

STEP_MM = 1.5
_PLANE_STEP_MM = 1.0
_REACH_MM = 30.0
_LEAST_VOXELS = 200


@dataclass(frozen=True, eq=False)
class Surface:
    """Signed distance in mm (negative inside) on a lattice of about `STEP_MM`, and points (n, 3) RAS mm of the surface.

    `facing` marks the points of the joint: those within 10 mm of the bone on the other side.
    """

    distance_mm: Field
    grid: Grid
    points: Floats
    facing: NDArray[np.bool_]

    def at(self, world: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Signed distance in mm at RAS points (n, 3), and which of them lie inside the field of view."""
        index = self.grid.index(world).T
        last = np.array(self.grid.shape)[:, None] - 1
        seen = ((index >= 0) & (index <= last)).all(0)
        found = ndi.map_coordinates(self.distance_mm, index, order=1, mode="nearest", output=np.float64)
        return np.asarray(found), np.asarray(seen)


def find_surfaces(labels: LabelMap) -> dict[int, Surface]:
    """The surface of each bone, by label, in a map whose last axis runs through the slices; absent bones are left
    out."""
    fields, grid = {}, labels.grid
    for bone in NAMES:
        mask = labels.data == bone
        if mask.sum() >= _LEAST_VOXELS:
            fields[bone], grid = _distance(mask, labels.grid)
    return {bone: _surface(bone, fields, grid) for bone in fields}


def _distance(mask: NDArray[np.bool_], grid: Grid) -> tuple[Field, Grid]:
    """Signed distance (mm) on the lattice of `STEP_MM` that spans the voxel centres of `grid`."""
    spacing = np.array(grid.spacing_mm)
    every = np.maximum(np.round(_PLANE_STEP_MM / spacing[:2]).astype(int), 1)
    plane = mask[:: every[0], :: every[1]]
    thin = spacing * (every[0], every[1], 1)
    per_slice = np.stack([_in_plane(plane[:, :, k], thin[:2]) for k in range(mask.shape[2])], -1)
    shape = np.maximum(np.floor((np.array(plane.shape) - 1) * thin / STEP_MM).astype(int) + 1, 2)
    fine = _interpolate(per_slice, thin, shape)
    inside = fine < 0
    distance = ndi.distance_transform_edt(~inside, sampling=STEP_MM) - ndi.distance_transform_edt(
        inside, sampling=STEP_MM
    )
    distance = distance - np.sign(distance) * (STEP_MM / 2)
    # Next to the surface the interpolated field places it more finely than whole voxels do.
    slope = np.linalg.norm(np.gradient(fine, STEP_MM), axis=0)
    finer = fine / np.clip(slope, 0.5, None)
    distance = np.where(np.abs(distance) < 1.5 * STEP_MM, np.clip(finer, -2 * STEP_MM, 2 * STEP_MM), distance)
    affine = np.eye(4)
    affine[:3, :3] = grid.directions * STEP_MM
    affine[:3, 3] = grid.affine[:3, 3]
    smooth = ndi.gaussian_filter(np.clip(distance, -_REACH_MM, _REACH_MM).astype(np.float32), 0.5)
    return smooth, Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine)


def _in_plane(mask: NDArray[np.bool_], spacing: Floats) -> Field:
    if not mask.any():
        return np.full(mask.shape, _REACH_MM, np.float32)
    if mask.all():
        return np.full(mask.shape, -_REACH_MM, np.float32)
    out = ndi.distance_transform_edt(~mask, sampling=spacing)
    inside = ndi.distance_transform_edt(mask, sampling=spacing)
    half = float(spacing.mean()) / 2
    return np.clip(np.where(mask, half - inside, out - half), -_REACH_MM, _REACH_MM).astype(np.float32)


def _interpolate(field: Field, spacing: Floats, shape: NDArray[np.int64]) -> Field:
    zoomed = field
    for axis in (2, 0, 1):
        at = np.arange(shape[axis]) * STEP_MM / spacing[axis]
        below = np.clip(at.astype(int), 0, field.shape[axis] - 2) if field.shape[axis] > 1 else np.zeros(len(at), int)
        part = (at - below).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        above = np.minimum(below + 1, field.shape[axis] - 1)
        zoomed = np.take(zoomed, below, axis) * (1 - part) + np.take(zoomed, above, axis) * part
    return np.asarray(zoomed, np.float32)


def _surface(bone: int, fields: dict[int, Field], grid: Grid) -> Surface:
    """Where neighbouring lattice points change sign, placed between them in proportion to their distances."""
    field = fields[bone]
    crossings = []
    for axis in range(3):
        low = np.moveaxis(field, axis, 0)[:-1]
        high = np.moveaxis(field, axis, 0)[1:]
        found = np.argwhere((low < 0) != (high < 0))
        a, b = low[tuple(found.T)], high[tuple(found.T)]
        place = found.astype(np.float64)
        place[:, 0] += a / (a - b)
        crossings.append(np.insert(place[:, 1:], axis, place[:, 0], axis=1))
    index = np.concatenate(crossings)
    near = np.full(len(index), _REACH_MM)
    for other, distance in fields.items():
        if other != bone and SACRUM in (other, bone):
            near = np.minimum(near, ndi.map_coordinates(distance, index.T, order=1, mode="nearest"))
    return Surface(field, grid, grid.world(index), near < 10.0)
