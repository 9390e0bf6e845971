"""Label maps on the STIR's own grid, in its own axis order, as they are written out."""

from __future__ import annotations

from mri_sij.geometry import Grid
from mri_sij.volume import LabelMap, require_same_grid


def in_native_order(labels: LabelMap, native: Grid) -> LabelMap:
    """`labels` of the reading frame at the same voxels in the axis order of `native`, the grid that was read.

    GeometryError when the two are not the same places.
    """
    back = labels.reordered(native.reading_order.inverse)
    require_same_grid(back, LabelMap(back.data, native, back.names))
    return LabelMap(back.data, native, back.names)
