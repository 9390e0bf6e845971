"""What the shape of a pelvis says of the network's maps: bone belongs where the fitted shape model has it.

The network sees some slices at a time and takes muscle, gut or ligament for bone here and there; a pelvis does not
grow a lump there. The model is fitted to the bones as first found, as they are and mirrored, so that a mirrored patient
comes out mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mri_sij.geometry import Floats, Grid
from mri_sij.interpolate import along
from mri_sij.network.maps import Maps
from mri_sij.pelvis.fit import FittedPelvis, borders_of, fit_pelvis, mirrored
from mri_sij.pelvis.mesh import Field, Lattice, fill_mesh, signed_distance
from mri_sij.pelvis.model import load_model

_STEP_MM = 2.5
_TOLERATED_MM, _FALLOFF_MM = 1.5, 1.5
_MOST_INSIDE, _MOST_OUTSIDE = 4.0, 8.0
"""Within 1.5 mm of the fitted surface the network decides alone; beyond, the odds of bone change e-fold every 1.5 mm,
by at most e^4 inside and e^-8 outside (on simulated patients anything from 1 to 3 mm and 1 to 2 mm does as well)."""
_LEAST = np.float32(0.03)
"""Least probability that the network is credited with: where it errs it is sure all the same (from 0 to 0.08 does alike
on simulated patients)."""
_END_MM, _LOWER_FROM_MM, _LOWER_TOLERATED_MM = 3.0, -20.0, 2.0


@dataclass(frozen=True, eq=False)
class Shape:
    """The model fitted to bones on `grid` (reading frame): `plain`, and `mirrored` to the mirrored bones. The frame of
    both: axes left, back, up, mm from the first voxel of `grid`."""

    grid: Grid
    plain: FittedPelvis
    mirrored: FittedPelvis

    @property
    def residual_mm(self) -> float:
        """How far the model lies from the bones: a small one is no proof, a large one means no pelvis."""
        return (self.plain.residual_mm + self.mirrored.residual_mm) / 2

    def behind_joints_mm(self, world: Floats) -> Floats:
        """How far points (n, 3), RAS mm, lie behind and above the middle of the joints in the pelvis's own frame."""
        left, up, back = (self.grid.index(world) * self.grid.spacing_mm).T
        right = (self.grid.shape[0] - 1) * self.grid.spacing_mm[0] - left
        plain = self.plain.behind_joints_mm(np.stack([left, back, up], 1))
        return (plain + self.mirrored.behind_joints_mm(np.stack([right, back, up], 1))) / 2


def fit_shape(labels: NDArray[np.uint8], grid: Grid) -> Shape | None:
    """Fit the model to `labels` (1 sacrum, 2 left, 3 right ilium) on `grid`, in the reading frame. None where a bone is
    missing."""
    spacing = grid.spacing_mm[0], grid.spacing_mm[2], grid.spacing_mm[1]
    borders = borders_of(labels.transpose(0, 2, 1), spacing)
    return None if borders is None else Shape(grid, fit_pelvis(borders), fit_pelvis(mirrored(borders)))


def held_to_shape(maps: Maps, shape: Shape) -> Maps:
    """The maps with their bones weighed by where the model has bone, classes summing to 1 as before."""
    lattice = _lattice(shape.grid)
    odds = zip(_log_odds(shape.plain, lattice), _log_odds(shape.mirrored, lattice), strict=True)
    sacrum, ilium = (
        _on_grid(np.exp((one + two[::-1]) / 2), lattice, _from_first_voxel(shape.grid, maps.grid), maps.grid)
        for one, two in odds
    )
    sacrum *= np.maximum(maps.sacrum, _LEAST)
    ilium *= np.maximum(maps.ilium, _LEAST)
    background = np.asarray(np.maximum(maps.background, _LEAST), np.float32)
    total = background + maps.lumbar
    total += sacrum
    total += ilium
    return replace(
        maps,
        background=background / total,
        lumbar=maps.lumbar / total,
        sacrum=sacrum / total,
        ilium=ilium / total,
    )


def _lattice(grid: Grid) -> Lattice:
    """Lattice over the field of view, even about its middle, so that mirroring the grid mirrors the lattice."""
    extents = [(n - 1) * mm for n, mm in zip(grid.shape, grid.spacing_mm, strict=True)]
    left, up, back = extents
    size = [int(np.ceil(extent / _STEP_MM)) + 1 for extent in (left, back, up)]
    origin = [(e - (n - 1) * _STEP_MM) / 2 for e, n in zip((left, back, up), size, strict=True)]
    return Lattice((origin[0], origin[1], origin[2]), _STEP_MM, (size[0], size[1], size[2]))


def _log_odds(fitted: FittedPelvis, lattice: Lattice) -> tuple[Field, Field]:
    """What is added to the log odds of sacrum and ilium. From S3 on, where the model ends, nothing is added to those of
    the sacrum, and further down less where it lies far from all that a lower sacrum may be."""
    sacrum, left, right = (fill_mesh(fitted.vertices(n), load_model().faces[n], lattice) for n in range(3))
    of_sacrum, of_ilium = (_added(signed_distance(m, lattice.step)) for m in (sacrum, left | right))
    points = np.stack(np.broadcast_arrays(*lattice.axes()), -1).reshape(-1, 3).astype(float)
    above = fitted.above_cut_mm(points)
    lower = np.flatnonzero(above <= _LOWER_FROM_MM)
    beyond = fitted.beyond_lower_sacrum_mm(points[lower]) - _LOWER_TOLERATED_MM
    flat = of_sacrum.reshape(-1)
    flat[above <= _END_MM] = 0
    flat[lower] = np.minimum(_added(beyond.astype(np.float32)), 0)
    return of_sacrum, of_ilium


def _added(distance_mm: Field) -> Field:
    beyond = np.sign(distance_mm) * np.maximum(np.abs(distance_mm) - _TOLERATED_MM, 0) / _FALLOFF_MM
    return np.asarray(np.clip(-beyond, -_MOST_OUTSIDE, _MOST_INSIDE), np.float32)


def _from_first_voxel(of: Grid, grid: Grid) -> Floats:
    """Place (mm along i, j, k) of the first voxel of `grid` from that of another with the same axes."""
    return np.asarray(of.index(grid.affine[:3, 3]) * of.spacing_mm)


def _on_grid(field: Field, lattice: Lattice, first_mm: Floats, grid: Grid) -> Field:
    """A field of the lattice, linearly interpolated to the voxels of the reading frame."""
    out = field.transpose(0, 2, 1)
    left, back, up = lattice.origin
    for axis, origin in ((2, back), (0, left), (1, up)):
        at = (first_mm[axis] + np.arange(grid.shape[axis]) * grid.spacing_mm[axis] - origin) / lattice.step
        out = along(out, axis, at)
    return out
