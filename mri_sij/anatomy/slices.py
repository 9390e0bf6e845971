"""Which six slices SPARCC scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.image_quality import shown_slices
from mri_sij.anatomy.joint import Joints
from mri_sij.anatomy.labels import SACRUM
from mri_sij.config import AnatomySettings
from mri_sij.evidence import NotScorable, Reason
from mri_sij.volume import LabelMap, Volume

_SEEN_SHARE = 2 / 3
"""Share of the scored slices that must show each joint, or it cannot be scored (`scoring.min_slices_a_joint`)."""


@dataclass(frozen=True)
class SliceChoice:
    """The slices to score, from anterior to posterior (numbers of the reading frame), and why.

    `transitional` is the most posterior slice through the cartilaginous part; `obliquity_deg` the angle between the
    slices and the long axis of the sacrum (None when too little of the sacrum is seen to tell).
    """

    numbers: tuple[int, ...]
    transitional: int
    reason: str
    obliquity_deg: float | None
    cautions: tuple[Reason, ...] = ()


def choose_slices(
    stir: Volume, labels: LabelMap, joints: Joints, settings: AnatomySettings
) -> SliceChoice | NotScorable:
    """Six consecutive slices from the transitional slice forwards (spa-imaging.org; Maksymowych 2005, 2015).

    The transitional slice is the most posterior one on which both joints keep `full_height_fraction` of their greatest
    cartilaginous height; behind it the ligamentous part prevails. With `slices_from` "front" they are
    taken from the most anterior such slice backwards. Where slices lie askew, so that those six show one joint on fewer
    than four, they are moved past that slice until both are shown. Fewer than six slices with a joint: not scorable.
    """
    count = labels.grid.shape[2]
    heights = [
        by_slice({k: there.covered_mm for k, there in joint.slices.items()}, count)
        for joint in (joints.left, joints.right)
    ]
    seen = np.max(heights, axis=0) >= settings.min_joint_height_mm
    if min(h.max() for h in heights) < settings.min_joint_height_mm or seen.sum() < settings.slices:
        few = f"Cartilaginous joint is seen on {int(seen.sum())} slices; {settings.slices} are scored."
        return NotScorable((Reason("too_few_slices", few),))
    full = high_on_both(heights, settings)
    if not full.any():
        apart = "No slice shows the cartilaginous part of both joints: the slices lie askew."
        return NotScorable((Reason("no_common_slice", apart),))
    transitional = int(np.flatnonzero(full).max())
    back = settings.slices_from == "back"
    wanted = transitional - settings.slices + 1 if back else int(np.flatnonzero(full).min())
    first = int(np.clip(wanted, 0, count - settings.slices))
    moved = _moved(heights, first, settings)
    numbers = tuple(range(first + moved, first + moved + settings.slices))
    start = transitional if back else wanted
    left, right = (float(h[start]) for h in heights)
    which = (
        "last of the scored slices is the most posterior" if back else "first of the scored slices is the most anterior"
    )
    reason = (
        f"The {which} slice with at least {settings.full_height_fraction:.0%} of the greatest cartilaginous height on "
        f"both sides (left {left:.0f} mm, right {right:.0f} mm)."
    )
    shown, askew = shown_slices(stir), _askew(moved)
    reason = " ".join([reason, *(caution.message for caution in askew)])
    ends = _stack_ends(back, (wanted, first), (start <= shown[0], start >= shown[-1]))
    return SliceChoice(numbers, transitional, reason, obliquity_deg(labels), (*ends, *askew))


def high_on_both(heights: Sequence[NDArray[np.float64]], settings: AnatomySettings) -> NDArray[np.bool_]:
    """Slices on which both joints keep `full_height_fraction` of their greatest height (each by slice)."""
    return np.asarray(np.all([h >= settings.full_height_fraction * h.max() for h in heights], axis=0))


def _moved(heights: list[NDArray[np.float64]], first: int, settings: AnatomySettings) -> int:
    """Slices by which those from `first` on must be moved (backwards, or forwards where they are counted from the
    front) to show both joints; 0 where they do, or cannot."""
    seen = [h >= settings.min_joint_height_mm for h in heights]
    step = 1 if settings.slices_from == "back" else -1
    for moved in range(0, step * settings.slices, step):
        start, stop = first + moved, first + moved + settings.slices
        within = start >= 0 and stop <= len(seen[0])
        if within and all(s[start:stop].sum() >= _SEEN_SHARE * settings.slices for s in seen):
            return moved
    return 0


def _askew(moved: int) -> tuple[Reason, ...]:
    if not moved:
        return ()
    text = (
        f"The slices lie askew and, so counted, show one joint on too few: those that are scored lie {abs(moved)} "
        f"further {'back' if moved > 0 else 'in front'}, where both joints are seen."
    )
    return (Reason("slices_moved", text),)


def _stack_ends(back: bool, moved: tuple[int, int], at_end: tuple[bool, bool]) -> tuple[Reason, ...]:
    """Cautions where the stack does not hold the scored slices, or shows no end of the joint to count them from.

    `moved` is the first slice that should be scored and the one that is; `at_end` says whether the slice that counting
    starts from is the first or the last that shows anything.
    """
    wanted, first = moved
    cautions = []
    if first > wanted:
        late = f"The stack begins {first - wanted} slices behind the front of the scored slices; its first are scored."
        cautions.append(Reason("stack_begins_late", late))
    elif not back and at_end[0]:
        late = (
            "Both joints are high on the first slice already: what lies in front of it is not seen, and the scored "
            "slices may lie too far back."
        )
        cautions.append(Reason("stack_begins_late", late))
    if first < wanted:
        early = (
            f"The stack ends {wanted - first} slices in front of the back of the scored slices; its last are scored."
        )
        cautions.append(Reason("stack_ends_early", early))
    elif back and at_end[1]:
        early = (
            "Both joints are high up to the last slice: what lies behind it is not seen, and the scored slices may lie "
            "too far in front."
        )
        cautions.append(Reason("stack_ends_early", early))
    return tuple(cautions)


def by_slice(heights: Mapping[int, float], count: int) -> NDArray[np.float64]:
    """Cartilaginous heights (mm) of a joint on all `count` slices, a single outlier smoothed away."""
    raw = np.zeros(count)
    for k, height in heights.items():
        raw[k] = height
    return np.asarray(ndi.median_filter(raw, 3, mode="nearest"))


def obliquity_deg(labels: LabelMap) -> float | None:
    """Angle in degrees between the slices and the long axis of the sacrum in the mid-sagittal plane; 0 is parallel."""
    where = np.argwhere(labels.data == SACRUM)
    if len(where) < 500:
        return None
    world = labels.grid.world(where[:: max(1, len(where) // 20000)])
    middle = np.median(world[:, 0])
    body = world[np.abs(world[:, 0] - middle) < 20][:, 1:]
    if len(body) < 100:
        return None
    values, vectors = np.linalg.eigh(np.cov(body.T))
    if values[1] < 1.5 * values[0]:
        return None
    axis = vectors[:, 1]
    normal = labels.grid.directions[1:, 2]
    return float(np.degrees(np.arcsin(min(1.0, abs(float(axis @ normal))))))
