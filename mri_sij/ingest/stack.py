"""The frames of one stack, in order, with the grid that they span."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mri_sij.errors import GeometryError, RefusedError
from mri_sij.evidence import Reason
from mri_sij.geometry import LPS_TO_RAS, Floats, Grid
from mri_sij.ingest.frame import Frame, Six

SAME_POSITION_MM = 0.01
"""Two slices nearer than this lie at one place; no scanner takes slices so close."""

SPACING_TOLERANCE_MM = 0.05
"""A slice may lie this far from its place in an even stack: positions rounded to a tenth of a millimetre pass."""

STEP_TOLERANCE_MM = 0.02
"""The far slice of a stack built on its first two positions may lie this far from its own: far below a voxel."""

SHEAR_TOLERANCE_RAD = 1e-3
"""The way from slice to slice may lean this far from the slice normal: cosines rounded to three digits pass."""

ORIENTATION_TOLERANCE = 3e-4
"""Direction cosines of one stack differ by no more: rounding to four digits."""


class StackError(RefusedError):
    """Frames that do not make one stack; `code` names the cause."""

    def __init__(self, code: str, message: str, *, hint: str = "", frames: tuple[Frame, ...] = ()) -> None:
        super().__init__(message, hint=hint, files=tuple(dict.fromkeys(frame.name for frame in frames)))
        self.code = code


@dataclass(frozen=True)
class Stack:
    """Slices in order along their normal, one frame a place.

    `grid` has axis i along the image rows (columns of pixels), j down the columns, k through the slices. `copies`
    pairs a kept frame with another at the same place; the two are compared when the pixels are read.
    `distinct` says what tells the stack from its neighbours in the series ("echo 84 ms, time 2").
    """

    frames: tuple[Frame, ...]
    grid: Grid
    copies: tuple[tuple[Frame, Frame], ...] = ()
    distinct: str = ""
    cautions: tuple[Reason, ...] = ()

    @property
    def scaling_varies(self) -> bool:
        """Whether rescale slope or intercept differ between slices (they are applied to each)."""
        return len({(frame.slope, frame.intercept) for frame in self.frames}) > 1


@dataclass(frozen=True)
class RefusedStack:
    """Frames that were found but make no stack, and why."""

    frames: tuple[Frame, ...]
    error: RefusedError
    distinct: str = ""


def arrange(frames: list[Frame], distinct: str) -> Stack:
    """Frames of one orientation, matrix and echo in order; `distinct` goes into the stack.

    Refuses, in this order, with StackError: colour; pixels stored inverted or shifted; a damaged rescale slope or
    intercept; no place, orientation or pixel spacing; cosines that are not at right angles; a single slice; slices
    that slide sideways (shear); missing slices; uneven spacing; every second slice missing where the header's own
    spacing says so.
    """
    for frame in frames:
        _require_grey(frame)
        _require_geometry(frame)
    normal = directions(frames[0])[2]
    positions = np.array([frame.position for frame in frames])
    order = np.lexsort((np.array([frame.instance_number or 0 for frame in frames]), positions @ normal))
    ordered = [frames[int(n)] for n in order]
    kept, copies = _without_copies(ordered, normal)
    _require_several(kept, copies)
    # Cosines may differ by a rounding: those of the first slice stand for all, whichever file came first.
    first = kept[0]
    row, column, normal = directions(first)
    places = np.array([frame.position for frame in kept])
    _require_even(kept, places, normal)
    _require_header_spacing(kept, places, normal)
    origin, step = _origin_and_step(kept, places)
    spacing = first.pixel_spacing_mm
    assert spacing is not None
    affine = np.eye(4)
    affine[:3, :3] = np.stack([row * spacing[1], column * spacing[0], step], axis=1)
    affine[:3, 3] = origin
    try:
        grid = Grid((first.pixels.columns, first.pixels.rows, len(kept)), LPS_TO_RAS @ affine)
    except GeometryError as error:
        raise StackError("geometry", error.message, frames=tuple(kept)) from error
    return Stack(tuple(kept), grid, tuple(copies), distinct, _cautions(kept))


def _origin_and_step(kept: list[Frame], places: Floats) -> tuple[Floats, Floats]:
    """Place of the first slice of `kept` and the way to the next, both (3,) in LPS mm.

    The stack stands on the first two positions in the order of the instance numbers, as in dcm2niix, so that a mask
    drawn on the NIfTI that most of the field makes of a series lies on the very same grid. Where that misses the
    stated place of the far slice by more than STEP_TOLERANCE_MM, the first two are too coarse a measure and the step
    runs from end to end.
    """
    intervals = len(kept) - 1
    whole = (places[-1] - places[0]) / intervals
    numbers = kept[0].instance_number, kept[-1].instance_number
    backwards = None not in numbers and numbers[0] > numbers[1]  # type: ignore[operator]
    step = places[-1] - places[-2] if backwards else places[1] - places[0]
    if intervals * float(np.linalg.norm(step - whole)) > STEP_TOLERANCE_MM:
        return places[0], whole
    return (places[-1] - intervals * step if backwards else places[0]), step


def directions(frame: Frame) -> tuple[Floats, Floats, Floats]:
    """Unit vectors (LPS) along a row, down a column, and their normal."""
    assert frame.orientation is not None
    return _directions(frame.orientation)


@lru_cache(maxsize=256)
def _directions(orientation: Six) -> tuple[Floats, Floats, Floats]:
    row = np.array(orientation[:3]) / np.linalg.norm(orientation[:3])
    column = np.array(orientation[3:]) / np.linalg.norm(orientation[3:])
    return row, column, np.cross(row, column)


def _require_grey(frame: Frame) -> None:
    pixels = frame.pixels
    if pixels.samples != 1 or not pixels.photometric.startswith("MONOCHROME"):
        raise StackError("colour", "The image is in colour, not one grey value a pixel.", frames=(frame,))
    if pixels.photometric == "MONOCHROME1":
        raise StackError("inverted", "The image is stored inverted (MONOCHROME1).", frames=(frame,))
    # PS3.5 8.1.1: the value lies in the lowest bits, so its high bit is one below the bits stored.
    if pixels.high_bit != pixels.bits_stored - 1:
        raise StackError(
            "high_bit",
            f"The header places {pixels.bits_stored} stored bits up to bit {pixels.high_bit}, expected bit "
            f"{pixels.bits_stored - 1}: where in the pixels the values lie is unknown.",
            hint="Export the series again.",
            frames=(frame,),
        )
    if not frame.slope or not np.isfinite([frame.slope, frame.intercept]).all():
        raise StackError(
            "rescale",
            "The header's rescale slope is 0, or slope or intercept are there without a number.",
            hint="Export the series again.",
            frames=(frame,),
        )


def _require_geometry(frame: Frame) -> None:
    if frame.position is None or frame.orientation is None or frame.pixel_spacing_mm is None:
        absent = [
            word
            for word, value in (
                ("position", frame.position),
                ("orientation", frame.orientation),
                ("pixel spacing", frame.pixel_spacing_mm),
            )
            if value is None
        ]
        raise StackError(
            "no_geometry",
            f"The header gives no {' and no '.join(absent)}, so nobody can know where the voxels are.",
            hint="Export the original images, not screenshots or reformatted copies.",
            frames=(frame,),
        )
    if not all(0 < value < 1000 for value in frame.pixel_spacing_mm):
        raise StackError("pixel_spacing", f"The pixel spacing is {frame.pixel_spacing_mm} mm.", frames=(frame,))
    off = _off_square(frame.orientation)
    if off:
        raise StackError("orientation", off, frames=(frame,))


@lru_cache(maxsize=256)
def _off_square(orientation: Six) -> str:
    """What is wrong with direction cosines; "" for unit vectors at right angles."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if np.allclose(lengths, 1, atol=1e-3) and abs(row @ column) <= 1e-3:
        return ""
    return (
        f"The direction cosines have lengths {lengths[0]:.4f} and {lengths[1]:.4f} and product {row @ column:.4f}, "
        "expected 1, 1 and 0."
    )


def _without_copies(ordered: list[Frame], normal: Floats) -> tuple[list[Frame], list[tuple[Frame, Frame]]]:
    kept = [ordered[0]]
    copies = []
    for frame in ordered[1:]:
        if (np.array(frame.position) - np.array(kept[-1].position)) @ normal < SAME_POSITION_MM:
            copies.append((kept[-1], frame))
        else:
            kept.append(frame)
    for one, other in copies:
        aside = float(np.linalg.norm(np.array(one.position) - np.array(other.position)))
        if aside > SPACING_TOLERANCE_MM:
            raise StackError(
                "side_by_side",
                f"Two slices lie in one plane, {aside:.2f} mm apart within it.",
                hint="Two stacks were exported as one series. Export them apart.",
                frames=(one, other),
            )
    return kept, copies


def _require_several(kept: list[Frame], copies: list[tuple[Frame, Frame]]) -> None:
    if len(kept) > 1:
        return
    if copies:
        raise StackError(
            "one_position",
            f"All {1 + len(copies)} images lie at one place.",
            frames=tuple(kept + [b for _, b in copies]),
        )
    raise StackError("one_slice", "A single slice makes no volume: its spacing is unknown.", frames=tuple(kept))


def _require_even(kept: list[Frame], places: Floats, normal: Floats) -> None:
    along = (places - places[0]) @ normal
    steps = np.diff(along)
    aside = np.linalg.norm(places - places[0] - np.outer(along, normal), axis=1)
    lean = aside / np.maximum(along, 1e-9)
    if len(kept) > 1 and lean[-1] > SHEAR_TOLERANCE_RAD and aside[-1] > SPACING_TOLERANCE_MM:
        raise StackError(
            "shear",
            f"The slices slide sideways: {aside[-1]:.2f} mm over {along[-1]:.1f} mm, at most "
            f"{max(SHEAR_TOLERANCE_RAD * along[-1], SPACING_TOLERANCE_MM):.2f} mm is rounding.",
            hint="A sheared stack cannot be scored. Export the original series.",
            frames=tuple(kept),
        )
    even = np.arange(len(kept)) * along[-1] / (len(kept) - 1)
    off = np.abs(along - even)
    if off.max() <= SPACING_TOLERANCE_MM:
        worst = int(aside.argmax())
        if aside[worst] > max(SPACING_TOLERANCE_MM, SHEAR_TOLERANCE_RAD * along[-1]):
            raise StackError(
                "uneven_spacing",
                f"A slice lies {aside[worst]:.2f} mm beside its neighbours, at most {SPACING_TOLERANCE_MM} mm "
                "is rounding.",
                frames=(kept[worst],),
            )
        return
    ratio = steps / steps.min()
    if np.abs(ratio - ratio.round()).max() * steps.min() < 4 * SPACING_TOLERANCE_MM and ratio.max() > 1.5:
        raise _missing(kept, along, steps, ratio)
    raise StackError(
        "uneven_spacing",
        f"The distances between slices run from {steps.min():.3f} to {steps.max():.3f} mm (median "
        f"{np.median(steps):.3f}); a slice lies {off.max():.2f} mm from its place, at most {SPACING_TOLERANCE_MM} mm "
        "is rounding.",
        hint="The series is no even stack. Export the original series.",
        frames=(kept[int(off.argmax())],),
    )


def _missing(kept: list[Frame], along: Floats, steps: Floats, ratio: Floats) -> StackError:
    gaps = [int(n) for n in np.nonzero(ratio > 1.5)[0]]
    count = int((ratio.round() - 1).sum())
    after = int(gaps[0])
    return StackError(
        "missing_slices",
        f"{count} of {len(kept) + count} slices {'is' if count == 1 else 'are'} missing: neighbouring slices are "
        f"{steps.min():.2f} mm apart, but {steps[after]:.2f} mm after slice {after + 1} (at {along[after]:.1f} mm).",
        hint="Export the series again, with all its images.",
        frames=tuple(kept[n] for gap in gaps for n in (gap, gap + 1)),
    )


def _require_header_spacing(kept: list[Frame], places: Floats, normal: Floats) -> None:
    """Refuse a stack that is even only because whole runs are absent, where spacing and instance numbers say so."""
    measured = float((places[-1] - places[0]) @ normal) / (len(kept) - 1)
    protocol = kept[0].protocol
    # Some give it the sign of the way through the stack.
    said, thickness = abs(protocol.spacing_between_slices_mm or 0.0), protocol.slice_thickness_mm or 0.0
    if not said:
        return
    times = measured / said
    # Some give the gap alone. One as wide as a slice is unheard of, and looks like every second slice missing.
    is_gap = said < 0.9 * thickness and abs(said - (measured - thickness)) < 2 * SPACING_TOLERANCE_MM
    numbers = sorted(frame.instance_number for frame in kept if frame.instance_number is not None)
    holes = len(numbers) == len(kept) and min(np.diff(numbers)) >= round(times)
    if times > 1.5 and abs(times - round(times)) < 0.02 and (not is_gap or holes):
        raise StackError(
            "missing_slices",
            f"The slices lie {measured:.2f} mm apart; the header says {said:.2f} mm: {round(times) - 1} of every "
            f"{round(times)} slices are missing.",
            hint="Export the series again, with all its images.",
            frames=tuple(kept),
        )


def _cautions(kept: list[Frame]) -> tuple[Reason, ...]:
    found = []
    private = {frame.private_scale for frame in kept}
    if len(private) > 1:
        found.append(
            Reason("private_scaling_varies", "The vendor's private scale differs between slices; it is not applied.")
        )
    if len({frame.protocol.repetition_time_ms for frame in kept}) > 1:
        found.append(Reason("repetition_time_varies", "The repetition time differs between slices."))
    return tuple(found)
