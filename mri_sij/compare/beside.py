"""The follow-up read with the baseline beside it: what only one of two independent readings calls oedema is looked at
again on both visits' signal, voxel by voxel and quadrant by quadrant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.span import Mask
from mri_sij.compare.faded import form_left, mean_left
from mri_sij.compare.levels import BONE_OF_CODE, Carried
from mri_sij.config import CompareSettings
from mri_sij.lesions.search import Field, Search

_CONTRAST_MM = 1.5
"""Brightness of the two visits is held against each other over this much bone (standard deviation, in the plane)."""
_CALLED = 0.05
"""Share of a bone's oedema up to which the follow-up's own reading counts as calling none of it."""
_LEAST_NORMAL = 0.2
"""Share of a bone that must be free of oedema at both visits for its own level to be used, not that of all four."""
_LEAST_CELL_MM2, _LEAST_CELLS = 30.0, 8
"""Normal bone that a cell must hold, and cells that there must be, to tell how much they differ by."""
_ROBUST_SD = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""


def read_beside(search: Search, oedema: Mask, carried: Carried, settings: CompareSettings) -> Carried:
    """The follow-up read with the baseline beside it, as by a reader who has both visits in front of them (our choice).

    Each visit was first read alone, and of oedema near the limit the one reading may take in what the other leaves
    out. Where only one of them calls bone oedema, it went or came only if the signal did: a voxel, or the quadrant of a
    slice that it is part of, that at the other visit exceeds marrow by `same_contrast` of as much is called at the
    follow-up what the baseline calls it. Such persisting oedema must also stand out of normal bone by more than that
    varies from place to place, or have fallen by no more than normal bone does between the visits, and new oedema must
    have risen by more (`over_normal`). Where the follow-up alone calls none of a bone's oedema and the whole of it
    shows less than `same_contrast`, it has faded if at least `faded_contrast` is left in its form, and gone otherwise
    but for what stands out. What fills erosions is called by its brightness alone, and no more because bone beside it
    has faded. Where the follow-up alone shows no oedema at all, a `rest` of the baseline's that looks the
    same was the rim of what has gone.
    `oedema` is the baseline's on the search box. Without images (`ratio` None) both readings stand as they are.
    """
    if carried.ratio is None:
        return carried
    neither = search.bone & carried.seen & ~oedema & ~carried.oedema
    first, second = (_contrast(search, ratio, neither) for ratio in (search.ratio, carried.ratio))
    least = settings.same_contrast
    missed = oedema & ~carried.oedema & carried.seen
    unlike = settings.over_normal * _spread(search, second, neither)
    fallen = settings.over_normal * _spread_of_cells(search, second - first, neither)
    stands_out = _cell_means(missed, second - unlike, search) > 0
    stayed = _as_bright(missed, second, first, search, least)
    stayed &= stands_out | (_cell_means(missed, first - second, search) <= fallen)
    for own in (search.code == code for code in BONE_OF_CODE):
        lesion = oedema & carried.seen & own
        uncalled = lesion.any() and (lesion & carried.oedema).sum() <= _CALLED * lesion.sum()
        if uncalled and mean_left(lesion, first, second) < least:
            stayed &= stands_out | ~lesion
            left = form_left(lesion, neither & own, first, second, search)
            if left >= settings.faded_contrast:
                stayed |= _as_bright(lesion & missed & (search.space == 0), second, first, search, least * left)
    if not carried.oedema.any() and stayed.sum() <= settings.rest * oedema.sum():
        stayed[:] = False
    came = ~oedema & carried.oedema
    was_there = _as_bright(came, first, second, search, least)
    noise = settings.over_normal * _spread(search, second - first, neither)
    was_there |= came & (_cell_means(came, second - first - noise, search) < 0)
    return replace(carried, oedema=(carried.oedema | stayed) & ~was_there)


def _as_bright(patch: Mask, there: Field, here: Field, search: Search, least: float) -> Mask:
    """Voxels of `patch` that are `there` at least `least` as bright as they are `here`, by themselves or in the mean of
    their cell (quadrant of a slice).

    A cell is what a reader judges as one; single voxels at a lesion's rim say little.
    """
    means = _cell_means(patch, there, search), _cell_means(patch, here, search)
    cells = (means[0] >= least * means[1]) & (means[1] > 0)
    return np.asarray(patch & ((there >= least * here) | cells))


def _cell_means(patch: Mask, field: Field, search: Search) -> Field:
    """At each voxel of `patch` the mean of `field` over the patch's part in its cell; 0 elsewhere."""
    where = np.nonzero(patch)
    cell = _cells(where, search)
    means = np.bincount(cell, field[where]) / np.maximum(np.bincount(cell), 1)
    found = np.zeros(patch.shape, np.float32)
    found[where] = means[cell]
    return found


def _cells(where: tuple[NDArray[np.intp], ...], search: Search) -> NDArray[np.intp]:
    """The cell (quadrant of a slice) of each voxel, as a number."""
    return np.asarray((where[2] * 5 + search.code[where]) * 3 + search.half[where], np.intp)


def _spread_of_cells(search: Search, field: Field, normal: Mask) -> float:
    """Robust standard deviation of the means of `field` over the cells of `normal` bone; infinite with too few, which
    can tell nothing."""
    where = np.nonzero(normal)
    cell = _cells(where, search)
    counts = np.bincount(cell)
    means = np.bincount(cell, field[where])[counts > 0] / counts[counts > 0]
    means = means[counts[counts > 0] * search.pixel_mm2 >= _LEAST_CELL_MM2]
    if len(means) < _LEAST_CELLS:
        return float("inf")
    return float(_ROBUST_SD * np.median(np.abs(means - np.median(means))))


def _spread(search: Search, field: Field, normal: Mask) -> Field:
    """Robust standard deviation of `field` over `normal` bone of the same part: of one visit's contrast how uneven
    normal marrow is, of the visits' difference what two scans of unchanged bone differ by after alignment."""
    spread = np.zeros(field.shape, np.float32)
    for code in BONE_OF_CODE:
        own = search.code == code
        level = _level_of(search, own, normal)
        spread[own] = _ROBUST_SD * np.median(np.abs(field[level])) if level.any() else 0.0
    return spread


def _level_of(search: Search, own: Mask, normal: Mask) -> Mask:
    """Normal bone of the part `own`, or of all four where it holds too little."""
    level = normal & own
    return level if level.sum() >= _LEAST_NORMAL * (own & search.bone).sum() else normal


def _contrast(search: Search, ratio: Field, normal: Mask) -> Field:
    """How much STIR over marrow exceeds its median in `normal` bone of the same joint, smoothed within the bone.

    Each visit's marrow reference is good to some per cent; against bone beside it that neither visit calls, the two
    are comparable to less.
    """
    wide = [_CONTRAST_MM / side for side in search.grid.spacing_mm[:2]]
    smooth = np.zeros(ratio.shape, np.float32)
    for code in BONE_OF_CODE:
        own = search.code == code
        level = _level_of(search, own, normal)
        middle = np.float32(np.median(ratio[level])) if level.any() else np.float32(1)
        weight = own.astype(np.float32)
        fields = (ndi.gaussian_filter(field, (*wide, 0.0)) for field in (weight * (ratio - middle), weight))
        total, share = fields
        smooth = np.where(own, total / np.maximum(share, 1e-3), smooth)
    return smooth
