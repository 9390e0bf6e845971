"""Voxels with their place: `Volume` (signal) and `LabelMap` (whole numbers), read-only, combined on equal grids
only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mri_sij.errors import GeometryError
from mri_sij.geometry import AxisOrder, Grid


def _frozen(array: NDArray[np.generic], grid: Grid) -> NDArray[np.generic]:
    if array.shape != grid.shape:
        raise GeometryError(f"The array has shape {array.shape}, its grid {grid.shape}.")
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


def require_same_grid(*items: Volume | LabelMap) -> Grid:
    """The grid that all `items` share; GeometryError when they lie on different ones."""
    first = items[0].grid
    for other in items[1:]:
        if not first.same_as(other.grid):
            raise GeometryError(
                f"Two volumes lie on different grids: {first.shape} and {other.grid.shape} voxels.",
                hint="Resample one onto the other first.",
            )
    return first


@dataclass(frozen=True, eq=False)
class Volume:
    """Signal on a grid: `data` of the grid's shape, real numbers, finite, read-only."""

    data: NDArray[np.generic]
    grid: Grid

    def __post_init__(self) -> None:
        if not np.issubdtype(self.data.dtype, np.floating) and not np.issubdtype(self.data.dtype, np.integer):
            raise GeometryError(f"Voxels must be real numbers, not {self.data.dtype}.")
        if np.issubdtype(self.data.dtype, np.floating) and not np.isfinite(self.data).all():
            raise GeometryError("The volume has NaN or infinite voxels.", hint="Export the series again.")
        object.__setattr__(self, "data", _frozen(self.data, self.grid))

    @property
    def values(self) -> NDArray[np.float32]:
        """The voxels as float32."""
        return self.data.astype(np.float32, copy=False)

    def reordered(self, order: AxisOrder) -> Volume:
        """The same voxels in the same places under another axis order."""
        return Volume(np.ascontiguousarray(order.apply(self.data)), self.grid.reordered(order))


@dataclass(frozen=True, eq=False)
class LabelMap:
    """Whole-number labels on a grid (uint8, read-only) with the name of each label above 0."""

    data: NDArray[np.uint8]
    grid: Grid
    names: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.data.dtype != np.uint8:
            raise GeometryError(f"Labels must be uint8, not {self.data.dtype}.")
        nameless = set(range(1, int(self.data.max(initial=0)) + 1)) - set(self.names)
        unknown = [n for n in sorted(nameless) if (self.data == n).any()]
        if unknown:
            raise GeometryError(f"The label map holds labels {unknown} that have no name.")
        object.__setattr__(self, "data", _frozen(self.data, self.grid))
        object.__setattr__(self, "names", MappingProxyType(dict(self.names)))

    def mask(self, *labels: int) -> NDArray[np.bool_]:
        """Where any of `labels` is."""
        return np.isin(self.data, labels)

    def reordered(self, order: AxisOrder) -> LabelMap:
        """The same labels in the same places under another axis order."""
        return LabelMap(np.ascontiguousarray(order.apply(self.data)), self.grid.reordered(order), self.names)
