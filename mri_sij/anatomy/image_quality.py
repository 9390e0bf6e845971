"""Figures of the image itself: noise, evenness through the slices, suppression of fat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.span import Mask
from mri_sij.volume import Volume, require_same_grid

BLANK_BELOW = 0.2
"""A slice with less than this share of the stack's usual mean signal shows nothing (least on real and simulated stacks
0.74)."""
UNEVEN_FROM = 0.04
"""Brightness (log) of every other slice over or below the mean, from which that is told: 8 % between neighbours (real
stacks up to 0.011; 0.07-0.09, that is 15 % between neighbours, took 5 of 62 points)."""

_LAPLACE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_ENOUGH_VOXELS = 100
_SQUARE_MM, _BODY = 5.0, 0.1
_FAT_ML = 5.0
_FAT_OVER_BONE = 1.35
"""On T1, subcutaneous and visceral fat is brighter than marrow, which is half water (PDFF 50 %, PMID 30740910)."""


def left_right_deg(stir: Volume) -> float:
    """Angle of axis 0 of the reading frame to the patient's left: small in coronal and axial slices of any tilt."""
    return float(np.degrees(np.arccos(np.clip(-stir.grid.directions[0, 0], -1, 1))))


def shown_slices(volume: Volume) -> NDArray[np.intp]:
    """Slices (reading frame) that show something; stacks are filled up with empty ones, or all but a wedge of them."""
    level = volume.values[::4, ::4].mean((0, 1))
    usual = np.median(level[level > 0]) if (level > 0).any() else np.inf
    return np.flatnonzero(level > BLANK_BELOW * usual)


def blank_slices(volume: Volume) -> list[int]:
    """Slices (reading frame) that show nothing between others that do."""
    shown = shown_slices(volume).tolist()
    return sorted(set(range(shown[0], shown[-1])) - set(shown)) if shown else []


def alternation(stir: Volume) -> float:
    """By how much (log) every other slice of the body is brighter than the mean of both kinds: 0 where slices did not
    disturb each other. Median over the slices of how each stands out from its two neighbours."""
    signal, _ = means_of_squares(stir, _SQUARE_MM)
    body = signal > _BODY * np.percentile(signal, 99)
    log = np.log(np.where(body, signal, 1))
    inside = body[:, :, 1:-1] & body[:, :, :-2] & body[:, :, 2:]
    stands_out = log[:, :, 1:-1] - (log[:, :, :-2] + log[:, :, 2:]) / 2
    each = [
        (-1) ** k * float(np.median(stands_out[:, :, k][inside[:, :, k]]))
        for k in range(inside.shape[2])
        if inside[:, :, k].any()
    ]
    return abs(float(np.median(each))) / 2 if each else 0.0


def means_of_squares(volume: Volume, side_mm: float) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Mean signal of squares in the plane, shape (x, y, slices), and how many voxels their sides are."""
    n, m = (max(1, round(side_mm / mm)) for mm in volume.grid.spacing_mm[:2])
    x, y = volume.grid.shape[0] // n, volume.grid.shape[1] // m
    return volume.values[: x * n, : y * m].reshape(x, n, y, m, -1).mean((1, 3)), (n, m)


def signal_to_noise(stir: Volume, bone: Mask) -> float | None:
    """Median signal of bone over the noise inside it (Immerkaer 1996: Laplacian mask, here with a robust spread).

    None with too little bone, or without any noise: no image then. Where whole numbers hide the noise of half of the
    voxels (denoised images, few grey levels), its mean size is taken instead of the median.
    """
    inner = _eroded(bone, 2)
    chosen = inner if inner.sum() > _ENOUGH_VOXELS else bone
    if chosen.sum() < _ENOUGH_VOXELS:
        return None
    box = tuple(slice(max(b.start - 1, 0), b.stop + 1) for b in ndi.find_objects(chosen.astype(np.uint8))[0][:2])
    rough = np.abs(ndi.convolve(stir.values[box], _LAPLACE[:, :, None]))[chosen[box]]
    noise = (float(np.median(rough)) / 0.6745 or float(rough.mean()) / 0.7979) / 6
    return float(np.median(stir.values[chosen]) / noise) if noise > 0 else None


def homogeneity(stir: Volume, bone: Mask) -> float | None:
    """Brightest over darkest slice, by the lower quartile of bone, which oedema hardly moves."""
    levels = []
    for k in range(stir.grid.shape[2]):
        inside = stir.values[:, :, k][bone[:, :, k]]
        if inside.size >= _ENOUGH_VOXELS:
            levels.append(float(np.percentile(inside, 25)))
    return max(levels) / max(min(levels), 1e-6 * max(levels)) if levels and max(levels) > 0 else None


def fat_ratio(stir: Volume, t1: Volume, bone: Mask) -> float | None:
    """STIR signal of fat (bright on T1, outside bone) over that of bone; None where too little is seen of either."""
    grid = require_same_grid(stir, t1)
    if bone.sum() < _ENOUGH_VOXELS:
        return None
    level = float(np.median(t1.values[bone]))
    fat = (t1.values > _FAT_OVER_BONE * level) & ~bone
    fat = _eroded(fat, 1)
    if fat.sum() * grid.voxel_ml < _FAT_ML:
        return None
    of_bone = float(np.median(stir.values[bone]))
    return float(np.median(stir.values[fat]) / of_bone) if of_bone > 0 else None


def _eroded(mask: Mask, by: int) -> Mask:
    """A mask without `by` voxels at its border in the plane; SciPy's erosion takes ten times as long."""
    for axis in (0, 1):
        padded = np.pad(mask, [(by, by) if n == axis else (0, 0) for n in range(3)])
        moved = [np.take(padded, range(n, n + mask.shape[axis]), axis) for n in range(2 * by + 1)]
        mask = np.logical_and.reduce(moved)
    return np.asarray(mask)
