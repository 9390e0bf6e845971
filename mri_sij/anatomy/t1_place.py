"""Does the T1 lie on the STIR, and does it show the joints? Headers say so even where the patient moved between the
two; the images do not."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from mri_sij.anatomy.image_quality import means_of_squares
from mri_sij.evidence import Reason
from mri_sij.network.prepare import normalize
from mri_sij.volume import Volume, require_same_grid

Move = tuple[int, int, int]

MOST_OFF_MM = 3.0
"""A T1 that lies further off is of no use (real pairs 0.3-0.8 mm; 5 mm cost points, and half the joint's width)."""

MOST_UNSEEN = 0.02
"""Share of the bone beside the joints of which a T1 may show nothing, where 0 is read as dark tissue: real pairs 0; a
T1 without its front third (6 and 33 % of that bone) took totals of 12 to 0 and of 61 to 66."""

_PIXEL_MM, _REACH_MM = 2.4, 14.0
_SHADES, _SHADES_A_UNIT = 32, 8.5
_CLIMBS = 6


def misplaced(stir: Volume, t1: Volume) -> tuple[Reason, ...]:
    """Why the T1 (on the STIR's grid, reading frame) cannot be held against the STIR, or nothing where it can."""
    off = offset_mm(stir, t1)
    distance_mm = float(np.linalg.norm(off))
    if distance_mm <= MOST_OFF_MM:
        return ()
    across, up, through = (f"{abs(mm):.0f} mm" for mm in off)
    text = (
        f"What the T1 shows lies {distance_mm:.0f} mm off the STIR ({across} left-right, {up} up or down the image, "
        f"{through} through the slices), expected at most {MOST_OFF_MM:g}: the patient moved, a header is wrong, or "
        "the T1 shows next to nothing. The T1 was left out."
    )
    return (Reason("t1_off", text),)


def unseen(t1: Volume, bone: NDArray[np.bool_]) -> tuple[Reason, ...]:
    """Why the T1 (on the grid of `bone`) cannot be held against the STIR there, or nothing where it shows that bone."""
    share = float((t1.values[bone] <= 0).mean()) if bone.any() else 0.0
    if share <= MOST_UNSEEN:
        return ()
    text = (
        f"The T1 shows nothing of {share:.0%} of the bone beside the joints, expected at most {MOST_UNSEEN:.0%}: it "
        "covers a part of the STIR only. The T1 was left out."
    )
    return (Reason("t1_partial", text),)


def offset_mm(stir: Volume, t1: Volume) -> tuple[float, float, float]:
    """How far what the T1 shows lies to the left, up and behind what the STIR shows (mm, reading frame, one grid).

    The greatest normalised mutual information (Studholme 1999) of both, climbed to by voxels of 2.4 mm and slices,
    then between them; at most 14 mm, or a quarter of the stack, either way. Up and back are looked through together:
    along bones that lie askew to the slices, a move in one of them makes up for part of the other.
    """
    grid = require_same_grid(stir, t1)
    (fixed, step), (moving, _) = _shades(stir), _shades(t1)
    voxel_mm = np.array([*step, 1]) * grid.spacing_mm
    reach = np.minimum(np.ceil(_REACH_MM / voxel_mm), np.array(fixed.shape) // 4).astype(int)
    # The same part of the STIR is held against the T1 in every place, every other column of it, which is enough.
    size = fixed.shape - 2 * reach
    inner = fixed[tuple(slice(r, r + n) for r, n in zip(reach, size, strict=True))][::2] * _SHADES

    @cache
    def shared(move: Move) -> float:
        there = moving[tuple(slice(r + m, r + m + n) for r, m, n in zip(reach, move, size, strict=True))][::2]
        return _shared_information(inner + there)

    left, up, back = (range(-r, r + 1) for r in reach.tolist())
    here: Move = (0, 0, 0)
    for _ in range(_CLIMBS):
        across = [(n, here[1], here[2]) for n in left]
        best = max([*across, *((here[0], n, m) for n in up for m in back)], key=shared)
        if shared(best) <= shared(here):
            break
        here = best
    off = np.array(here, float)
    for axis in np.flatnonzero(np.abs(here) < reach).tolist():
        below, at, above = (shared(_moved(here, axis, here[axis] + n)) for n in (-1, 0, 1))
        if below + above < 2 * at:
            off[axis] += (below - above) / (below - 2 * at + above) / 2
    x, y, z = off * voxel_mm
    return float(x), float(y), float(z)


def _moved(move: Move, axis: int, to: int) -> Move:
    i, j, k = (to if n == axis else old for n, old in enumerate(move))
    return i, j, k


def _shades(volume: Volume) -> tuple[NDArray[np.uint16], tuple[int, int]]:
    """Squares in shades from 1, evenly spaced in the logarithm of the signal, 0 where there is none; voxels a side."""
    mean, step = means_of_squares(volume, _PIXEL_MM)
    shades = np.minimum(1 + normalize(mean) * _SHADES_A_UNIT, _SHADES - 1)
    return np.where(mean > 0, shades, 0).astype(np.uint16), step


def _shared_information(pairs: NDArray[np.uint16]) -> float:
    """Normalised mutual information (1-2) of pairs of shades; what lies outside either image (shade 0) is left out, so
    that a T1 that covers a part is judged by that part."""
    counts = np.bincount(pairs.ravel(), minlength=_SHADES**2).reshape(_SHADES, _SHADES)[1:, 1:]
    share = counts / max(int(counts.sum()), 1)
    both = _entropy(share)
    return (_entropy(share.sum(0)) + _entropy(share.sum(1))) / both if both > 0 else 1.0


def _entropy(share: NDArray[np.float64]) -> float:
    there = share[share > 0]
    return -float(there @ np.log(there))
