"""The tables below the pictures: what the score rests on, so that a reader can follow it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from mri_sij.anatomy.quality import Check, Quality
from mri_sij.evidence import Side
from mri_sij.ingest.acquisition import Acquisition
from mri_sij.lesions.records import Candidate, Findings
from mri_sij.report.view import Block
from mri_sij.result import VisitResult

NONE = "–"
_REJECTED_SHOWN = 12


def blocks_of(result: VisitResult) -> tuple[Block, ...]:
    """All tables that the result has something for."""
    blocks: list[Block] = []
    if result.findings is not None:
        blocks += [_references(result.findings), _bones(result.findings)]
    if result.anatomy is not None:
        blocks.append(_slices(result))
    blocks.append(_images(result))
    if result.quality is not None:
        blocks.append(_quality(result.quality))
    if result.findings is not None:
        blocks += [_lesions(result, result.findings), _rejected(result, result.findings)]
    if result.reading is not None:
        blocks.append(_changes(result))
    blocks.append(_considered(result))
    return tuple(blocks)


def number(value: float | None, digits: int = 2) -> str:
    """A figure for a table; a dash where there is none."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def _references(findings: Findings) -> Block:
    marrow, fluid = findings.reference.marrow, findings.reference.fluid
    name = {"vessel": "Vessels", "csf": "CSF"}.get(fluid.kind, fluid.kind)
    rows = (
        ("Normal marrow", number(marrow.level, 1), "median signal over the sacral body, in the STIR's units"),
        ("Spread of marrow", f"{marrow.spread:.0%}", "robust standard deviation around it"),
        ("Coil fall-off", number(marrow.field_range), "highest over lowest gain over bone, taken out"),
        ("Rests on", f"{marrow.marrow_ml:.0f} ml", f"of bone, {marrow.inlier_fraction:.0%} of which agrees"),
        (
            name,
            number(fluid.ratio),
            f"times normal marrow, from {fluid.volume_ml:.1f} ml; oedema is held against it as intense",
        ),
    )
    return Block("What brightness is held against", ("Reference", "Value", "Meaning"), rows, numeric=(1,))


def _bones(findings: Findings) -> Block:
    muscle = {sign.side: sign for sign in findings.measures.muscle}
    rows = [
        (
            f"{b.side.capitalize()} {b.bone}",
            number(b.volume_ml),
            NONE if b.fraction is None else f"{b.fraction:.1%}",
            number(b.mean_contrast),
            number(b.volume_times_contrast_ml),
        )
        for side in (Side.RIGHT, Side.LEFT)
        for b in findings.measures.burdens
        if b.side is side
    ]
    said = [
        f"{side}: {number(muscle[side].ratio)} times all muscle{' (bright)' if muscle[side].bright else ''}"
        for side in (Side.RIGHT, Side.LEFT)
        if side in muscle
    ]
    note = f"Muscle beside the joint, {'; '.join(said)}." if said else ""
    columns = ("Bone", "Oedema, ml", "Share of bone near the joint", "Mean contrast", "Volume × contrast, ml")
    return Block("Oedema by bone", columns, tuple(rows), note=note, numeric=(1, 2, 3, 4))


def _slices(result: VisitResult) -> Block:
    anatomy = result.anatomy
    assert anatomy is not None
    choice, segmentation = anatomy.slice_choice, anatomy.segmentation
    rows = (
        ("Scored slices", ", ".join(str(result.native_slice(k)) for k in choice.numbers)),
        ("Most posterior cartilaginous slice", str(result.native_slice(choice.transitional))),
        ("Angle to the sacrum's axis", NONE if choice.obliquity_deg is None else f"{choice.obliquity_deg:.0f}°"),
        ("Bones found by", segmentation.source),
        ("Agreement of two passes (Dice)", number(segmentation.agreement, 3)),
    )
    return Block("Slices and anatomy", ("What", "Value"), rows, note=choice.reason)


def _images(result: VisitResult) -> Block:
    images = result.images
    columns = ["What", "STIR"] + (["T1"] if images.t1_acquisition else [])
    series = [a for a in (images.stir_acquisition, images.t1_acquisition) if a is not None]
    rows = [
        ("Kind", *(a.kind for a in series)),
        ("TR / TE / TI, ms", *(_times(a) for a in series)),
        ("Field strength, T", *(number(a.field_strength_t, 1) for a in series)),
        ("Slice thickness, mm", *(number(a.slice_thickness_mm, 1) for a in series)),
        ("Slice spacing, mm", *(number(a.spacing_between_slices_mm, 1) for a in series)),
        ("Pixel, mm", *(_list(a.in_plane_mm, 2) for a in series)),
        ("Matrix", *(_list(a.matrix, 0) for a in series)),
        ("Scanner", *(a.manufacturer or NONE for a in series)),
    ]
    return Block(
        "Images",
        tuple(columns),
        tuple(rows),
        note=f"{images.orientation.capitalize()}, {images.tilt_deg:.0f}° from coronal.",
    )


def _times(acquisition: Acquisition) -> str:
    times = (acquisition.repetition_time_ms, acquisition.echo_time_ms, acquisition.inversion_time_ms)
    return " / ".join(number(time, 0) for time in times)


def _list(values: Any, digits: int) -> str:
    return NONE if values is None else " × ".join(number(v, digits) for v in values)


def _quality(quality: Quality) -> Block:
    checks = quality.checks
    rows = tuple((_spoken(c.name), _value(c.value), _limits(c.low, c.high), c.unit, _verdict(c)) for c in checks)
    bad = tuple(n for n, check in enumerate(checks) if not check.passed)
    return Block("Quality", ("Check", "Value", "Limits", "Unit", "Result"), rows, numeric=(1, 2), bad=bad)


def _spoken(name: str) -> str:
    if name == "left_right_deg":
        return "Turned from left-right"
    return name.removesuffix("_ml").removesuffix("_mm").replace("_", " ").capitalize()


def _verdict(check: Check) -> str:
    return "passed" if check.passed else check.meaning


def _value(value: float | None) -> str:
    return NONE if value is None else f"{value:.3g}"


def _limits(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"at least {low:g}" if low is not None else f"at most {high:g}" if high is not None else NONE


_CANDIDATE_COLUMNS = ("Bone", "Slices", "Volume, ml", "Depth, mm", "From joint, mm", "Contrast", "Probability", "T1")


def _candidate(found: Candidate, result: VisitResult) -> tuple[str, ...]:
    slices = sorted(result.native_slice(k) for k in found.slices)
    return (
        f"{found.side.capitalize()} {found.bone}",
        f"{slices[0]}–{slices[-1]}" if len(slices) > 1 else str(slices[0]) if slices else NONE,
        number(found.volume_ml),
        number(found.depth_mm, 1),
        number(found.contact_mm, 1),
        number(found.contrast),
        number(found.probability),
        number(found.t1_ratio),
    )


def _lesions(result: VisitResult, findings: Findings) -> Block:
    rows = tuple((str(lesion.number), *_candidate(lesion.found, result), lesion.reason) for lesion in findings.lesions)
    note = (
        "Contrast is the mean STIR signal over normal marrow; T1 is relative to that of bone."
        if rows
        else "No oedema was found."
    )
    columns = ("No.", *_CANDIDATE_COLUMNS, "Why it is oedema")
    return Block("Lesions", columns, rows, note=note, numeric=tuple(range(3, 9)), wide=True)


def _rejected(result: VisitResult, findings: Findings) -> Block:
    largest = sorted(findings.rejected, key=lambda r: -r.found.volume_ml)
    rows = tuple((*_candidate(r.found, result), r.reason.message) for r in largest[:_REJECTED_SHOWN])
    more = len(largest) - len(rows)
    note = f"The largest; {more} smaller ones are in visit.json." if more else "" if rows else "None."
    columns = (*_CANDIDATE_COLUMNS, "Why it is not")
    return Block("Bright places not taken for oedema", columns, rows, note=note, numeric=tuple(range(2, 8)), wide=True)


def _changes(result: VisitResult) -> Block:
    assert result.reading is not None
    changes = result.reading.overruled.changes
    rows = tuple(
        (str(c.slice_number), f"{c.side}", c.item.replace("_", " "), str(int(c.machine)), str(int(c.reader)))
        for c in changes
    )
    note = "The program's own score above is unchanged by these." if rows else "The reader agrees with every item."
    return Block("Changed by a reader", ("Slice", "Joint", "Item", "Program", "Reader"), rows, note=note)


def _considered(result: VisitResult) -> Block:
    used = {"stir": "STIR", "t1": "T1"}
    rows = tuple(
        (str(c.series), str(c.volume), c.kind or NONE, c.plane or NONE, used.get(c.use, "not used"), c.reason)
        for c in result.images.series_considered
    )
    columns = ("Series", "Volume", "Kind", "Plane", "Used as", "Why")
    return Block("Series of this visit", columns, rows, numeric=(0, 1), wide=True)


def flat(values: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Nested plain values as dotted keys and text."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
