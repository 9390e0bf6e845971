"""Is a volume that a reader returned one of those that are really there?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from awkward import Made, Truth

from mri_sij.errors import RefusedError
from mri_sij.ingest.discover import index
from mri_sij.ingest.read import read_series_volume

CORNER_TOLERANCE_MM = 0.05
"""Positions in the made headers have nine digits, or two decimals where a case rounds them."""

Found = tuple[np.ndarray, np.ndarray]


def is_same(found: Found, truth: Truth) -> bool:
    """Whether data and affine (RAS) put the same values at the same places as the truth, in whatever axis order."""
    data, affine = found
    if sorted(data.shape) != sorted(truth.data.shape):
        return False
    matrix = np.linalg.inv(truth.affine) @ affine
    turned = np.rint(matrix)
    corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    corners = corners * [*(np.array(data.shape) - 1), 1]
    off = np.abs((affine @ corners.T) - (truth.affine @ turned @ corners.T)).max()
    if off > CORNER_TOLERANCE_MM or not np.array_equal(np.abs(turned[:3, :3]).sum(axis=0), [1, 1, 1]):
        return False
    index_ = np.indices(data.shape).reshape(3, -1)
    there = (turned[:3, :3] @ index_ + turned[:3, 3:]).astype(int)
    if there.min() < 0 or (there.max(axis=1) >= truth.data.shape).any():
        return False
    return bool(np.allclose(data.ravel(), truth.data[tuple(there)], rtol=1e-5, atol=1e-3))


def verdict(found: list[Found], made: Made) -> str:
    """ "right" (all there, nothing else), "part" (only true volumes, not all), "WRONG", or "nothing"."""
    if not found:
        return "nothing"
    matched = [next((n for n, truth in enumerate(made.truths) if is_same(one, truth)), None) for one in found]
    if None in matched:
        return "WRONG"
    return "right" if len(set(matched)) == len(made.truths) else "part"


def ours(folder: Path) -> tuple[list[Found], list[str]]:
    """Every volume that mri_sij reads from a folder, and the codes of its refusals."""
    found, codes = [], []
    listed = index(folder)
    codes += [item.code for item in listed.refused if item.code not in ("not_an_image", "empty_file")]
    for series in listed.series:
        for volume in series.volumes:
            try:
                image, _ = read_series_volume(volume)
            except RefusedError as error:
                codes.append(error.code)
            else:
                found.append((np.asarray(image.data), image.grid.affine))
    return found, codes
