"""From the network's maps to bones: one sacrum, one ilium a side, nothing else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.labels import LEFT_ILIUM, NAMES, RIGHT_ILIUM, SACRUM, Segmentation
from mri_sij.anatomy.shape import Shape, fit_shape, held_to_shape
from mri_sij.anatomy.span import Mask, span
from mri_sij.config import AnatomySettings
from mri_sij.geometry import Grid
from mri_sij.network.maps import Maps
from mri_sij.volume import LabelMap, Volume

_LATERAL_HOLE_MM = 25.0
_SMOOTH_MM = (0.9, 0.9, 2.0)
"""Bones are smooth at this scale, in the plane and through it; the network's border is not."""

_WING_GAP_MM, _WING_MM3 = 5.0, 300.0
_CLEFT_MM = 9.0
_COARSE_MM = 2.4
_SEEN, _SEEN_SHARE = 0.5, 0.5
_CORTEX_MM, _BLADE_MM, _JOINT_SIDE_MM = 0.6, 6.0, 9.0


def segment(maps: Maps, settings: AnatomySettings) -> Segmentation:
    """Bones from the maps, in the reading frame: held to the shape of a pelvis (unless they are none: what is no pelvis
    must not be made to look like one), most probable class, islands dropped, holes beside the joint closed, cortex and
    blades without marrow left out as readers do.

    Left and right come from the affine: ilium to the patient's left of the sacrum's middle is left.
    """
    shape = _shape_of(maps, settings)
    seen = (maps.sacrum > _SEEN) | (maps.ilium > _SEEN)
    if shape is not None and shape.residual_mm <= settings.max_shape_mm:
        maps = held_to_shape(maps, shape)
    winner = _winner(maps)
    winner[:, :, _hardly_seen(winner, seen)] = 0
    sacrum = main_part(winner == 1, settings.island_fraction)
    labels = np.zeros(maps.grid.shape, np.uint8)
    if sacrum.any():
        labels = label_sides(sacrum, winner == 2, settings.island_fraction)
        labels[_wing_tips(winner == 1, labels, maps.grid.spacing_mm)] = SACRUM
        labels = _close_holes(labels, maps.grid.spacing_mm)
        labels = within_cortex(labels, maps.grid.spacing_mm)
        _centre_joints(labels, maps)
    probability = np.where(labels == SACRUM, maps.sacrum, np.where(labels > 0, maps.ilium, 0)).astype(np.float32)
    return Segmentation(
        LabelMap(labels, maps.grid, NAMES),
        Volume(probability, maps.grid),
        maps.agreement,
        "builtin",
        maps.model_sha256,
        shape,
    )


def _shape_of(maps: Maps, settings: AnatomySettings) -> Shape | None:
    """The shape model fitted to the bones as the network has them, on every so many pixels."""
    step = max(1, round(_COARSE_MM / maps.grid.spacing_mm[0]))
    count = (maps.grid.shape[0] - 1) // step + 1
    # Even about the middle, so that the mirrored patient is sampled at the mirrored places.
    first = (maps.grid.shape[0] - 1 - (count - 1) * step) / 2
    below, above = (int(edge) + step * np.arange(count) for edge in (np.floor(first), np.ceil(first)))
    classes = (maps.background, maps.sacrum, maps.ilium, maps.lumbar)
    winner = np.stack([c[below, ::step] + c[above, ::step] for c in classes]).argmax(0)
    sacrum = main_part(winner == 1, settings.island_fraction)
    if not sacrum.any():
        return None
    affine = maps.grid.affine @ np.diag([step, step, 1, 1])
    affine[:3, 3] += maps.grid.affine[:3, 0] * first
    grid = Grid((winner.shape[0], winner.shape[1], winner.shape[2]), affine)
    return fit_shape(label_sides(sacrum, winner == 2, settings.island_fraction), grid)


def _winner(maps: Maps) -> NDArray[np.uint8]:
    """Most probable class of the smoothed maps: 0 background, 1 sacrum, 2 ilium, 3 lumbar."""
    sigma = [mm / s for mm, s in zip(_SMOOTH_MM, maps.grid.spacing_mm, strict=True)]
    bones = [ndi.gaussian_filter(chance, sigma) for chance in (maps.sacrum, maps.ilium, maps.lumbar)]
    best = np.asarray(1 - (bones[0] + bones[1] + bones[2]))  # the background: smoothing keeps the sum of all
    winner = np.zeros(best.shape, np.uint8)
    for number, smooth in enumerate(bones, start=1):
        winner[smooth > best] = number
        np.maximum(best, smooth, out=best)
    return winner


def _hardly_seen(winner: NDArray[np.uint8], seen: Mask) -> Mask:
    """Slices on which the network sees less than half of what would be bone there: the shape alone has put it there.
    Stacks are padded with slices that are empty, or all but a wedge of them (seen share 0.06; else 0.78 and more)."""
    bone = (winner == 1) | (winner == 2)
    return np.asarray((bone & seen).sum((0, 1)) < _SEEN_SHARE * bone.sum((0, 1)))


def label_sides(sacrum: Mask, ilium: Mask, island_fraction: float) -> NDArray[np.uint8]:
    """Labels of the sacrum and of the main part of the ilium on either side of its middle (axis 0 goes to the left)."""
    weight = sacrum.sum((1, 2))
    middle = float(np.average(np.arange(len(weight)), weights=weight))
    labels = np.zeros(sacrum.shape, np.uint8)
    labels[sacrum] = SACRUM
    beyond = np.arange(sacrum.shape[0])[:, None, None] > middle
    labels[main_part(ilium & beyond, island_fraction)] = LEFT_ILIUM
    labels[main_part(ilium & ~beyond, island_fraction)] = RIGHT_ILIUM
    return labels


def main_part(mask: Mask, island_fraction: float) -> Mask:
    """The largest connected part, and others of at least `island_fraction` of it."""
    found = ndi.find_objects(mask.astype(np.uint8))
    if not found:
        return mask
    parts, count = ndi.label(mask[found[0]], np.ones((3, 3, 3)))
    if count < 2:
        return mask
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    out = np.zeros_like(mask)
    out[found[0]] = (sizes >= max(island_fraction * sizes.max(), 1))[parts]
    return out


def _centre_joints(labels: NDArray[np.uint8], maps: Maps) -> None:
    """Let the middle of each joint fall on a voxel, in every row of every slice: bones that touch are parted by the
    less sure voxel of the two, and a gap of an even number of voxels loses its surer end to the bone beside it.

    A joint is a cleft, and its middle must not depend on which of two voxels a distance is rounded to.
    """
    reach = round(_CLEFT_MM / maps.grid.spacing_mm[0])
    for ilium, step in ((LEFT_ILIUM, 1), (RIGHT_ILIUM, -1)):
        j, k = np.nonzero((labels == SACRUM).any(0) & (labels == ilium).any(0))
        rows = labels[:, j, k][::step]  # from the sacrum towards the ilium
        last = len(rows) - 1 - (rows == SACRUM)[::-1].argmax(0)
        beyond = (rows == ilium) & (np.arange(len(rows))[:, None] > last)
        first = beyond.argmax(0)
        gap = first - last - 1
        even = beyond.any(0) & (gap % 2 == 0) & (gap <= reach)
        j, k, gap = j[even], k[even], gap[even]
        last, first = (at[even] if step > 0 else len(rows) - 1 - at[even] for at in (last, first))
        touching = gap == 0
        inner, outer = np.where(touching, last, last + step), np.where(touching, first, first - step)
        sacral = maps.sacrum[inner, j, k] - maps.ilium[outer, j, k]
        for chosen, at, label in (
            (touching & (sacral < 0), inner, 0),
            (touching & (sacral >= 0), outer, 0),
            (~touching & (sacral > 0), inner, SACRUM),
            (~touching & (sacral <= 0), outer, ilium),
        ):
            labels[at[chosen], j[chosen], k[chosen]] = label


def _wing_tips(sacrum: Mask, labels: NDArray[np.uint8], spacing_mm: tuple[float, float, float]) -> Mask:
    """Parts of the sacrum that lie apart only because the slices in front cut its wings: beside an ilium, on slices
    that adjoin the main part."""
    parts, count = ndi.label(sacrum & (labels == 0), np.ones((3, 3, 3)))
    seen = np.flatnonzero((labels == SACRUM).any((0, 1)))
    large = np.bincount(parts.ravel(), minlength=count + 1) * np.prod(spacing_mm) >= _WING_MM3
    tips = np.zeros(labels.shape, bool)
    for number, box in enumerate(ndi.find_objects(parts), start=1):
        adjoins = box[2].stop >= seen[0] and box[2].start <= seen[-1] + 1
        if large[number] and adjoins:
            part = parts[box] == number
            tips[box] |= part & _beside_ilium(part, box, labels, spacing_mm)
    return tips


def _beside_ilium(
    part: Mask, box: tuple[slice, ...], labels: NDArray[np.uint8], spacing_mm: tuple[float, float, float]
) -> bool:
    """Whether any of `part`, which fills `box`, lies within 5 mm of an ilium."""
    reach = [int(np.ceil(_WING_GAP_MM / mm)) for mm in spacing_mm]
    wide = tuple(slice(max(b.start - r, 0), b.stop + r) for b, r in zip(box, reach, strict=True))
    ilium = labels[wide] > SACRUM
    if not ilium.any():
        return False
    inner = tuple(slice(b.start - w.start, b.stop - w.start) for b, w in zip(box, wide, strict=True))
    return bool((ndi.distance_transform_edt(~ilium, spacing_mm)[inner][part] <= _WING_GAP_MM).any())


def within_cortex(labels: NDArray[np.uint8], spacing_mm: tuple[float, float, float]) -> NDArray[np.uint8]:
    """Bones as readers outline them on MRI: marrow within the cortex, which is dark like what lies about it.

    The outer 0.6 mm are left out, though not towards the joint, where the margin is measured from; and of the ilia the
    blades too thin (6 mm) to hold marrow that could be seen.
    """
    out = labels.copy()
    reached = [round(2 * _JOINT_SIDE_MM / mm) + 1 for mm in spacing_mm[:2]]
    for label in (SACRUM, LEFT_ILIUM, RIGHT_ILIUM):
        for k in np.flatnonzero((labels == label).any((0, 1))):
            own = labels[:, :, k] == label
            tight = _surrounded(own)
            bone = own[tight]
            depth = ndi.distance_transform_edt(bone, spacing_mm[:2])
            lost = bone & (depth <= _CORTEX_MM)
            if label != SACRUM:
                core = depth > _BLADE_MM / 2
                reach = ndi.distance_transform_edt(~core, spacing_mm[:2]) if core.any() else np.inf
                lost |= bone & (reach > _BLADE_MM / 2 + spacing_mm[0] / 2)
            wide = _surrounded(own, round(_JOINT_SIDE_MM / spacing_mm[0]))
            others = (labels[:, :, k][wide] > 0) & ~own[wide]
            if others.any():
                inner = tuple(slice(t.start - w.start, t.stop - w.start) for t, w in zip(tight, wide, strict=True))
                lost &= ~ndi.maximum_filter(others, reached)[inner]
            out[:, :, k][tight][lost] = 0
    return out


def _close_holes(labels: NDArray[np.uint8], spacing_mm: tuple[float, float, float]) -> NDArray[np.uint8]:
    """Fill holes of each bone slice by slice; in the sacrum only near an ilium, because its foramina are holes too."""
    out = labels.copy()
    for k in range(labels.shape[2]):
        plane = labels[:, :, k]
        ilium = plane > SACRUM
        if not ilium.any():
            continue
        for label in (LEFT_ILIUM, RIGHT_ILIUM):
            box, holes = _holes(plane == label)
            out[:, :, k][box][holes & (plane[box] == 0)] = label
        box, holes = _holes(plane == SACRUM)
        holes &= plane[box] == 0
        if holes.any():
            near = ndi.distance_transform_edt(~ilium, spacing_mm[:2])[box] < _LATERAL_HOLE_MM
            out[:, :, k][box][holes & near] = SACRUM
    return out


def _holes(bone: Mask) -> tuple[tuple[slice, ...], Mask]:
    """The box of a bone in one slice, and what of it is a hole: joined to no edge of the box, and not bone."""
    box = _surrounded(bone)
    parts, count = ndi.label(~bone[box])
    hole = np.ones(count + 1, bool)
    for edge in (parts[:1], parts[-1:], parts[:, :1], parts[:, -1:]):
        hole[edge] = False
    hole[0] = False
    return box, hole[parts]


def _surrounded(mask: Mask, margin: int = 1) -> tuple[slice, ...]:
    """The box of a mask in the plane, with a margin of some pixels where there are any."""
    if not mask.any():
        return slice(0), slice(0)
    found = span(mask.any(1)), span(mask.any(0))
    return tuple(
        slice(max(f.start - margin, 0), min(f.stop + margin, n)) for f, n in zip(found, mask.shape, strict=True)
    )
