"""Bounds that hold before anything is read: what a hostile or broken file may cost."""

from __future__ import annotations

import numpy as np

from mri_sij.errors import RefusedError

MAX_VOXELS = 2**26
"""Most voxels of one volume: 512 x 512 x 256, above any series of the sacroiliac joints."""

MAX_INFLATED_BYTES = 64 * 2**20
"""Most bytes that a deflated DICOM file may grow to."""

MAX_GROWTH = 1100
"""Most a deflate stream can grow honestly (RFC 1951 allows 1032 to 1); a larger claim is a lie."""

SIGNAL_GROWTH, LARGE_BYTES = 200, 32 * 2**20
"""Signal has noise and hardly shrinks by ten; what claims to unpack to more than LARGE_BYTES at more than SIGNAL_GROWTH
to one is a bomb (small masks shrink as far and are let through)."""

MAX_TEXT_BYTES = 2**20
"""Most bytes of a side-car or text header that are read."""


class BombError(RefusedError):
    """A file that claims, or unpacks to, far more than a scan can be."""

    code = "too_large"


def require_plausible_size(shape: tuple[int, ...], bytes_a_voxel: int, file_bytes: int, compressed: bool) -> None:
    """BombError when `shape` is more than a scan can be, or more than a file of `file_bytes` can hold."""
    voxels = int(np.prod([int(n) for n in shape], dtype=object))
    if voxels > MAX_VOXELS:
        raise BombError(f"The header declares {'x'.join(map(str, shape))} voxels, more than the limit of {MAX_VOXELS}.")
    declared = voxels * bytes_a_voxel
    if declared > file_bytes * (MAX_GROWTH if compressed else 1):
        raise BombError(
            f"The header declares {declared} bytes of voxels; a file of {file_bytes} bytes cannot hold them.",
            hint="The file is truncated or its header is damaged.",
        )
    if compressed and declared > LARGE_BYTES and declared > SIGNAL_GROWTH * file_bytes:
        raise BombError(f"The file would unpack from {file_bytes} to {declared} bytes, which no signal does.")
