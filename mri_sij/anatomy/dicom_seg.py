"""Label numbers of a DICOM SEG, read with highdicom (extra `dicom-out`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mri_sij.errors import RefusedError, UsageError
from mri_sij.geometry import LPS_TO_RAS, Grid
from mri_sij.volume import Volume


class SegError(RefusedError):
    """A DICOM SEG that is no regular stack, holds overlapping segments, or is damaged."""

    code = "dicom_seg"


def read_seg(path: Path) -> Volume:
    """Segment numbers (0 where there is none) as a volume on the grid that the SEG states."""
    try:
        import highdicom as hd  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise UsageError("Reading DICOM SEG needs highdicom.", hint="In a clone: pip install '.[dicom-out]'") from error
    try:
        volume = hd.seg.segread(path).get_volume(combine_segments=True, dtype=np.uint8)
    except Exception as error:  # highdicom and pydicom raise many types on files that they do not take
        raise SegError(
            f"The masks cannot be read as a DICOM SEG ({type(error).__name__}).",
            hint="Regular slices and segments that do not overlap are needed.",
            files=(path.name,),
        ) from error
    data = np.ascontiguousarray(volume.array)
    return Volume(data, Grid((data.shape[0], data.shape[1], data.shape[2]), LPS_TO_RAS @ volume.affine))
