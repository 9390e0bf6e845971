"""From volumes to what the network is fed: its pixel, its brightness, its neighbouring slices. Training uses the same
functions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.interpolate import along

Field = NDArray[np.float32]

PIXEL_MM = 1.2
"""The network's pixel in the plane; slices keep their own spacing."""

STIR_SLICES = (-6, -2, -1, 0, 1, 2, 6)
T1_SLICES = (-1, 0, 1)
CHANNELS = len(STIR_SLICES) + len(T1_SLICES)
_MULTIPLE = 16


def to_pixel(signal: Field, spacing_mm: tuple[float, float, float]) -> Field:
    """Resample in the plane to the network's pixel, smoothed first where pixels are smaller."""
    ratio = [PIXEL_MM / s for s in spacing_mm[:2]]
    sigma = [0.4 * np.sqrt(max(r**2 - 1, 0)) for r in ratio]
    smooth = ndi.gaussian_filter(signal, (*sigma, 0), truncate=3.0) if max(sigma) > 0.1 else signal
    size = [max(1, round(n / r)) for n, r in zip(signal.shape, ratio, strict=False)]
    return resized(smooth, (size[0], size[1], signal.shape[2]))


def resized(array: Field, shape: tuple[int, int, int]) -> Field:
    """Linear interpolation in the plane to `shape`, the edges of the field of view kept in place."""
    for axis in (0, 1):
        n, m = array.shape[axis], shape[axis]
        if n != m:
            array = along(array, axis, (np.arange(m) + 0.5) * n / m - 0.5)
    return array


def normalize(signal: Field) -> Field:
    """Signal relative to the median of the body, compressed: log(1 + 2 s / median). Any gain gives the same result."""
    # Counted from both sides, so that the mirrored patient has the same median.
    some = np.concatenate([signal[::3, ::3], signal[::-3, ::3]], axis=None)
    body = some[some > 0.08 * np.percentile(some, 99)]
    middle = np.float32(np.median(body)) if body.size else np.float32(0)
    relative = np.clip(signal / (middle if middle > 0 else np.float32(1)), 0, 20)
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
