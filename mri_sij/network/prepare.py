"""From volumes to what the network is fed: its pixel, its brightness, its neighbouring slices. Training uses the same
functions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

PIXEL_MM = 1.2
"""The network's pixel in the plane; slices keep their own spacing."""

STIR_SLICES = (-6, -2, -1, 0, 1, 2, 6)
T1_SLICES = (-1, 0, 1)
CHANNELS = len(STIR_SLICES) + len(T1_SLICES)
_MULTIPLE = 16


def normalize(signal: Field) -> Field:
    """Signal relative to the median of the body, compressed: log(1 + 2 s / median). Any gain gives the same result."""
    # Counted from both sides, so that the mirrored patient has the same median.
    some = np.concatenate([signal[::3, ::3], signal[::-3, ::3]], axis=None)
    body = some[some > 0.08 * np.percentile(some, 99)]
    middle = np.median(body) if body.size else 1.0
    relative = np.clip(signal / np.float32(max(middle, 1e-6)), 0, 20)
    return np.asarray(np.log1p(relative * 2), np.float32)


def slice_by_slice(signal: Field) -> Field:
    """The same array (x, y, slices), filled up with 0 to multiples of 16 in the plane, which the network needs, and
    each slice in one piece of memory."""
    filled = [(0, 0), *((0, -n % _MULTIPLE) for n in signal.shape[:2])]
    return np.moveaxis(np.pad(np.moveaxis(signal, 2, 0), filled), 0, 2)


def neighbours(stir: Field, t1: Field | None, slice_number: int, stride: int = 1) -> Field:
    """Input channels of one slice, shape (CHANNELS, x, y), from normalized volumes (x, y, slices); the end slices are
    repeated beyond the ends, and a T1 that is not there is all 0. Neighbours are `stride` slices apart."""
    last = stir.shape[2] - 1
    parts = [stir[:, :, int(np.clip(slice_number + n * stride, 0, last))] for n in STIR_SLICES]
    for n in T1_SLICES:
        parts.append(
            np.zeros(stir.shape[:2], np.float32)
            if t1 is None
            else t1[:, :, int(np.clip(slice_number + n * stride, 0, last))]
        )
    return np.stack(parts).astype(np.float32)
