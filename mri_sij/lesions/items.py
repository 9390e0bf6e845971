"""The items of SPARCC that a mask of oedema implies: areas by quadrant, depth and intensity, slice by slice.

The same functions measure the oedema that was found, its perturbed readings, and the truth of simulated patients.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.joint import Joints
from mri_sij.anatomy.quadrants import HALF_LOWER, HALF_UPPER
from mri_sij.anatomy.span import Mask
from mri_sij.config import LesionSettings
from mri_sij.evidence import (
    HALVED_JOINT_MM,
    LOW_JOINT_MM,
    QUADRANTS,
    Evidence,
    Half,
    JointSliceEvidence,
    Quadrant,
    QuadrantEvidence,
    Side,
    scored_halves,
)
from mri_sij.geometry import Floats
from mri_sij.lesions.average import average_over_bone
from mri_sij.lesions.holes import filled
from mri_sij.lesions.records import OEDEMA_LABELS
from mri_sij.lesions.search import Field, Search

EVEN_MM = 1.5
"""Standard deviation of the Gaussian over which brightness is averaged before it is called intense (our choice, on
simulated patients: of 1, 1.5 and 2 mm and none)."""

NUMBER_OF_HALF = {Half.LOWER: HALF_LOWER, Half.UPPER: HALF_UPPER}
"""Halves in arrays by code and half."""


@dataclass(frozen=True, eq=False)
class Items:
    """What decides the items of a mask, by slice of the search box: `oedema_mm2` of shape (slices, 5 codes, 3 halves),
    `deep` and `intense_mm2` (slices, 5 codes)."""

    oedema_mm2: Floats
    deep: NDArray[np.bool_]
    intense_mm2: Floats


@dataclass(frozen=True, eq=False)
class Extent:
    """What evidence tells beside the items, by slice of the search box and code: scored bone, `bone_mm2`, by half too;
    `depth_mm`, beyond which `min_area_mm2` of oedema lies (all of it where there is less), and `intensity`, the 95th
    percentile of contrast; 0 without oedema."""

    bone_mm2: Floats
    depth_mm: Floats
    intensity: Floats


def periarticular(search: Search, settings: LesionSettings) -> Mask:
    """Bone that is scored: beside the cartilaginous joint and within `reach_mm` of its margin."""
    return np.asarray((search.code > 0) & search.cartilaginous & (search.depth_mm <= settings.reach_mm))


def areas(mask: Mask, search: Search) -> Floats:
    """Area in mm2 of `mask` by slice, code and half, shape (slices, 5, 3)."""
    at = np.flatnonzero(mask)
    slices = mask.shape[2]
    key = ((at % slices) * 5 + search.code.ravel()[at]) * 3 + search.half.ravel()[at]
    counts = np.bincount(key, minlength=slices * 15).reshape(slices, 5, 3)
    return np.asarray(counts * search.pixel_mm2, np.float64)


def even_contrast(search: Search) -> NDArray[np.float32]:
    """STIR over normal marrow, averaged so that grains of noise, brighter than the lesion that they lie in, do not make
    it intense."""
    return average_over_bone(search.ratio, search.bone & (search.ratio > 0), search.pixel_mm, EVEN_MM)


def intense_from(search: Search, intense_ratio: float | Field | None) -> Mask | None:
    """Where bone is at least `intense_ratio` (one for all, or each voxel's own) times as bright as normal marrow; None
    without a ratio."""
    return None if intense_ratio is None else even_contrast(search) >= intense_ratio


def measure_items(oedema: Mask, search: Search, intense: Mask | None, settings: LesionSettings) -> Items:
    """Items of `oedema` (over the search box); `intense` marks what is bright enough for the intensity item, where
    anything is."""
    scored = oedema & periarticular(search, settings)
    bright = np.zeros_like(scored) if intense is None else scored & intense
    return Items(areas(scored, search), _deep(scored, search, settings), areas(bright, search).sum(2))


def measure_extent(oedema: Mask, search: Search, settings: LesionSettings) -> Extent:
    """How much bone is scored, and how deep and how bright the scored part of `oedema` is."""
    near = periarticular(search, settings)
    scored = oedema & near
    depth, intensity = np.zeros((2, scored.shape[2], 5))
    for k, code, inside, box in _bones(scored, search):
        depth[k, code] = _depth_of(search.depth_mm[:, :, k][box][inside], search.pixel_mm2, settings)
        intensity[k, code] = float(np.percentile(search.ratio[:, :, k][box][inside], 95))
    return Extent(areas(near & search.bone, search), depth, intensity)


def _bones(scored: Mask, search: Search) -> Iterator[tuple[int, int, Mask, tuple[slice, ...]]]:
    """Slice, code, and scored oedema in its box of the slice, bone by bone."""
    for k in np.flatnonzero(scored.any((0, 1))):
        own = np.where(scored[:, :, k], search.code[:, :, k], 0)
        for code, box in enumerate(ndi.find_objects(own), start=1):
            if box is not None:
                yield int(k), code, own[box] == code, box


def _depth_of(depth_mm: NDArray[np.float32], pixel_mm2: float, settings: LesionSettings) -> float:
    """Depth that `min_area_mm2` reach, as the depth item asks for: unlike a percentile it does not fall where shallow
    oedema is added."""
    pixels = max(1, int(np.ceil(settings.min_area_mm2 / pixel_mm2)))
    return float(np.sort(depth_mm)[-min(pixels, len(depth_mm))])


def _deep(scored: Mask, search: Search, settings: LesionSettings) -> NDArray[np.bool_]:
    """Depth item by slice and code: oedema that begins at the joint and, homogeneous, reaches `deep_mm`."""
    deep = np.zeros((scored.shape[2], 5), bool)
    for k, code, inside, box in _bones(scored, search):
        at = search.depth_mm[:, :, k][box]
        deep[k, code] = at[inside].max() >= settings.deep_mm and _deep_piece(inside, at, search.pixel_mm2, settings)
    return deep


def _deep_piece(inside: Mask, depth_mm: NDArray[np.float32], pixel_mm2: float, settings: LesionSettings) -> bool:
    pieces, _ = ndi.label(inside, np.ones((3, 3)))
    for number, box in enumerate(ndi.find_objects(pieces), start=1):
        piece, at = pieces[box] == number, depth_mm[box]
        beyond = float((piece & (at >= settings.deep_mm)).sum()) * pixel_mm2
        if beyond < settings.min_area_mm2 or at[piece].min() > settings.deep_touch_mm:
            continue
        if piece.sum() >= settings.deep_filled * filled(piece).sum():
            return True
    return False


@dataclass(frozen=True, eq=False)
class Marks:
    """Items by slice of the search box: `quadrant` (slices, 5 codes, 3 halves), `intense` and `deep` (slices, 3:
    left at 1, right at 2).

    Booleans for one reading; their mean over readings, floats, gives the probability of each item.
    """

    quadrant: NDArray[np.generic]
    intense: NDArray[np.generic]
    deep: NDArray[np.generic]

    def total(self, rows: NDArray[np.intp]) -> int:
        """SPARCC points of the slices in `rows` (of the search box): quadrants, intensity and depth."""
        return int(self.quadrant[rows].sum() + self.intense[rows].sum() + self.deep[rows].sum())


def heights_of(joints: Joints, first_slice: int, slices: int) -> Floats:
    """Visible height (mm) of each joint on each slice of the box, shape (slices, 3: left at 1, right at 2); 0 where
    not visible."""
    heights = np.zeros((slices, 3))
    for row, joint in ((1, joints.left), (2, joints.right)):
        for number, seen in joint.slices.items():
            if 0 <= number - first_slice < slices:
                heights[number - first_slice, row] = seen.height_mm
    return heights


def mark(items: Items, heights_mm: Floats, settings: LesionSettings, least_mm2: Floats | None = None) -> Marks:
    """Decide every item: quadrants from `min_area_mm2`, or each from its own `least_mm2` (shaped as the areas),
    intensity and depth for joints with a positive quadrant.

    A joint visible over 1 cm or less is not scored, one below 3 cm in its upper quadrants only, which then hold all
    of it (spa-imaging.org).
    """
    by_half = items.oedema_mm2.copy()
    for row in (1, 2):
        codes = [2 * row - 1, 2 * row]
        low, short = heights_mm[:, row] <= LOW_JOINT_MM, heights_mm[:, row] < HALVED_JOINT_MM
        for code in codes:
            by_half[short, code, NUMBER_OF_HALF[Half.UPPER]] = items.oedema_mm2[short, code].sum(-1)
            by_half[short, code, NUMBER_OF_HALF[Half.LOWER]] = 0
            by_half[low, code] = 0
    quadrant = by_half >= (settings.min_area_mm2 if least_mm2 is None else least_mm2)
    intense, deep = np.zeros((2, len(quadrant), 3), bool)
    for row in (1, 2):
        codes = [2 * row - 1, 2 * row]
        positive = quadrant[:, codes].any((1, 2))
        intense[:, row] = positive & (items.intense_mm2[:, codes].sum(1) >= settings.min_area_mm2)
        deep[:, row] = positive & items.deep[:, codes].any(1)
    return Marks(quadrant, intense, deep)


@dataclass(frozen=True, eq=False)
class Reading:
    """One reading of the search box, ready for evidence: areas, extent, decisions, the joints' heights, and, if known,
    each item's probability."""

    items: Items
    extent: Extent
    marks: Marks
    heights_mm: Floats
    first_slice: int
    chances: Marks | None = None


def evidence_of(reading: Reading, slices: tuple[int, ...]) -> Evidence:
    """Evidence of the chosen `slices` (reading-frame numbers), both joints each."""
    return Evidence(tuple(_joint_slice(reading, number, side) for number in slices for side in Side))


def _joint_slice(reading: Reading, number: int, side: Side) -> JointSliceEvidence:
    k, row = number - reading.first_slice, 1 if side is Side.LEFT else 2
    seen = 0 <= k < len(reading.heights_mm)
    height = float(reading.heights_mm[k, row]) if seen else 0.0
    halves = scored_halves(height)
    if not halves:
        return JointSliceEvidence(side, number, (), intense=False, deep=False, joint_height_mm=height)
    quadrants = tuple(
        _quadrant(reading, k, quadrant, side, len(halves) == 1) for quadrant in QUADRANTS if quadrant.half in halves
    )
    extent, marks, chances = reading.extent, reading.marks, reading.chances
    codes = [2 * row - 1, 2 * row]
    positive = any(q.oedema for q in quadrants)
    return JointSliceEvidence(
        side=side,
        slice_number=number,
        quadrants=quadrants,
        intense=bool(marks.intense[k, row]),
        deep=bool(marks.deep[k, row]),
        intense_probability=None if chances is None else float(chances.intense[k, row]),
        deep_probability=None if chances is None else float(chances.deep[k, row]),
        joint_height_mm=height,
        depth_mm=float(extent.depth_mm[k, codes].max()) if positive else None,
        intensity_ratio=float(extent.intensity[k, codes].max()) if positive else None,
    )


def _quadrant(reading: Reading, k: int, quadrant: Quadrant, side: Side, whole: bool) -> QuadrantEvidence:
    code, half = OEDEMA_LABELS[side, quadrant.bone], NUMBER_OF_HALF[quadrant.half]
    part = slice(1, 3) if whole else slice(half, half + 1)
    area = float(reading.items.oedema_mm2[k, code, part].sum())
    bone = float(reading.extent.bone_mm2[k, code, part].sum())
    chance = None if reading.chances is None else float(reading.chances.quadrant[k, code, half])
    return QuadrantEvidence(quadrant, bool(reading.marks.quadrant[k, code, half]), chance, area, max(bone, area))
