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
from mri_sij.anatomy.span import Mask
from mri_sij.compare.align import Alignment
from mri_sij.compare.rigid import move
from mri_sij.compare.visit import Visit
from mri_sij.config import LesionSettings, Settings
from mri_sij.evidence import Bone, Evidence, JointSliceEvidence, Side
from mri_sij.geometry import Floats, Grid
from mri_sij.lesions.items import (
    NUMBER_OF_HALF,
    Reading,
    evidence_of,
    heights_of,
    intense_from,
    mark,
    measure_extent,
    measure_items,
    periarticular,
)  # fmt: skip
from mri_sij.lesions.records import OEDEMA_LABELS
from mri_sij.lesions.search import Field, Search, across_joints, widen

BONE_OF_CODE = {1: SACRUM, 2: LEFT_ILIUM, 3: SACRUM, 4: RIGHT_ILIUM}
"""Which bone's motion carries oedema of each label (1 left sacrum, 2 left ilium, 3 right sacrum, 4 right ilium)."""

_SUBSLICES = (-1 / 3, 0.0, 1 / 3)
"""The follow-up is looked up at three depths of each baseline slice: a slice shows the mean of what it holds."""


@dataclass(frozen=True, eq=False)
class Carried:
    """The follow-up on the baseline's search box: what was seen of it, and there its oedema and STIR over marrow (None
    without images)."""

    oedema: NDArray[np.bool_]
    ratio: NDArray[np.float32] | None
    seen: NDArray[np.bool_]


def search_of(baseline: Visit, settings: LesionSettings) -> Search:
    """The baseline's bone beside the joints, widened across cortex and joint space as it was for finding oedema."""
    nowhere = np.zeros(baseline.labels.grid.shape, bool)
    wide = widen(baseline.regions, nowhere, baseline.labels.grid, settings.cortex_mm)
    none = np.zeros(wide.code.shape, np.float32)
    ratio = none if baseline.intensity is None else baseline.intensity.ratio[wide.box]
    search = Search(
        baseline.labels.grid, wide.box, wide.code, wide.bone, wide.space, wide.half, wide.depth_mm, wide.cartilaginous,
        ratio, None, None, None,
    )  # fmt: skip
    return across_joints(search)


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


def completed(search: Search, carried: Carried, own: NDArray[np.bool_]) -> Carried:
    """The follow-up with what it does not show taken from the baseline (`own` is its oedema there): bone that was not
    seen has neither healed nor got worse."""
    ratio = None if carried.ratio is None else np.where(carried.seen, carried.ratio, search.ratio)
    return replace(carried, oedema=np.where(carried.seen, carried.oedema, own), ratio=ratio)


def own_oedema(search: Search, baseline: Visit) -> NDArray[np.bool_]:
    """The baseline's oedema on its own search box."""
    return np.asarray((baseline.oedema.data[search.box] == search.code) & (search.code > 0))


def read_followup(
    search: Search, carried: Carried, visits: tuple[Visit, Visit], alignment: Alignment, settings: Settings
) -> Evidence:
    """The baseline's levels on the follow-up's oedema; slice numbers are the baseline's.

    What is bright enough to be intense is the baseline's ratio over normal marrow for both: which fluid a visit shows
    decides its own limit, and the same lesion would be intense in one visit only for that. Nor does a joint become
    intense, or cease to be, by less than `steady_intensity` of that ratio, nor a quadrant positive by less than
    `steady_area` of the least area.
    """
    baseline, followup = visits
    least_mm2 = _least_areas(search, baseline, settings)
    if carried.ratio is not None and baseline.intensity is not None:
        seen = replace(search, ratio=carried.ratio)
        limits = _limits(search, baseline, baseline.intensity.intense_from, settings.compare.steady_intensity)
        return read_mask(seen, carried.oedema, intense_from(seen, limits), baseline, settings.lesions, least_mm2)
    evidence = read_mask(search, carried.oedema, None, baseline, settings.lesions, least_mm2)
    nearest = nearest_slices(baseline, followup, alignment)
    intense = {(s, k) for s, n in followup.intense for k, near in nearest.items() if near == n}
    return _with_intensity(evidence, intense)


def _limits(search: Search, baseline: Visit, intense_ratio: float | None, steady: float) -> Field | None:
    """Ratio over normal marrow from which each voxel is intense at the follow-up: less than the baseline's in joints
    that are intense there, more in others; None without a ratio."""
    if intense_ratio is None:
        return None
    limits = np.full(search.code.shape, intense_ratio * (1 + steady), np.float32)
    for joint in baseline.form.joints:
        if joint.intensity:
            codes = [OEDEMA_LABELS[joint.side, bone] for bone in Bone]
            k = joint.slice_number - search.first_slice
            limits[:, :, k][np.isin(search.code[:, :, k], codes)] = intense_ratio * (1 - steady)
    return limits


def _least_areas(search: Search, baseline: Visit, settings: Settings) -> Floats:
    """Area (mm2) of oedema from which each quadrant is positive at the follow-up, shape (slices, 5 codes, 3 halves):
    less where it was at the baseline, more elsewhere."""
    least, steady = settings.lesions.min_area_mm2, settings.compare.steady_area
    areas = np.full((search.code.shape[2], 5, 3), least * (1 + steady))
    for joint in baseline.form.joints:
        for item in joint.items:
            if item.value:
                code = OEDEMA_LABELS[joint.side, item.quadrant.bone]
                half = NUMBER_OF_HALF[item.quadrant.half]
                areas[joint.slice_number - search.first_slice, code, half] = least * (1 - steady)
    return areas


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
    search: Search,
    oedema: NDArray[np.bool_],
    intense: Mask | None,
    baseline: Visit,
    settings: LesionSettings,
    least_mm2: Floats | None = None,
) -> Evidence:
    """What a mask of oedema over the search box implies on the baseline's levels; `intense` marks what is bright enough
    for the intensity item (None: nothing is), `least_mm2` is as in `items.mark`."""
    items = measure_items(oedema, search, intense, settings)
    heights = heights_of(baseline.joints, search.first_slice, oedema.shape[2])
    extent = measure_extent(oedema, search, settings)
    reading = Reading(items, extent, mark(items, heights, settings, least_mm2), heights, search.first_slice)
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
