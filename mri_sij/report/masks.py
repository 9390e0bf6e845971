"""Label maps on the STIR's own grid, in its own axis order, as NIfTI."""

from __future__ import annotations

from pathlib import Path

from mri_sij.geometry import Grid
from mri_sij.ingest.nifti import write_nifti
from mri_sij.volume import LabelMap, require_same_grid


def in_native_order(labels: LabelMap, native: Grid) -> LabelMap:
    """`labels` of the reading frame at the same voxels in the axis order of `native`, the grid that was read.

    GeometryError when the two are not the same places.
    """
    back = labels.reordered(native.reading_order.inverse)
    require_same_grid(back, LabelMap(back.data, native, back.names))
    return LabelMap(back.data, native, back.names)


def write_masks(anatomy: LabelMap, oedema: LabelMap, native: Grid, out: Path) -> None:
    """Write `anatomy.nii.gz` (1 sacrum, 2 left ilium, 3 right ilium) and `oedema.nii.gz` (1 left sacrum, 2 left ilium,
    3 right sacrum, 4 right ilium) into `out`."""
    write_nifti(in_native_order(anatomy, native), out / "anatomy.nii.gz")
    write_nifti(in_native_order(oedema, native), out / "oedema.nii.gz")
