"""Oedema of one visit: references, lesions, evidence, measures, and how sure (all in the reading frame)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.find import Anatomy
from mri_sij.anatomy.labels import SACRUM
from mri_sij.anatomy.span import Mask
from mri_sij.config import LesionSettings
from mri_sij.evidence import Bone, NotScorable, Reason, Side
from mri_sij.lesions import look, odds, reference
from mri_sij.lesions.burden import measure_burden
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
from mri_sij.lesions.oedema import accept
from mri_sij.lesions.records import (
    OEDEMA_LABELS,
    OEDEMA_NAMES,
    OEDEMA_PLACES,
    Findings,
    FluidReference,
    Lesion,
    MarrowReference,
    MuscleSign,
    Reference,
    Rejected,
)
from mri_sij.lesions.run_on import run_on
from mri_sij.lesions.search import Field, Search, across_joints, widen
from mri_sij.lesions.uncertainty import chances_of, interval_of, other_readings
from mri_sij.network.maps import Maps
from mri_sij.volume import LabelMap, Volume, require_same_grid

_FLUID, _LUMBAR = 0.5, 0.5
_LARGE_ML = 1.0
"""Least volume of what may be oedema but is not counted that is said (our choice)."""

_BETWEEN_ML = 0.1
"""Least volume of what counts in a joint's space that is said: two or three quadrants' least area (our choice)."""

_MISSED = 0.5
"""Share of the oedema beside the joints on slices that are not scored, from which that is said (our choice)."""

_NO_SIGNAL, _MOST_DARK = 0.1, 0.1
"""STIR over normal marrow below which bone gives no signal, and the share of it beside a joint from which that is said
(our choice; at most 0.6 % on real scans and 4 % on simulated ones with sclerosis, 19-40 % with a void of 4 cm)."""


def find_oedema(
    stir: Volume, t1: Volume | None, anatomy: Anatomy, maps: Maps | None, settings: LesionSettings
) -> Findings | NotScorable:
    """Find oedema at the sacroiliac joints and what it implies for the slices of `anatomy.slice_choice`.

    `stir`, `t1` and `maps` lie on one grid in the reading frame. NotScorable when no normal marrow can be found.
    Without `maps` the rules work alone, and less well (docs/lesions.md). GeometryError when the grids differ.
    """
    require_same_grid(stir, anatomy.segmentation.labels, *([t1] if t1 is not None else []))
    if maps is None:
        settings = settings.model_copy(update={"method": "rules"})
    marrow = find_marrow(stir, t1, anatomy, maps, settings)
    if isinstance(marrow, NotScorable):
        return marrow
    search = search_region(stir, anatomy, maps, marrow, settings)
    if settings.method == "combined":
        search = replace(search, oedema=_likely(search))
    ratio = stir.values / marrow.reference.signal
    fluid = _fluid(ratio, anatomy, marrow, settings)
    intense_ratio = reference.intense_from(fluid, settings)
    heights = heights_of(anatomy.joints, search.first_slice, search.code.shape[2])
    rows = np.array(anatomy.slice_choice.numbers, np.intp) - search.first_slice
    rows = rows[(rows >= 0) & (rows < len(heights))]
    oedema, lesions, rejected = accept(search, settings)
    readings = other_readings(search, heights, rows, intense_ratio, settings)
    search = across_joints(search)  # the networks must not see the joint space as bone
    items = measure_items(oedema, search, intense_from(search, intense_ratio), settings)
    marks = mark(items, heights, settings)
    extent = measure_extent(oedema, search, settings)
    reading = Reading(items, extent, marks, heights, search.first_slice, chances_of(readings, marks))
    beside = label_map(oedema, search)
    labels = run_on(beside, anatomy, ratio, settings)
    beyond = {code: ratio[(labels.data == code) & (beside.data == 0)] for code in OEDEMA_PLACES}
    return Findings(
        Reference(marrow.reference, fluid),
        labels,
        lesions,
        rejected,
        evidence_of(reading, anatomy.slice_choice.numbers),
        measure_burden(oedema, search, beyond, marrow.muscle, settings),
        interval_of(readings, marks, rows, settings),
        _cautions(fluid, marrow.muscle)
        + _dark(search, rows, settings)
        + _or_fat(rejected, settings)
        + _unsure(rejected)
        + _in_joint_space(lesions)
        + _elsewhere(oedema & periarticular(search, settings), search, rows),
    )


def _likely(search: Search) -> NDArray[np.float32]:
    """Probability of oedema: half-way, as log odds, between what the weighed measures and the second look say. Each
    alone calls more healthy marrow oedema than both together (docs/lesions.md)."""
    middle = (odds.log_odds(odds.measures(search)) + look.log_odds(search)) / 2
    return np.asarray(1 / (1 + np.exp(-middle)), np.float32)


@dataclass(frozen=True, eq=False)
class Marrow:
    """Normal marrow, and what was seen of the muscle on the way; `t1_ratio` is T1 over that of bone under the coil's
    gain (None without T1)."""

    reference: MarrowReference
    muscle: tuple[MuscleSign, ...]
    t1_ratio: Field | None


def find_marrow(
    stir: Volume, t1: Volume | None, anatomy: Anatomy, maps: Maps | None, settings: LesionSettings
) -> Marrow | NotScorable:
    """Normal marrow under the coil's field; what the network takes for oedema or for fluid is left out of the fit."""
    signal, grid, labels = stir.values, stir.grid, anatomy.segmentation.labels
    bone, sacrum = np.asarray(labels.data > 0), labels.mask(SACRUM)
    core = reference.marrow_core(bone, anatomy.regions.depth_mm, grid)
    if not core.any():
        return NotScorable(
            (Reason("no-normal-marrow", "Normal marrow cannot be found: all bone is thinner than cortex."),)
        )
    other = bone if maps is None else bone | (maps.lumbar > _LUMBAR) | (maps.fluid > _FLUID)
    like_muscle, maybe_bright = reference.muscle_masks(signal, None if t1 is None else t1.values, other, core)
    muscle = reference.muscle_blocks(signal, like_muscle, bone, grid)
    normal = core
    if maps is not None and settings.method != "rules":
        normal = reference.without_lesions(core, maps.oedema)
    found = reference.normal_marrow(signal, sacrum, normal, muscle, grid)
    if isinstance(found, NotScorable):
        return found
    field, marrow = found
    near = reference.muscle_blocks(signal, maybe_bright, bone, grid, reach_mm=30.0)
    signs = reference.muscle_signs(near, field, reference.middle_of(sacrum), settings)
    t1_ratio = None if t1 is None else reference.over_bone(t1.values, sacrum, bone, core, like_muscle, grid)
    return Marrow(marrow, signs, t1_ratio)


def search_region(
    stir: Volume, anatomy: Anatomy, maps: Maps | None, marrow: Marrow, settings: LesionSettings
) -> Search:
    """Where oedema is looked for, with all that is known of each voxel there."""
    bone = anatomy.segmentation.labels.data > 0
    barred = np.zeros(bone.shape, bool) if maps is None else (maps.fluid > _FLUID) | (maps.lumbar > _LUMBAR)
    wide = widen(anatomy.regions, barred, stir.grid, settings.cortex_mm)
    box = wide.box
    sigma = (*(settings.smoothing_mm / s for s in stir.grid.spacing_mm[:2]), 0.0)
    return Search(
        grid=stir.grid,
        box=box,
        code=wide.code,
        bone=wide.bone,
        space=wide.space,
        half=wide.half,
        depth_mm=wide.depth_mm,
        cartilaginous=wide.cartilaginous,
        ratio=ndi.gaussian_filter(stir.values[box], sigma) / marrow.reference.signal[box],
        oedema=None if maps is None else maps.oedema[box],
        fluid=None if maps is None else maps.fluid[box],
        t1_ratio=None if marrow.t1_ratio is None else marrow.t1_ratio[box],
    )


def _fluid(ratio: Field, anatomy: Anatomy, marrow: Marrow, settings: LesionSettings) -> FluidReference:
    labels = anatomy.segmentation.labels
    bone = np.asarray(labels.data > 0)
    mask = reference.fluid_mask(ratio, marrow.t1_ratio, bone)
    return reference.fluid_reference(ratio, mask, bone, labels.grid, settings)


def label_map(oedema: Mask, search: Search) -> LabelMap:
    """Oedema of the search box on the whole grid, labelled by joint and bone."""
    labels = np.zeros(search.grid.shape, np.uint8)
    labels[search.box] = np.where(oedema, search.code, 0)
    return LabelMap(labels, search.grid, OEDEMA_NAMES)


def _cautions(fluid: FluidReference, muscle: tuple[MuscleSign, ...]) -> tuple[Reason, ...]:
    cautions = []
    if fluid.ratio is None:
        text = f"Only {fluid.volume_ml:.2f} ml of {fluid.kind} to hold intensity against: no lesion is called intense."
        cautions.append(Reason("no-intensity-reference", text))
    for sign in muscle:
        if sign.bright:
            share = f"{sign.bright_fraction or 0:.0%}"
            text = (
                f"Muscle beside the {sign.side} joint is bright in {share} of it: to be looked at (infection, injury)."
            )
            cautions.append(Reason("bright-muscle", text))
    return tuple(cautions)


def _dark(search: Search, rows: NDArray[np.intp], settings: LesionSettings) -> tuple[Reason, ...]:
    """A caution for each joint beside which much bone gives no signal on the scored slices (`rows` of the search box):
    around metal signal is lost and heaped up, and the heap looks like oedema."""
    near, cautions = (periarticular(search, settings) & search.bone)[:, :, rows], []
    for side in Side:
        own = near & np.isin(search.code[:, :, rows], [OEDEMA_LABELS[side, bone] for bone in Bone])
        share = float((search.ratio[:, :, rows][own] < _NO_SIGNAL).mean()) if own.any() else 0.0
        if share >= _MOST_DARK:
            text = (
                f"{share:.0%} of the bone beside the {side} joint gives no signal on the scored slices (metal, air?): "
                f"what lies there is not seen, and a bright rim around it may be counted as oedema."
            )
            cautions.append(Reason("dark-bone", text))
    return tuple(cautions)


def _or_fat(rejected: tuple[Rejected, ...], settings: LesionSettings) -> tuple[Reason, ...]:
    """A caution for each large likely candidate that only its brightness on T1 speaks against."""
    return tuple(
        Reason(
            "oedema-or-fat",
            f"{one.found.volume_ml:.1f} ml in the {one.found.side} {one.found.bone} look like oedema on STIR "
            f"({one.found.contrast:.2f} times normal marrow) and like fat on T1 ({one.found.t1_ratio or 0:.2f} times "
            f"bone): not counted, to be looked at.",
        )
        for one in rejected
        if one.reason.code == "fat" and one.found.volume_ml >= _LARGE_ML
        if (one.found.probability or 0) >= settings.odds_mean
    )


def _unsure(rejected: tuple[Rejected, ...]) -> tuple[Reason, ...]:
    """A caution for each large candidate at the joint that is not likely or not bright enough: large faint oedema, of
    which parts alone stand out, is missed more often than any other (docs/lesions.md)."""
    return tuple(
        Reason(
            "oedema-unsure",
            f"{one.found.volume_ml:.1f} ml in the {one.found.side} {one.found.bone} may be oedema "
            f"({one.found.contrast:.2f} times normal marrow, probability {one.found.probability:.2f} on average): "
            f"not counted, to be looked at.",
        )
        for one in rejected
        if one.reason.code in ("unsure", "faint") and one.found.volume_ml >= _LARGE_ML
        if one.found.probability is not None
    )


def _in_joint_space(lesions: tuple[Lesion, ...]) -> tuple[Reason, ...]:
    """A caution for each joint in whose space as much was counted: an eye tells erosions from fluid better."""
    cautions = []
    for side in Side:
        parts = [one.found for one in lesions if one.in_joint_space and one.found.side is side]
        volume_ml = sum(one.volume_ml for one in parts)
        if volume_ml >= _BETWEEN_ML:
            text = (
                f"{volume_ml:.2f} ml of what is counted at the {side} joint lies between its "
                f"bones ({max(one.contrast for one in parts):.2f} times normal marrow): inflamed erosions count, fluid "
                f"does not; to be looked at."
            )
            cautions.append(Reason("oedema-in-joint-space", text))
    return tuple(cautions)


def _elsewhere(oedema: Mask, search: Search, rows: NDArray[np.intp]) -> tuple[Reason, ...]:
    """A caution where most of the oedema beside the joints lies on slices that are not scored: six thin slices do not
    reach from end to end of the joint, and a low total is then not a healthy one."""
    volumes_ml = oedema.sum((0, 1)) * search.voxel_ml
    outside = np.setdiff1d(np.flatnonzero(volumes_ml > 0), rows)
    missed_ml, all_ml = float(volumes_ml[outside].sum()), float(volumes_ml.sum())
    if missed_ml <= _MISSED * all_ml:
        return ()
    ends = (("in front of", outside < rows.min()), ("behind", outside > rows.max()))
    sides = [name for name, there in ends if there.any()]
    text = (
        f"{missed_ml:.2f} of {all_ml:.2f} ml of oedema beside the joints lies {' and '.join(sides)} the scored slices: "
        f"the total, Berlin and ASAS do not count it."
    )
    return (Reason("oedema-not-scored", text),)
