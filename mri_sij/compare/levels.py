"""The baseline's six levels read on both visits: the follow-up's oedema carried to the same bone, quadrant by quadrant.

Each bone's oedema is carried by that bone's own motion onto the baseline's grid, so that quadrants, depth and slices
are the baseline's for both visits; what counts as oedema was decided on each visit's own images and references.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.labels import LEFT_ILIUM, RIGHT_ILIUM, SACRUM
from mri_sij.compare.align import Alignment
from mri_sij.compare.rigid import move
from mri_sij.compare.visit import Visit
from mri_sij.config import CompareSettings, LesionSettings
from mri_sij.evidence import Evidence, JointSliceEvidence, Side
from mri_sij.geometry import Floats, Grid
from mri_sij.lesions.items import (
    Reading,
    evidence_of,
    heights_of,
    intense_from,
    mark,
    measure_extent,
    measure_items,
    periarticular,
)  # fmt: skip
from mri_sij.lesions.search import Search, widen

BONE_OF_CODE = {1: SACRUM, 2: LEFT_ILIUM, 3: SACRUM, 4: RIGHT_ILIUM}
"""Which bone's motion carries oedema of each label (1 left sacrum, 2 left ilium, 3 right sacrum, 4 right ilium)."""

_SUBSLICES = (-1 / 3, 0.0, 1 / 3)
"""The follow-up is looked up at three depths of each baseline slice: a slice shows the mean of what it holds."""


_CONTRAST_MM = 1.5
"""Brightness of the two visits is held against each other over this much bone (standard deviation, in the plane)."""


_LEAST_NORMAL = 0.2
"""Share of a bone that must be free of oedema at both visits for its own level to be used, not that of all four."""


_LEAST_CELL_MM2, _LEAST_CELLS = 30.0, 8
"""Normal bone that a cell must hold, and cells that there must be, to tell how much they differ by."""


_ROBUST_SD = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""


@dataclass(frozen=True, eq=False)
class Carried:
    """The follow-up on the baseline's search box: what was seen of it, and there its oedema and STIR over marrow (None
    without images)."""

    oedema: NDArray[np.bool_]
    ratio: NDArray[np.float32] | None
    seen: NDArray[np.bool_]


def search_of(baseline: Visit, settings: LesionSettings) -> Search:
    """The baseline's bone beside the joints, widened across the cortex as it was for finding oedema."""
    nowhere = np.zeros(baseline.labels.grid.shape, bool)
    wide = widen(baseline.regions, nowhere, baseline.labels.grid, settings.cortex_mm)
    none = np.zeros(wide.code.shape, np.float32)
    ratio = none if baseline.intensity is None else baseline.intensity.ratio[wide.box]
    return Search(
        baseline.labels.grid, wide.box, wide.code, wide.bone, wide.half, wide.depth_mm, wide.cartilaginous, ratio,
        None, None, None,
    )  # fmt: skip


def carry(search: Search, followup: Visit, alignment: Alignment) -> Carried:
    """The follow-up's oedema and brightness at the voxels of the baseline's `search`, bone by bone; none where the
    follow-up shows nothing."""
    shape = search.code.shape
    oedema, seen = np.zeros(shape, bool), np.zeros(shape, bool)
    ratio = None if followup.intensity is None else np.zeros(shape, np.float32)
    for code, bone in BONE_OF_CODE.items():
        own = search.code == code
        if not own.any():
            continue
        part = ndi.find_objects(own.astype(np.uint8))[0]
        matrix = _index_map(search, part, alignment.bones[bone].motion, followup.labels.grid)
        size = tuple(p.stop - p.start for p in part)
        mask = (followup.oedema.data == code).astype(np.float32)
        share = np.mean([_look_up(mask, matrix, size, offset) for offset in _SUBSLICES], 0)
        here = own[part] & _inside(matrix, size, followup.labels.grid)
        oedema[part] |= here & (share >= 0.5)
        seen[part] |= here
        if ratio is not None and followup.intensity is not None:
            ratio[part] = np.where(here, _look_up(followup.intensity.ratio, matrix, size, 0.0), ratio[part])
    return Carried(oedema, ratio, seen)


def read_beside(search: Search, oedema: NDArray[np.bool_], carried: Carried, settings: CompareSettings) -> Carried:
    """The follow-up read with the baseline beside it, as by a reader who has both visits in front of them (our choice).

    Each visit was first read alone, and of oedema near the limit the one reading may take in what the other leaves
    out. Where only one of them calls bone oedema, it went or came only if the signal did: a voxel, or the quadrant of a
    slice that it is part of, that at the other visit exceeds marrow by `same_contrast` of as much is called at the
    follow-up what the baseline calls it. Such persisting oedema must also stand out of normal bone by more than that
    varies from place to place, or have fallen by no more than normal bone does between the visits, and new oedema must
    have risen by more (`over_normal`). Where the follow-up alone shows no oedema at all, a `rest` of the baseline's
    that looks the same was the rim of what has gone.
    `oedema` is the baseline's on the search box. Without images (`ratio` None) both readings stand as they are.
    """
    if carried.ratio is None:
        return carried
    neither = search.bone & carried.seen & ~oedema & ~carried.oedema
    first, second = (_contrast(search, ratio, neither) for ratio in (search.ratio, carried.ratio))
    least = settings.same_contrast
    missed = oedema & ~carried.oedema & carried.seen
    as_before = (second >= least * first) | _as_bright(missed, second, first, search, least)
    unlike = settings.over_normal * _spread(search, second, neither)
    fallen = settings.over_normal * _spread_of_cells(search, second - first, neither)
    stands_out = _cell_means(missed, second - unlike, search) > 0
    stayed = missed & as_before & (stands_out | (_cell_means(missed, first - second, search) <= fallen))
    if not carried.oedema.any() and stayed.sum() <= settings.rest * oedema.sum():
        stayed[:] = False
    came = ~oedema & carried.oedema
    was_there = came & ((first >= least * second) | _as_bright(came, first, second, search, least))
    noise = settings.over_normal * _spread(search, second - first, neither)
    was_there |= came & (_cell_means(came, second - first - noise, search) < 0)
    return replace(carried, oedema=(carried.oedema | stayed) & ~was_there)


def _as_bright(
    patch: NDArray[np.bool_], there: NDArray[np.float32], here: NDArray[np.float32], search: Search, least: float
) -> NDArray[np.bool_]:
    """Voxels of `patch` in cells (quadrant of a slice) where its mean brightness `there` is `least` of that `here`.

    A cell is what a reader judges as one; single voxels at a lesion's rim say little.
    """
    means = _cell_means(patch, there, search), _cell_means(patch, here, search)
    return np.asarray(patch & (means[0] >= least * means[1]) & (means[1] > 0))


def _cell_means(patch: NDArray[np.bool_], field: NDArray[np.float32], search: Search) -> NDArray[np.float32]:
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


def _spread_of_cells(search: Search, field: NDArray[np.float32], normal: NDArray[np.bool_]) -> float:
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


def _spread(search: Search, field: NDArray[np.float32], normal: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Robust standard deviation of `field` over `normal` bone of the same part: of one visit's contrast how uneven
    normal marrow is, of the visits' difference what two scans of unchanged bone differ by after alignment."""
    spread = np.zeros(field.shape, np.float32)
    for code in BONE_OF_CODE:
        own = search.code == code
        level = _level_of(search, own, normal)
        spread[own] = _ROBUST_SD * np.median(np.abs(field[level])) if level.any() else 0.0
    return spread


def _level_of(search: Search, own: NDArray[np.bool_], normal: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Normal bone of the part `own`, or of all four where it holds too little."""
    level = normal & own
    return level if level.sum() >= _LEAST_NORMAL * (own & search.bone).sum() else normal


def _contrast(search: Search, ratio: NDArray[np.float32], normal: NDArray[np.bool_]) -> NDArray[np.float32]:
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


def completed(search: Search, carried: Carried, own: NDArray[np.bool_]) -> Carried:
    """The follow-up with what it does not show taken from the baseline (`own` is its oedema there): bone that was not
    seen has neither healed nor got worse."""
    ratio = None if carried.ratio is None else np.where(carried.seen, carried.ratio, search.ratio)
    return replace(carried, oedema=np.where(carried.seen, carried.oedema, own), ratio=ratio)


def own_oedema(search: Search, baseline: Visit) -> NDArray[np.bool_]:
    """The baseline's oedema on its own search box."""
    return np.asarray((baseline.oedema.data[search.box] == search.code) & (search.code > 0))


def read_followup(
    search: Search, carried: Carried, baseline: Visit, followup: Visit, alignment: Alignment, settings: LesionSettings
) -> Evidence:
    """The baseline's levels on the follow-up's oedema; slice numbers are the baseline's.

    What is bright enough to be intense is the baseline's ratio over normal marrow for both: which fluid a visit shows
    decides its own limit, and the same lesion would be intense in one visit only for that.
    """
    if carried.ratio is not None and baseline.intensity is not None:
        seen = replace(search, ratio=carried.ratio)
        return read_mask(seen, carried.oedema, baseline.intensity.intense_from, baseline, settings)
    evidence = read_mask(search, carried.oedema, None, baseline, settings)
    nearest = nearest_slices(baseline, followup, alignment)
    intense = {(s, k) for s, n in followup.intense for k, near in nearest.items() if near == n}
    return _with_intensity(evidence, intense)


def nearest_slices(baseline: Visit, followup: Visit, alignment: Alignment) -> dict[int, int]:
    """For each of the baseline's six slices the follow-up's slice that lies nearest to it at the joints."""
    motion = alignment.bones[SACRUM].motion
    found = {}
    for k in baseline.slices:
        lines = [j.slices[k].midline for j in (baseline.joints.left, baseline.joints.right) if k in j.slices]
        points = np.concatenate(lines) if lines else np.array([np.array(baseline.labels.grid.shape[:2]) / 2])
        index = np.column_stack([points, np.full(len(points), k)])
        there = followup.labels.grid.index(move(motion, baseline.labels.grid.world(index)))
        found[k] = int(np.clip(round(float(there[:, 2].mean())), 0, followup.labels.grid.shape[2] - 1))
    return found


def levels_seen(search: Search, carried: Carried, slices: tuple[int, ...], settings: LesionSettings) -> float:
    """Share (0-1) of the scored bone on `slices` that lies in the follow-up's field of view."""
    rows = np.array(slices) - search.first_slice
    scored = periarticular(search, settings)[:, :, rows] & search.bone[:, :, rows]
    return float(carried.seen[:, :, rows][scored].mean()) if scored.any() else 0.0


def read_mask(
    search: Search, oedema: NDArray[np.bool_], intense_ratio: float | None, baseline: Visit, settings: LesionSettings
) -> Evidence:
    """What a mask of oedema over the search box implies on the baseline's levels; intense from `intense_ratio` times
    marrow (None: nothing is)."""
    items = measure_items(oedema, search, intense_from(search, intense_ratio), settings)
    heights = heights_of(baseline.joints, search.first_slice, oedema.shape[2])
    extent = measure_extent(oedema, search, settings)
    reading = Reading(items, extent, mark(items, heights, settings), heights, search.first_slice)
    return evidence_of(reading, baseline.slices)


def _with_intensity(evidence: Evidence, intense: Set[tuple[Side, int]]) -> Evidence:
    def joint(own: JointSliceEvidence) -> JointSliceEvidence:
        positive = any(q.oedema for q in own.quadrants)
        return replace(own, intense=positive and (own.side, own.slice_number) in intense)

    return Evidence(tuple(joint(j) for j in evidence.joints))


def _index_map(search: Search, part: tuple[slice, ...], motion: Floats, target: Grid) -> Floats:
    """4x4 from voxels of `part` of the search box to voxels of the follow-up."""
    start = np.eye(4)
    start[:3, 3] = [box.start + own.start for box, own in zip(search.box, part, strict=True)]
    return np.asarray(np.linalg.inv(target.affine) @ motion @ search.grid.affine @ start)


def _look_up(field: NDArray[np.float32], matrix: Floats, shape: tuple[int, ...], offset: float) -> NDArray[np.float32]:
    start = matrix[:3, 3] + offset * matrix[:3, 2]
    found = ndi.affine_transform(field, matrix[:3, :3], start, output_shape=shape, order=1, mode="nearest")
    return np.asarray(found, np.float32)


def _inside(matrix: Floats, shape: tuple[int, ...], grid: Grid) -> NDArray[np.bool_]:
    """Voxels that fall within half a voxel of the follow-up's outermost voxel centres."""
    axes = np.ix_(*(np.arange(n) for n in shape))
    inside = np.ones(shape, bool)
    for axis, size in enumerate(grid.shape):
        at = matrix[axis, 3] + sum(matrix[axis, n] * axes[n] for n in range(3))
        inside &= (at >= -0.5) & (at <= size - 0.5)
    return inside
