"""A series to its true stacks.

Hard differences (stack, frame of reference, matrix, pixel spacing, orientation) always part frames. Soft ones (echo,
image type, time, acquisition, diffusion, trigger) part them only where slices would otherwise lie on one place: a
scanner may well number the interleaved halves of one stack as two acquisitions, and parting those would leave two even
stacks of twice the spacing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from itertools import combinations

import numpy as np

from mri_sij.errors import RefusedError
from mri_sij.evidence import Reason
from mri_sij.geometry import Floats
from mri_sij.ingest.frame import Frame
from mri_sij.ingest.stack import (
    ORIENTATION_TOLERANCE,
    SAME_POSITION_MM,
    SPACING_TOLERANCE_MM,
    RefusedStack,
    Stack,
    StackError,
    arrange,
    directions,
)

PARALLEL_COSINE = np.cos(np.radians(10))
"""Groups within ten degrees may be parts of one torn stack; a localizer's planes are far apart."""

MIN_SHARE = 0.5
"""A soft difference parts a series only where each part holds more than this share of the places: two such parts share
a place, so that they are two images of it, while two halves of one stack share none."""

FAR_APART = 1.9
"""Slices this many times their own thickness apart leave room for others between them (2, but for rounding)."""

Soft = tuple[str, Callable[[Frame], Hashable]]

SOFT: tuple[Soft, ...] = (
    ("echo", lambda frame: (_tenths(frame.protocol.echo_time_ms), frame.echo_number)),
    ("image type", lambda frame: frame.protocol.image_type),
    ("time", lambda frame: frame.temporal_position),
    ("acquisition", lambda frame: frame.acquisition_number),
    ("diffusion", lambda frame: tuple(round(value, 3) for value in frame.diffusion)),
    ("trigger", lambda frame: _tenths(frame.trigger_time_ms)),
    ("file", lambda frame: frame.key_image if frame.pixels.frames > 1 else ""),
)

HARD: tuple[tuple[str, Callable[[Frame], Hashable]], ...] = (
    ("mixed_frame_of_reference", lambda frame: frame.key_frame_of_reference),
    ("mixed_matrix", lambda frame: (frame.pixels.rows, frame.pixels.columns)),
    ("mixed_pixel_spacing", lambda frame: tuple(round(v, 3) for v in frame.pixel_spacing_mm or ())),
    ("mixed_orientation", lambda frame: tuple(round(v, 2) for v in frame.orientation or ())),
)


def stacks(frames: list[Frame]) -> list[Stack | RefusedStack]:
    """All stacks of one series, arranged or refused, in the order of their first instance."""
    found: list[Stack | RefusedStack] = []
    placed = [frame for frame in frames if frame.position and frame.orientation and frame.pixel_spacing_mm]
    lost = [frame for frame in frames if not (frame.position and frame.orientation and frame.pixel_spacing_mm)]
    if lost:
        found.append(_arranged(lost, ""))
    for part in _mended(_hard_groups(placed)):
        if isinstance(part, RefusedStack):
            found.append(part)
        else:
            found.extend(_soft_stacks(part))
    numbers = {frame.instance_number for frame in frames if frame.instance_number is not None}
    return sorted((_spaced(item, numbers) for item in found), key=_first_instance)


def missing_at_an_end(frames: list[Frame]) -> Reason | None:
    """What instance numbers say of slices that geometry cannot miss: those before the first and after the last."""
    numbers = sorted({frame.instance_number for frame in frames if frame.instance_number is not None})
    if len(numbers) != len(frames) or any(frame.pixels.frames > 1 for frame in frames) or not numbers:
        return None
    declared = {frame.images_in_acquisition for frame in frames if frame.images_in_acquisition}
    steps = set(np.diff(numbers).tolist())
    holes = [n for n in range(numbers[0], numbers[-1] + 1) if n not in set(numbers)] if steps - {1} else []
    regular = len(steps) == 1
    if len(declared) == 1 and max(declared) > len(numbers):
        message = f"The header speaks of {max(declared)} images; {len(numbers)} are here."
    elif holes and not regular:
        message = f"Instance numbers run from {numbers[0]} to {numbers[-1]} with {len(holes)} absent."
    elif steps <= {1} and 1 < numbers[0] <= len(numbers):
        message = f"Instance numbers begin at {numbers[0]}: {numbers[0] - 1} earlier images are not here."
    else:
        return None
    return Reason("end_slices_may_be_missing", message + " A slice may be missing at an end of the stack.")


def _spaced(item: Stack | RefusedStack, series_numbers: set[int]) -> Stack | RefusedStack:
    """What to make of slices that leave room for others between them, where no spacing in the header confirms them.

    Every second slice may be missing. Refused where the instance numbers leave room too, for which no image of the
    series (another echo, the phase) accounts; else kept with a caution.
    """
    if isinstance(item, RefusedStack):
        return item
    protocol, measured = item.frames[0].protocol, item.grid.spacing_mm[2]
    thickness, said = protocol.slice_thickness_mm or 0.0, abs(protocol.spacing_between_slices_mm or 0.0)
    if not 0 < FAR_APART * thickness <= measured or abs(said - measured) <= SPACING_TOLERANCE_MM:
        return item
    far = f"The slices are {thickness:.2f} mm thick and lie {measured:.2f} mm apart"
    numbers = sorted(frame.instance_number for frame in item.frames if frame.instance_number is not None)
    between = {number for number in series_numbers - set(numbers) if numbers and numbers[0] < number < numbers[-1]}
    if len(numbers) == len(item.frames) and min(np.diff(numbers)) > 1 and not between:
        error = StackError(
            "missing_slices",
            f"{far}; no image of the series bears the instance numbers between theirs: slices are missing.",
            hint="Export the series again, with all its images.",
            frames=item.frames,
        )
        return RefusedStack(item.frames, error, item.distinct)
    caution = Reason("slices_far_apart", f"{far}: slices between them may be missing.")
    return replace(item, cautions=(*item.cautions, caution))


def _hard_groups(frames: list[Frame]) -> list[list[Frame]]:
    groups: list[list[Frame]] = []
    for frame in frames:
        home = next((group for group in groups if _same_hard(group[0], frame)), None)
        if home is None:
            groups.append([frame])
        else:
            home.append(frame)
    return groups


def _same_hard(one: Frame, other: Frame) -> bool:
    assert one.orientation and other.orientation and one.pixel_spacing_mm and other.pixel_spacing_mm
    return (
        one.stack == other.stack
        and one.key_frame_of_reference == other.key_frame_of_reference
        and (one.pixels.rows, one.pixels.columns) == (other.pixels.rows, other.pixels.columns)
        and max(abs(a - b) for a, b in zip(one.pixel_spacing_mm, other.pixel_spacing_mm, strict=True)) < 1e-4
        and max(abs(a - b) for a, b in zip(one.orientation, other.orientation, strict=True)) < ORIENTATION_TOLERANCE
    )


def _mended(groups: list[list[Frame]]) -> list[list[Frame] | RefusedStack]:
    """Groups that together make one even stack were torn apart by a difference that no stack may have: refuse them."""
    torn: dict[int, int] = {}
    for a, b in combinations(range(len(groups)), 2):
        if groups[a][0].stack == groups[b][0].stack and _fill_each_other(groups[a], groups[b]):
            torn[b] = torn.get(a, a)
    result: list[list[Frame] | RefusedStack] = []
    for n, group in enumerate(groups):
        if n in torn:
            continue
        others = [frame for member, home in torn.items() if home == n for frame in groups[member]]
        result.append(_mixed(group, others) if others else group)
    return result


def _fill_each_other(group: list[Frame], other: list[Frame]) -> bool:
    normal, other_normal = directions(group[0])[2], directions(other[0])[2]
    if abs(normal @ other_normal) < PARALLEL_COSINE:
        return False
    one, two = _places(group, normal), _places(other, normal)
    both = _distinct(np.concatenate([one, two]))
    if len(both) < 3 or len(both) == max(len(one), len(two)):
        return False
    # Centres of tilted or differently sized images do not lie on one line, so a tenth of a step is still even.
    steps = np.diff(both)
    return bool(np.abs(steps - np.median(steps)).max() < max(0.1 * np.median(steps), SPACING_TOLERANCE_MM))


def _mixed(group: list[Frame], others: list[Frame]) -> RefusedStack:
    code = next((code for code, key in HARD if key(group[0]) != key(others[0])), "mixed_orientation")
    minority = min(group, others, key=len)
    return RefusedStack(
        tuple(group + others),
        StackError(
            code,
            f"{len(minority)} of {len(group) + len(others)} slices of one stack differ from the others in "
            f"{code.removeprefix('mixed_').replace('_', ' ')} ({_values(code, group[0])} and "
            f"{_values(code, others[0])}).",
            hint="Export the original series; do not mix series or resize single images.",
            frames=tuple(minority),
        ),
    )


def _values(code: str, frame: Frame) -> str:
    if code == "mixed_matrix":
        return f"{frame.pixels.columns}x{frame.pixels.rows}"
    if code == "mixed_pixel_spacing" and frame.pixel_spacing_mm:
        return f"{frame.pixel_spacing_mm[0]:.4f} mm"
    if code == "mixed_orientation":
        return "normal " + " ".join(f"{value:.3f}" for value in directions(frame)[2])
    return "one" if code else ""


def _soft_stacks(frames: list[Frame]) -> list[Stack | RefusedStack]:
    unique, copies = _by_identity(frames)
    normal = directions(frames[0])[2]
    groups = [("", unique)]
    crowded = len(unique) > len(_distinct(_places(unique, normal)))
    for name, key in SOFT if crowded else ():
        groups = [part for label, group in groups for part in _parted(label, group, (name, key), normal)]
    result = []
    for label, group in groups:
        names = {frame.key_image for frame in group}
        mine = [copy for copy in copies if copy.key_image in names and _has_place(copy, group)]
        result.append(_mixed_soft(group + mine) or _arranged(group + mine, label))
    return result


def _by_identity(frames: list[Frame]) -> tuple[list[Frame], list[Frame]]:
    """Frames with an identity of their own, and those that repeat one (copies of a file)."""
    seen: dict[tuple[str, int], Frame] = {}
    copies = []
    for frame in frames:
        identity = (frame.key_image, frame.number)
        if frame.key_image and identity in seen:
            copies.append(frame)
        else:
            seen[identity if frame.key_image else (frame.name, frame.number)] = frame
    return list(seen.values()), copies


def _has_place(copy: Frame, group: list[Frame]) -> bool:
    return any(frame.key_image == copy.key_image and frame.number == copy.number for frame in group)


def _parted(label: str, group: list[Frame], soft: Soft, normal: Floats) -> list[tuple[str, list[Frame]]]:
    name, key = soft
    parts: dict[Hashable, list[Frame]] = {}
    for frame in group:
        parts.setdefault(key(frame), []).append(frame)
    if len(parts) == 1:
        return [(label, group)]
    places = len(_distinct(_places(group, normal)))
    smallest = min(len(_distinct(_places(part, normal))) for part in parts.values())
    if len(group) == places or smallest <= MIN_SHARE * places:
        return [(label, group)]
    ordered = sorted(parts.values(), key=_order_of)
    return [(f"{label}, {name} {n}".lstrip(", "), part) for n, part in enumerate(ordered, 1)]


def _mixed_soft(group: list[Frame]) -> RefusedStack | None:
    """Images of several echoes or image types that no soft difference could part: one stack of unlike images."""
    for code, (_, key) in (("mixed_echoes", SOFT[0]), ("mixed_image_type", SOFT[1])):
        kinds = {key(frame) for frame in group}
        if len(kinds) > 1:
            error = StackError(
                code,
                f"The {len(group)} images of one stack come from {len(kinds)} different "
                f"{code.removeprefix('mixed_').replace('_', ' ')}{'s' if code.endswith('type') else ''}.",
                hint="Export each echo or image type as its own series.",
                frames=tuple(group),
            )
            return RefusedStack(tuple(group), error)
    return None


def _arranged(frames: list[Frame], label: str) -> Stack | RefusedStack:
    try:
        return arrange(frames, label)
    except RefusedError as error:
        return RefusedStack(tuple(frames), error, label)


def _places(frames: list[Frame], normal: Floats) -> Floats:
    """Where the image centres lie along `normal`: centres, so that a change of matrix or tilt does not move them."""
    row, column, _ = directions(frames[0])
    positions = np.array([frame.position for frame in frames])
    half = np.array(
        [
            (
                frame.pixel_spacing_mm[1] * (frame.pixels.columns - 1) / 2,
                frame.pixel_spacing_mm[0] * (frame.pixels.rows - 1) / 2,
            )
            for frame in frames
            if frame.pixel_spacing_mm
        ]
    )
    return np.asarray((positions + half[:, :1] * row + half[:, 1:] * column) @ normal, dtype=np.float64)


def _distinct(places: Floats) -> Floats:
    ordered = np.sort(places)
    fresh = np.concatenate([[True], np.diff(ordered) >= SAME_POSITION_MM])
    return np.asarray(ordered[fresh], dtype=np.float64)


def _order_of(frames: list[Frame]) -> tuple[float, float, float, str]:
    first = min(frames, key=lambda frame: (frame.temporal_position or 0, frame.instance_number or 0, frame.number))
    return first.temporal_position or 0, first.instance_number or 0, first.number, first.key_image


def _first_instance(item: Stack | RefusedStack) -> tuple[float, float, float, str]:
    return _order_of(list(item.frames))


def _tenths(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
