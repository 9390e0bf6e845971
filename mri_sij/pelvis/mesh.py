"""Triangle meshes to masks and signed distances on a lattice.

Signed distances are in mm, negative inside. Arrays are indexed (x, y, z) on a `Lattice`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.pelvis.model import Floats, Ints

Field = NDArray[np.float32]

_SMOOTH_VOXELS = 0.8


@dataclass(frozen=True)
class Lattice:
    """A regular lattice: `origin` (x, y, z) mm of voxel (0, 0, 0), `step` mm, `shape` voxels."""

    origin: tuple[float, float, float]
    step: float
    shape: tuple[int, int, int]

    def axes(self) -> tuple[Field, Field, Field]:
        """Coordinates along x, y, z, shaped to broadcast against a field."""
        x, y, z = (
            np.float32(o) + np.float32(self.step) * np.arange(n, dtype=np.float32)
            for o, n in zip(self.origin, self.shape, strict=True)
        )
        return x[:, None, None], y[None, :, None], z[None, None, :]

    def index(self, points: Floats) -> Floats:
        """Fractional voxel indices of points (..., 3) in mm."""
        return np.asarray((points - np.array(self.origin)) / self.step)


def fill_mesh(vertices: Floats, faces: Ints, lattice: Lattice) -> NDArray[np.bool_]:
    """Voxels inside a closed mesh, by the parity of crossings along rays in z."""
    tri = lattice.index(vertices)[faces]
    low = np.ceil(tri[:, :, :2].min(1)).astype(int)
    span = np.floor(tri[:, :, :2].max(1)).astype(int) - low + 1
    crossings = np.zeros(lattice.shape, np.uint8)
    nx, ny, nz = lattice.shape
    for dx in range(int(span[:, 0].max())):
        for dy in range(int(span[:, 1].max())):
            reached = np.flatnonzero((span[:, 0] > dx) & (span[:, 1] > dy))
            (ax, ay, az), (bx, by, bz), (cx, cy, cz) = (tri[reached, n].T for n in range(3))
            area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
            area = np.where(np.abs(area) < 1e-12, 1e-12, area)
            ix, iy = low[reached, 0] + dx, low[reached, 1] + dy
            # A ray is moved off the lattice by a hair so that it never meets an edge shared by two triangles.
            px, py = ix + 1.234e-5, iy + 2.345e-5
            u = ((px - ax) * (cy - ay) - (cx - ax) * (py - ay)) / area
            v = ((bx - ax) * (py - ay) - (px - ax) * (by - ay)) / area
            iz = np.ceil(az + u * (bz - az) + v * (cz - az)).astype(int)
            hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (ix >= 0) & (iy >= 0) & (ix < nx) & (iy < ny) & (iz < nz)
            np.add.at(crossings, (ix[hit], iy[hit], np.maximum(iz[hit], 0)), 1)
    inside = np.cumsum(crossings, axis=2, dtype=np.uint16) % 2 == 1
    # A ray that grazes the surface may count a crossing once too often; its neighbours vote for it.
    for ix, iy in np.argwhere(inside[:, :, -1]):
        around = inside[max(ix - 1, 0) : ix + 2, max(iy - 1, 0) : iy + 2]
        votes = around & ~around[:, :, -1:]
        inside[ix, iy] = votes.sum((0, 1)) * 2 > (~around[:, :, -1]).sum()
    return np.asarray(inside)


def signed_distance(inside: NDArray[np.bool_], step: float) -> Field:
    """Signed distance in mm to the border of a mask, smoothed so that its zero level has no stairs."""
    distance = _distance_to(inside) - _distance_to(~inside)
    distance -= np.sign(distance) * np.float32(0.5)
    return np.asarray(ndi.gaussian_filter(distance, _SMOOTH_VOXELS) * np.float32(step))


def _distance_to(mask: NDArray[np.bool_]) -> Field:
    """Distance in voxels to the nearest voxel of `mask`, 0 in it; several times faster than SciPy's."""
    import SimpleITK as sitk  # noqa: PLC0415 - slow to import

    signed = sitk.SignedMaurerDistanceMap(sitk.GetImageFromArray(mask.astype(np.uint8)), False, False, False, 0.0)
    return np.asarray(np.maximum(sitk.GetArrayViewFromImage(signed), 0), np.float32)
