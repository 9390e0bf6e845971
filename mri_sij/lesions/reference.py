"""What brightness is held against: normal marrow under the coil's field, and vessels or CSF for "intense".

Readers take normal marrow from the sacral body between the foramina at the height of the lesion (Maksymowych 2005;
CaREArthritis module); those places weigh most in the fit, and the field carries them sideways to the joints.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.span import Mask
from mri_sij.config import LesionSettings
from mri_sij.evidence import NotScorable, Reason, Side
from mri_sij.geometry import Grid
from mri_sij.lesions.field import BLOCK_MM, Blocks, CoilField, blocks, fit_field
from mri_sij.lesions.records import FluidReference, MarrowReference, MuscleSign
from mri_sij.lesions.search import Field

MIN_INLIERS = 0.3
"""Least share of bone squares within 30 % of the field. With fewer the field has no majority to follow."""


def middle_of(sacrum: Mask) -> float:
    """Voxel index along axis 0 of the patient's midline: the median of the sacrum, which is the same on both sides."""
    counts = sacrum.sum((1, 2)).cumsum()
    return float(np.interp(counts[-1] / 2, counts, np.arange(len(counts)))) if counts[-1] else (len(counts) - 1) / 2


def marrow_core(bone: Mask, depth_mm: Field, grid: Grid) -> Mask:
    """Bone without its cortex (2 mm in the plane) and without the 3 mm under the cartilage, where a bright rim is
    normal (Wittram 1995)."""
    rounds = max(1, round(2.0 / grid.spacing_mm[0]))
    inner = ndi.binary_erosion(bone, np.array([[[0], [1], [0]], [[1], [1], [1]], [[0], [1], [0]]], bool), rounds)
    return np.asarray(inner & (depth_mm > 3.0))


def without_lesions(core: Mask, oedema: Field) -> Mask:
    """Marrow that the network does not suspect, unless less than a fifth would be left: the field then follows the
    majority."""
    kept = core & (oedema < 0.25)
    return kept if kept.sum() >= 0.2 * core.sum() else core


def muscle_masks(stir: Field, t1: Field | None, other: Mask, core: Mask) -> tuple[Mask, Mask]:
    """Voxels outside bone and fluid (`other`) that look like muscle, and those that would if they were not so
    bright (at most 5 times marrow).

    Muscle is about as bright as marrow on STIR and darker on T1. Fat is dark on STIR and bright on T1, vessels and
    bowel are brighter or darker; what slips through is left to the robust fit. Without T1 nothing brighter is taken
    for muscle.
    """
    level = float(np.median(stir[core]))
    dark_enough = ~other & (stir > 0.3 * level)
    if t1 is None:
        muscle = np.asarray(dark_enough & (stir < 1.6 * level))
        return muscle, muscle
    t1_level = float(np.median(t1[core]))
    candidates = dark_enough & (t1 < 0.75 * t1_level) & (t1 > 0.15 * t1_level)
    return np.asarray(candidates & (stir < 1.6 * level)), np.asarray(candidates & (stir < 5.0 * level))


def muscle_blocks(stir: Field, muscle: Mask, bone: Mask, grid: Grid, reach_mm: float = 60.0) -> Blocks:
    """Squares of muscle within `reach_mm` (in the plane) of bone and at least 5 mm from it."""
    found = blocks(stir, muscle, grid, share=0.9)
    if not len(found.value):
        return found
    step = max(1, round(2.5 / grid.spacing_mm[0]))
    coarse = np.asarray(bone[::step, ::step])
    spacing = (step * grid.spacing_mm[0], step * grid.spacing_mm[1])
    away = np.stack([_distance(coarse[:, :, k], spacing) for k in range(coarse.shape[2])], 2)
    at = np.minimum(np.round(found.index / (step, step, 1)).astype(int), np.array(coarse.shape) - 1)
    near = away[tuple(at.T)]
    keep = (near > 5.0) & (near < reach_mm)
    return Blocks(found.value[keep], found.index[keep])


def _distance(mask: NDArray[np.bool_], spacing: tuple[float, float]) -> NDArray[np.float64]:
    if not mask.any():
        return np.full(mask.shape, np.inf)
    return np.asarray(ndi.distance_transform_edt(~mask, spacing))


def normal_marrow(
    stir: Field, sacrum: Mask, core: Mask, muscle: Blocks, grid: Grid
) -> tuple[CoilField, MarrowReference] | NotScorable:
    """The field and normal marrow under it; NotScorable where too little bone agrees on what is normal."""
    middle = middle_of(sacrum)
    found = blocks(stir, core, grid, share=0.6)
    marrow_ml = float(core.sum() * grid.voxel_ml)
    if len(found.value) < 100:
        text = (
            f"Normal marrow cannot be found: {marrow_ml:.1f} ml of bone in {len(found.value)} squares, 100 are needed."
        )
        return NotScorable((Reason("no-normal-marrow", text),))
    body = _sacral_body(found, sacrum, middle, grid)
    field = fit_field(_weighted(found, body), muscle, grid, middle)
    signal = field.bone_signal()
    ratio = stir[core] / signal[core]
    half_width = np.median(ratio) - np.percentile(ratio, 16)
    if field.inlier_fraction < MIN_INLIERS:
        share = f"{field.inlier_fraction:.0%} of bone agrees on one level"
        text = f"Normal marrow cannot be found: {share}, at least {MIN_INLIERS:.0%} must."
        return NotScorable((Reason("no-normal-marrow", text),))
    low, high = np.percentile(signal[core][::7], (1, 99))
    body_marrow = sacrum & core if (sacrum & core).any() else core
    reference = MarrowReference(
        signal,
        level=float(np.median(signal[body_marrow])),
        spread=float(half_width),
        field_range=float(high / low),
        marrow_ml=marrow_ml,
        muscle_ml=float(len(muscle.value) * BLOCK_MM**2 * grid.spacing_mm[2] / 1000),
        inlier_fraction=field.inlier_fraction,
    )
    return field, reference


def over_bone(t1: Field, sacrum: Mask, bone: Mask, core: Mask, muscle: Mask, grid: Grid) -> Field:
    """T1 over the median of bone, the coil's gain taken out: without that the marrow nearer to a coil passes for fat.

    The field is fitted as that of the STIR is, to `core` (marrow) and `muscle`.
    """
    marrow = blocks(t1, core, grid, share=0.6)
    field = fit_field(marrow, muscle_blocks(t1, muscle, bone, grid), grid, middle_of(sacrum))
    even = t1 / field.bone_signal()
    return np.asarray(even / np.median(even[bone]), np.float32)


def _sacral_body(found: Blocks, sacrum: Mask, middle: float, grid: Grid) -> Mask:
    """Which squares lie in the sacral bodies, within 25 mm of the midline: between the foramina."""
    at = np.round(found.index).astype(int)
    near = np.abs(found.index[:, 0] - middle) * grid.spacing_mm[0] < 25.0
    return np.asarray(near & sacrum[tuple(at.T)])


def _weighted(found: Blocks, body: Mask) -> Blocks:
    """The squares, with those of the sacral bodies three times: readers' own reference."""
    return Blocks(
        np.concatenate([found.value, found.value[body], found.value[body]]),
        np.concatenate([found.index, found.index[body], found.index[body]]),
    )


def fluid_mask(ratio: Field, t1_ratio: Field | None, bone: Mask) -> Mask:
    """Vessels, CSF and other fluid outside bone: over 2.5 times normal marrow on STIR, and not brighter than bone
    on T1 (fat).

    Vessels measure 3.6-9.9 times normal marrow on real STIR.
    """
    bright = ~bone & (ratio > 2.5)
    return np.asarray(bright if t1_ratio is None else bright & (t1_ratio < 1))


def fluid_reference(ratio: Field, fluid: Mask, bone: Mask, grid: Grid, settings: LesionSettings) -> FluidReference:
    """Brightness of the vessels, or of the CSF, near the sacrum over normal marrow (`ratio`, the STIR over the field).

    CSF is fluid with bone on both sides within 25 mm in its row (the sacral and lumbar canal); a vessel is fluid
    without, within 40 mm of bone in its row, in pieces of at most 15 ml (larger ones are bladder or bowel). The
    upper quartile is taken: borders are partial volume.
    """
    left, right = (_bone_beside(bone, round(25.0 / grid.spacing_mm[0]), step) for step in (-1, 1))
    canal = fluid & left & right
    if settings.intense_reference == "csf":
        chosen = canal
    else:
        near = np.logical_or(*(_bone_beside(bone, round(40.0 / grid.spacing_mm[0]), step) for step in (-1, 1)))
        outside = fluid & ~canal & near
        pieces, count = ndi.label(outside)
        volume = np.bincount(pieces.ravel(), minlength=count + 1) * grid.voxel_ml
        chosen = outside & (volume[pieces] <= 15.0)
    volume_ml = float(chosen.sum() * grid.voxel_ml)
    if volume_ml < settings.intense_min_ml:
        return FluidReference(settings.intense_reference, None, volume_ml)
    return FluidReference(settings.intense_reference, float(np.percentile(ratio[chosen], 75)), volume_ml)


def intense_from(fluid: FluidReference, settings: LesionSettings) -> float | None:
    """STIR over normal marrow from which oedema is intense; None without a reference."""
    if fluid.ratio is None:
        return None
    return min(max(settings.intense_fraction * fluid.ratio, settings.intense_lowest), settings.intense_highest)


def _bone_beside(bone: Mask, reach: int, step: int) -> Mask:
    """Where bone lies within `reach` voxels along axis 0, before (-1) or after (1)."""
    total = np.cumsum(bone[::step], axis=0, dtype=np.int32)
    before = total.copy()
    before[reach:] -= total[:-reach]
    return np.asarray((before > 0)[::step])


def muscle_signs(muscle: Blocks, field: CoilField, middle: float, settings: LesionSettings) -> tuple[MuscleSign, ...]:
    """Brightness of the muscle about each joint over that of both sides' muscle."""
    if not len(muscle.value) or field.muscle_to_marrow is None:
        return tuple(MuscleSign(side, None, None, False) for side in Side)
    expected = field.at(muscle.index) * field.muscle_to_marrow
    relative = muscle.value / expected
    signs = []
    for side, own in ((Side.LEFT, muscle.index[:, 0] > middle), (Side.RIGHT, muscle.index[:, 0] <= middle)):
        if own.sum() < 50:
            signs.append(MuscleSign(side, None, None, False))
            continue
        share = float(np.mean(relative[own] > settings.muscle_bright_ratio))
        signs.append(MuscleSign(side, float(np.median(relative[own])), share, share > settings.muscle_bright_fraction))
    return tuple(signs)
