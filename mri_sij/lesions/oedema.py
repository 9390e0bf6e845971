"""From bright places to oedema: candidates, and for each the reason why it was accepted or rejected.

Candidates come from the network's map (or, by settings, from brightness alone), grown down to a lower threshold so
that a lesion keeps its faint border (hysteresis). The rules then ask what a reader asks: is it bright against
normal marrow, does it come to the cartilaginous joint, is it fluid, fat, or the normal rim?
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.span import Mask
from mri_sij.config import LesionSettings
from mri_sij.evidence import Reason
from mri_sij.lesions.holes import filled
from mri_sij.lesions.inflamed_space import inflamed
from mri_sij.lesions.records import OEDEMA_PLACES, Candidate, Lesion, Rejected
from mri_sij.lesions.search import NEIGHBOURS, Search, across_joints


@dataclass(frozen=True)
class Perturbation:
    """One other reading of the same images: factor on the normal-marrow level, shift of the network's log odds,
    shift of the margin."""

    reference: float = 1.0
    logit: float = 0.0
    border_mm: float = 0.0
    slice_shift: int = 0


AS_READ = Perturbation()


@dataclass(frozen=True, eq=False)
class Pieces:
    """Connected candidates: `label` (0 none, 1...) over the search box, and of each label from 1 its code."""

    label: NDArray[np.int32]
    codes: NDArray[np.uint8]


def grow(search: Search, settings: LesionSettings, change: Perturbation = AS_READ) -> Mask:
    """Voxels that may be oedema."""
    ratio_needed = np.float32(
        (settings.rules_grow if settings.method == "rules" else settings.contrast_grow) * change.reference
    )
    if settings.method == "rules" or search.oedema is None:
        return np.asarray((search.code > 0) & (search.ratio >= ratio_needed))
    likely = search.oedema >= moved(thresholds(settings)[0], change.logit)
    if settings.method == "network+rules":
        likely &= search.ratio >= ratio_needed
    return np.asarray((search.code > 0) & likely)


def thresholds(settings: LesionSettings) -> tuple[float, float]:
    """Probabilities from which a voxel belongs to a candidate, and that a candidate must reach."""
    if settings.method == "combined":
        return settings.odds_grow, settings.odds_peak
    return settings.network_grow, settings.network_peak


def mean_needed(clear_ml: float, settings: LesionSettings) -> float:
    """Mean probability asked of a candidate where `clear_ml` of oedema have been found by `odds_mean`."""
    return settings.odds_mean_beside if clear_ml >= settings.odds_beside_ml else settings.odds_mean


def moved(probability: float, logit: float) -> np.float32:
    """`probability` moved by `logit` on the scale of log odds."""
    odds = probability / (1 - probability) * np.exp(logit)
    return np.float32(odds / (1 + odds))


def connect(mask: Mask, code: NDArray[np.uint8]) -> Pieces:
    """Connected pieces of `mask`, each within one bone of one joint."""
    label = np.zeros(mask.shape, np.int32)
    codes: list[int] = []
    for number, box in enumerate(ndi.find_objects(code, max_label=4), start=1):
        if box is None:
            continue
        part, count = ndi.label(mask[box] & (code[box] == number), NEIGHBOURS)
        label[box][part > 0] = part[part > 0] + len(codes)
        codes += [number] * count
    return Pieces(label, np.array(codes, np.uint8))


def describe(search: Search, pieces: Pieces, bright: Mask) -> tuple[Candidate, ...]:
    """Measure every piece; `bright` is where it counts (`bright_enough`)."""
    found = []
    for number, box in enumerate(ndi.find_objects(pieces.label), start=1):
        inside = pieces.label[box] == number
        found.append(_measure(search, box, inside, bright[box], int(pieces.codes[number - 1])))
    return tuple(found)


def _measure(search: Search, box: tuple[slice, ...], inside: Mask, bright: Mask, code: int) -> Candidate:
    ratio, depth = search.ratio[box][inside], search.depth_mm[box][inside]
    beside = search.cartilaginous[box][inside]
    side, bone = OEDEMA_PLACES[code]
    slices = np.flatnonzero(inside.any((0, 1))) + box[2].start + search.first_slice
    thickness = max(
        float(ndi.distance_transform_edt(np.pad(inside[:, :, k], 1), search.pixel_mm).max())
        for k in range(inside.shape[2])
    )
    return Candidate(
        side=side,
        bone=bone,
        slices=tuple(int(k) for k in slices),
        volume_ml=float(inside.sum() * search.voxel_ml),
        depth_mm=float(np.percentile(depth, 98)),
        contact_mm=float(depth[beside].min()) if beside.any() else float("inf"),
        contrast=float(ratio.mean()),
        peak_contrast=float(np.percentile(ratio, 95)),
        probability=None if search.oedema is None else _mean(search.oedema[box], inside, bright),
        t1_ratio=None if search.t1_ratio is None else float(np.median(search.t1_ratio[box][inside])),
        cartilaginous_fraction=float(beside.mean()),
        thickness_mm=2 * thickness,
    )


def _mean(values: NDArray[np.float32], inside: Mask, bright: Mask) -> float:
    """Mean over the bright part of a piece, over all of it where nothing is bright."""
    part = inside & bright
    return float(values[part if part.any() else inside].mean())


def judge(found: Candidate, peak: float, fluid: float, settings: LesionSettings) -> Reason | None:
    """Why a candidate is not oedema of the joint, or None. `peak` is its highest probability, `fluid` its
    share called fluid."""
    network = settings.method != "rules" and found.probability is not None
    weak = settings.method == "combined" and (found.probability or 1) < settings.odds_mean
    checks = [
        (found.volume_ml < settings.min_volume_ml, "small", f"{found.volume_ml:.3f} of {settings.min_volume_ml} ml"),
        (found.contact_mm == float("inf"), "not-cartilaginous", "beside no cartilaginous joint"),
        (found.contact_mm > settings.contact_mm, "away-from-joint", f"{found.contact_mm:.1f} mm from the joint"),
        (network and peak < thresholds(settings)[1], "unsure", f"probability at most {peak:.2f}"),
        (weak, "unsure", f"probability {found.probability or 0:.2f} on average"),
    ]  # fmt: skip
    if settings.method != "network":
        sure = settings.method == "combined" and (found.probability or 0) >= settings.odds_sure
        needed = settings.sure_contrast if sure else settings.min_contrast if network else settings.rules_peak
        reached = found.contrast if network else found.peak_contrast
        t1 = found.t1_ratio
        shallow = found.depth_mm <= settings.rim_depth_mm
        joint = shallow and t1 is not None and t1 < settings.joint_t1_ratio
        rim = shallow and found.peak_contrast <= settings.rim_contrast
        checks += [
            (reached < needed, "faint", f"{reached:.2f} times normal marrow, {needed} needed"),
            (fluid >= settings.vessel_fluid_fraction, "fluid", f"{fluid:.0%} of it is vessel, cyst or joint fluid"),
            (t1 is not None and t1 > settings.fat_t1_ratio, "fat", f"T1 {t1 or 0:.2f} times that of bone"),
            (joint, "joint", f"only {found.depth_mm:.1f} mm deep and T1 {t1 or 0:.2f} times that of bone"),
            (rim, "normal-rim", f"only {found.depth_mm:.1f} mm deep and {found.peak_contrast:.2f} times normal marrow"),
        ]  # fmt: skip
    return next((Reason(code, text) for failed, code, text in checks if failed), None)


def accept(search: Search, settings: LesionSettings) -> tuple[Mask, tuple[Lesion, ...], tuple[Rejected, ...]]:
    """Oedema over the search box, with the record of every candidate."""
    pieces = connect(grow(search, settings), search.code)
    count = len(pieces.codes)
    peaks = _maxima(search.oedema, pieces, count)
    fluids = _shares(search.fluid, pieces, count)
    bright = bright_enough(search, settings)
    candidates = describe(search, pieces, bright)

    def judged(by: LesionSettings) -> list[Reason | None]:
        return [judge(found, float(peaks[n]), float(fluids[n]), by) for n, found in enumerate(candidates, start=1)]

    reasons = judged(settings)
    clear_ml = sum(found.volume_ml for found, reason in zip(candidates, reasons, strict=True) if reason is None)
    reasons = judged(settings.model_copy(update={"odds_mean": mean_needed(clear_ml, settings)}))
    rejected = [
        Rejected(found, reason) for found, reason in zip(candidates, reasons, strict=True) if reason is not None
    ]
    kept = np.array([False] + [reason is None for reason in reasons])
    oedema = fill(kept[pieces.label] & bright, search.code)
    number = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    counted = describe(search, Pieces(np.where(oedema, number[pieces.label], 0), pieces.codes[kept[1:]]), bright)
    lesions = [Lesion(n, found, _why(found)) for n, found in enumerate(counted, start=1)]
    space = inflamed(search, oedema, settings)
    lesions += _in_joints(search, space & ~oedema, bright, len(lesions))
    return oedema | space, tuple(lesions), tuple(rejected)


def bright_enough(search: Search, settings: LesionSettings, reference: float = 1.0) -> Mask:
    """Where what belongs to an accepted candidate counts: not the dark cortex that it crosses. `reference` is another
    level of normal marrow that is tried; the network alone is believed as it is."""
    if settings.method == "network":
        return np.ones(search.ratio.shape, bool)
    return np.asarray(search.ratio >= settings.darkest * reference)


def _in_joints(search: Search, found: Mask, bright: Mask, before: int) -> list[Lesion]:
    """The records of what was found in the joint space, one for each bone that it counts for."""
    codes = np.unique(search.space[found])
    number = np.zeros(5, np.int32)
    number[codes] = np.arange(1, len(codes) + 1)
    pieces = Pieces(number[np.where(found, search.space, 0)], codes)
    candidates = describe(across_joints(search), pieces, bright)
    return [
        Lesion(n, one, f"in the joint space, {_why(one)}", in_joint_space=True)
        for n, one in enumerate(candidates, start=before + 1)
    ]


def _maxima(values: NDArray[np.float32] | None, pieces: Pieces, count: int) -> NDArray[np.float64]:
    if values is None or not count:
        return np.zeros(count + 1)
    inside = pieces.label > 0
    highest = ndi.maximum(values[inside], pieces.label[inside], np.arange(1, count + 1))
    return np.concatenate([[0.0], np.asarray(highest)])


def _shares(values: NDArray[np.float32] | None, pieces: Pieces, count: int) -> NDArray[np.float64]:
    if values is None or not count:
        return np.zeros(count + 1)
    inside = pieces.label > 0
    share = ndi.mean(values[inside] >= 0.5, pieces.label[inside], np.arange(1, count + 1))
    return np.concatenate([[0.0], np.asarray(share)])


def fill(mask: Mask, code: NDArray[np.uint8]) -> Mask:
    """Close holes in the plane, within the same bone: readers outline a lesion, not its pores."""
    out = mask.copy()
    for k in np.flatnonzero(mask.any((0, 1))):
        for number, box in enumerate(ndi.find_objects(np.where(mask[:, :, k], code[:, :, k], 0)), start=1):
            if box is not None:
                own = code[:, :, k][box] == number
                out[:, :, k][box] |= filled(mask[:, :, k][box] & own) & own
    return out


def _why(found: Candidate) -> str:
    text = (
        f"{found.contrast:.2f} times normal marrow, {found.contact_mm:.1f} mm from the joint, {found.depth_mm:.0f} mm"
    )
    text += f" deep, {found.volume_ml:.2f} ml on {len(found.slices)} slices"
    if found.probability is not None:
        text += f"; probability {found.probability:.2f}"
    if found.t1_ratio is not None:
        text += f"; T1 {found.t1_ratio:.2f} times that of bone" + (
            " (dark, as oedema is)" if found.t1_ratio < 0.85 else ""
        )
    return text
