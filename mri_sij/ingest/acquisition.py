"""How the chosen images were taken: the record that comparison and reports use."""

from __future__ import annotations

from dataclasses import dataclass

from mri_sij.geometry import Grid
from mri_sij.ingest.frame import Protocol


@dataclass(frozen=True)
class Acquisition:
    """Times in ms, angles in degrees, field in tesla, lengths in mm; None where the input is silent.

    `kind` is "stir", "t2fs", "pdfs" or "t1". `manufacturer` is one of a fixed list, "other" or "". `kind_from` says
    what the kind was decided by: "timing", "words", "contrast" or "caller".
    """

    kind: str
    repetition_time_ms: float | None
    echo_time_ms: float | None
    inversion_time_ms: float | None
    flip_angle_deg: float | None
    field_strength_t: float | None
    slice_thickness_mm: float | None
    spacing_between_slices_mm: float
    in_plane_mm: tuple[float, float]
    matrix: tuple[int, int]
    manufacturer: str
    fat_suppressed: bool | None
    contrast_agent: bool | None
    kind_from: str = "timing"


def acquisition_of(kind: str, kind_from: str, protocol: Protocol, grid: Grid) -> Acquisition:
    """The record for one chosen volume. Spacing and matrix are the grid's own, not what the header claims."""
    in_plane = [axis for axis in range(3) if axis != grid.slice_axis]
    return Acquisition(
        kind=kind,
        repetition_time_ms=protocol.repetition_time_ms,
        echo_time_ms=protocol.echo_time_ms,
        inversion_time_ms=protocol.inversion_time_ms,
        flip_angle_deg=protocol.flip_angle_deg,
        field_strength_t=protocol.field_strength_t,
        slice_thickness_mm=protocol.slice_thickness_mm,
        spacing_between_slices_mm=grid.spacing_mm[grid.slice_axis],
        in_plane_mm=(grid.spacing_mm[in_plane[0]], grid.spacing_mm[in_plane[1]]),
        matrix=(grid.shape[in_plane[0]], grid.shape[in_plane[1]]),
        manufacturer=protocol.vendor,
        fat_suppressed=True if kind in ("stir", "t2fs", "pdfs") else protocol.fat_suppressed,
        contrast_agent=protocol.contrast_agent,
        kind_from=kind_from,
    )
