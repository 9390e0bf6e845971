"""Averages over bone alone, so that what lies beyond the cortex does not colour them."""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from mri_sij.anatomy.span import Mask
from mri_sij.interpolate import along
from mri_sij.lesions.search import Field


def average_over_bone(values: Field, bone: Mask, pixel_mm: tuple[float, float], scale_mm: float) -> Field:
    """Gaussian average (standard deviation `scale_mm`) over `bone` in the plane; coarse ones on a coarser lattice."""
    step = max(1, int(scale_mm / (2.0 * max(pixel_mm))))
    weight = _binned(bone.astype(np.float32), step)
    total = _binned(np.where(bone, values, 0).astype(np.float32), step)
    sigma = (scale_mm / (pixel_mm[0] * step), scale_mm / (pixel_mm[1] * step), 0.0)
    smooth, share = (ndi.gaussian_filter(a, sigma, truncate=3.0) for a in (total, weight))
    mean: Field = np.asarray(smooth / np.maximum(share, 1e-3), np.float32)
    return mean if step == 1 else _spread(mean, step, values.shape)


def _binned(values: Field, step: int) -> Field:
    """Means of squares of `step` voxels in the plane; the ends are filled up with 0."""
    if step == 1:
        return values
    x, y = (-n % step for n in values.shape[:2])
    full = np.pad(values, ((0, x), (0, y), (0, 0)))
    shape = (full.shape[0] // step, step, full.shape[1] // step, step, full.shape[2])
    return np.asarray(full.reshape(shape).mean((1, 3)), np.float32)


def _spread(coarse: Field, step: int, shape: tuple[int, ...]) -> Field:
    """Linear interpolation of squares' means back to voxels."""
    for axis in (0, 1):
        coarse = along(coarse, axis, (np.arange(shape[axis]) + 0.5) / step - 0.5)
    return coarse
