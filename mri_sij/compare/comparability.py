"""Whether two visits may be compared: what differs between their images, as cautions or as reasons not to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mri_sij.config import CompareSettings
from mri_sij.evidence import Reason
from mri_sij.geometry import Floats, Grid
from mri_sij.ingest.acquisition import Acquisition


@dataclass(frozen=True)
class Comparability:
    """`reasons` forbid the comparison, `cautions` only qualify it; `tilt_deg` is the angle between the slices."""

    reasons: tuple[Reason, ...]
    cautions: tuple[Reason, ...]
    tilt_deg: float | None


def compare_sequences(first: Acquisition, second: Acquisition, settings: CompareSettings) -> Comparability:
    """Differences of the two STIR acquisitions; a value that either header lacks is not judged."""
    reasons: list[Reason] = []
    cautions: list[Reason] = []
    if first.kind != second.kind:
        found = Reason("sequence", f"The baseline is {first.kind.upper()}, the follow-up {second.kind.upper()}.")
        (reasons if settings.same_sequence else cautions).append(found)
    echo = _ratio(first.echo_time_ms, second.echo_time_ms)
    if echo is not None and echo > settings.caution_echo_time_ratio:
        text = f"Echo times of {first.echo_time_ms:g} and {second.echo_time_ms:g} ms give oedema another contrast."
        (reasons if echo > settings.refuse_echo_time_ratio else cautions).append(Reason("echo_time", text))
    if _differ(first.field_strength_t, second.field_strength_t, 0.3):
        text = f"Field strengths of {first.field_strength_t:g} and {second.field_strength_t:g} T."
        cautions.append(Reason("field_strength", text))
    elif _differ(first.inversion_time_ms, second.inversion_time_ms, settings.caution_inversion_time_ms):
        times = f"{first.inversion_time_ms:g} and {second.inversion_time_ms:g} ms"
        text = f"Inversion times of {times} suppress fat differently."
        cautions.append(Reason("inversion_time", text))
    if {first.fat_suppressed, second.fat_suppressed} == {True, False}:
        reasons.append(Reason("fat_suppression", "Fat is suppressed on one of the two visits only."))
    if bool(first.contrast_agent) != bool(second.contrast_agent):
        cautions.append(Reason("contrast_agent", "One of the two visits was scanned after contrast agent."))
    if first.manufacturer and second.manufacturer and first.manufacturer != second.manufacturer:
        cautions.append(Reason("scanner", "The two visits were scanned on scanners of different makers."))
    return Comparability(tuple(reasons), tuple(cautions), None)


def compare_grids(first: Grid, second: Grid, sacrum: Floats, settings: CompareSettings) -> Comparability:
    """Differences of sampling and of the slices' plane in the sacrum's own frame; grids in the reading frame.

    `sacrum` is the 4x4 motion of the sacrum from the first visit to the second.
    """
    reasons: list[Reason] = []
    cautions: list[Reason] = []
    normals = sacrum[:3, :3] @ first.directions[:, 2], second.directions[:, 2]
    tilt = float(np.degrees(np.arccos(np.clip(abs(float(normals[0] @ normals[1])), 0, 1))))
    if tilt > settings.caution_tilt_deg:
        text = f"The slices of the two visits are {tilt:.0f} degrees apart in the sacrum's frame."
        (reasons if tilt > settings.refuse_tilt_deg else cautions).append(Reason("plane", text))
    spacing = _ratio(first.spacing_mm[2], second.spacing_mm[2]) or 1.0
    if spacing > settings.caution_thickness_ratio:
        text = f"Slices lie {first.spacing_mm[2]:.1f} and {second.spacing_mm[2]:.1f} mm apart."
        (reasons if spacing > settings.refuse_thickness_ratio else cautions).append(Reason("thickness", text))
    pixel = _ratio(first.spacing_mm[0], second.spacing_mm[0]) or 1.0
    if pixel > settings.caution_pixel_ratio:
        text = f"Pixels of {first.spacing_mm[0]:.2f} and {second.spacing_mm[0]:.2f} mm."
        cautions.append(Reason("pixel", text))
    return Comparability(tuple(reasons), tuple(cautions), tilt)


def _ratio(first: float | None, second: float | None) -> float | None:
    if not first or not second:
        return None
    return max(first, second) / min(first, second)


def _differ(first: float | None, second: float | None, by: float) -> bool:
    return first is not None and second is not None and abs(first - second) > by
