"""Where voxels are: RAS+ millimetres everywhere inside the package, LPS only at the edge (DICOM, SimpleITK).

A `Grid` that exists is valid. Voxel (i, j, k) lies at ``affine @ (i, j, k, 1)``; the centre of a voxel, not its
corner, is at whole indices (the convention of NIfTI-1 and of DICOM PS3.3 C.7.6.2.1.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mri_sij.errors import GeometryError

Floats = NDArray[np.float64]

SAME_GRID_TOLERANCE_MM = 1e-2
"""Two grids are one when no corner voxel differs by more: below every scanner's own rounding of positions."""

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""The one matrix between DICOM's LPS and our RAS; it is its own inverse."""

_MIN_DETERMINANT_MM3 = 1e-9


@dataclass(frozen=True)
class AxisOrder:
    """A lossless reordering of array axes: new axis n is old axis `axes[n]`, reversed where `flips[n]`."""

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def apply(self, array: NDArray[np.generic]) -> NDArray[np.generic]:
        """Reorder the first three axes of `array`; a view."""
        rest = tuple(range(3, array.ndim))
        moved = array.transpose(*self.axes, *rest)
        return moved[tuple(slice(None, None, -1) if flip else slice(None) for flip in self.flips)]

    @property
    def inverse(self) -> AxisOrder:
        """The order that undoes this one."""
        back = [0, 0, 0]
        flips = [False, False, False]
        for new, old in enumerate(self.axes):
            back[old], flips[old] = new, self.flips[new]
        return AxisOrder((back[0], back[1], back[2]), (flips[0], flips[1], flips[2]))


@dataclass(frozen=True, eq=False)
class Grid:
    """Shape and place of a volume: `shape` (i, j, k) and a 4x4 `affine` from voxel index to RAS+ mm."""

    shape: tuple[int, int, int]
    affine: Floats

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        affine = np.array(self.affine, dtype=np.float64)
        if len(shape) != 3 or min(shape) < 1:
            raise GeometryError(f"A volume needs three axes of at least one voxel; its shape is {shape}.")
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise GeometryError("The affine is not a finite 4x4 matrix.", hint="The header's geometry is damaged.")
        if not np.allclose(affine[3], (0, 0, 0, 1), atol=1e-6):
            raise GeometryError(f"The last row of the affine is {affine[3].tolist()}, expected 0 0 0 1.")
        if abs(np.linalg.det(affine[:3, :3])) < _MIN_DETERMINANT_MM3:
            raise GeometryError("The affine is singular: its axes do not span space.", hint="The header is damaged.")
        affine.flags.writeable = False
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "affine", affine)

    @cached_property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres along i, j and k."""
        i, j, k = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(i), float(j), float(k)

    @cached_property
    def directions(self) -> Floats:
        """Unit vectors (columns) along i, j and k in RAS."""
        return np.asarray(self.affine[:3, :3] / np.asarray(self.spacing_mm))

    @cached_property
    def voxel_ml(self) -> float:
        """Volume of a voxel in millilitres."""
        return float(abs(np.linalg.det(self.affine[:3, :3])) / 1000.0)

    def world(self, index: NDArray[np.floating] | NDArray[np.integer]) -> Floats:
        """RAS mm of voxel indices, shape (..., 3) to (..., 3)."""
        return np.asarray(np.asarray(index, float) @ self.affine[:3, :3].T + self.affine[:3, 3])

    def index(self, world: NDArray[np.floating]) -> Floats:
        """Voxel indices (fractional) of RAS mm, shape (..., 3) to (..., 3)."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(np.asarray(world, float) @ inverse[:3, :3].T + inverse[:3, 3])

    @cached_property
    def corners(self) -> Floats:
        """RAS mm of the eight corner voxels' centres, shape (8, 3)."""
        ends = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
        return self.world(ends * (np.array(self.shape) - 1))

    def same_as(self, other: Grid, tolerance_mm: float = SAME_GRID_TOLERANCE_MM) -> bool:
        """Same shape, and no corner further away than `tolerance_mm`."""
        return self.shape == other.shape and bool(np.abs(self.corners - other.corners).max() <= tolerance_mm)

    @cached_property
    def slice_axis(self) -> int:
        """The axis that slices were stacked along: the one of clearly (1.2 times) greatest spacing, else the last."""
        order = np.argsort(self.spacing_mm)
        return int(order[2]) if self.spacing_mm[order[2]] > 1.2 * self.spacing_mm[order[1]] else 2

    @cached_property
    def reading_order(self) -> AxisOrder:
        """How to reorder axes into the reading frame in which anatomy and lesions are worked out.

        Axis 0 goes to the patient's left, axis 1 up the image (cranial in coronal and oblique coronal slices,
        anterior in axial ones), axis 2 through the slices (anterior to posterior, or caudal to cranial). Decided
        by the affine alone, so that any of the 48 axis orders and signs of one scan give the same arrays.
        """
        k = self.slice_axis
        in_plane = [axis for axis in range(3) if axis != k]
        i = max(in_plane, key=lambda axis: abs(self.directions[0, axis]))
        j = next(axis for axis in in_plane if axis != i)
        toward = {i: (-1.0, 0.0, 0.0), j: (0.0, 1.0, 1.0), k: (0.0, -1.0, 1.0)}
        axes = (i, j, k)
        i_flip, j_flip, k_flip = (float(self.directions[:, axis] @ np.array(toward[axis])) < 0 for axis in axes)
        return AxisOrder(axes, (i_flip, j_flip, k_flip))

    def native_slice(self, k: int) -> int:
        """Number on this grid's own slice axis of slice `k` of its reading frame, and the other way round."""
        order = self.reading_order
        return self.shape[order.axes[2]] - 1 - k if order.flips[2] else k

    def reordered(self, order: AxisOrder) -> Grid:
        """The same places under reordered axes."""
        shape = tuple(self.shape[a] for a in order.axes)
        matrix = np.zeros((4, 4))
        matrix[3, 3] = 1
        for new, old in enumerate(order.axes):
            matrix[old, new] = -1 if order.flips[new] else 1
            matrix[old, 3] = self.shape[old] - 1 if order.flips[new] else 0
        return Grid((shape[0], shape[1], shape[2]), self.affine @ matrix)
