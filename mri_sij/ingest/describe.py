"""An index as plain records for a table or JSON: numbers, places and reasons; nothing from a header's free text."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from mri_sij.config import IngestSettings
from mri_sij.ingest.candidate import Candidate, Choice, SeriesChoice
from mri_sij.ingest.choose import choose
from mri_sij.ingest.index import Index, Series, SeriesVolume, Visit

SCHEMA = 1


def describe(found: Index, settings: IngestSettings) -> dict[str, Any]:
    """What `mri-sij scan --json` prints: problems first, then patients, visits, series and what would be used."""
    patients: list[dict[str, Any]] = []
    problems = [
        {"file": item.name, "code": item.code, "message": item.message, "hint": item.hint}
        for item in found.refused
        if item.code != "not_an_image"
    ]
    for patient in found.patients:
        visits = [_visit(visit, choose(visit, settings)) for visit in patient.visits]
        patients.append({"patient": patient.number, "visits": visits})
    for series in found.series:
        problems.extend(_series_problems(series))
    passed_over = [item.name for item in found.refused if item.code == "not_an_image"]
    return {
        "schema": SCHEMA,
        "files": found.files,
        "problems": problems,
        "patients": patients,
        "passed_over": passed_over,
    }


def _series_problems(series: Series) -> list[dict[str, Any]]:
    problems = []
    for volume in series.volumes:
        if volume.refused is None:
            continue
        problems.append(
            {
                "series": series.number,
                "volume": volume.number,
                "code": volume.refused.code,
                "message": volume.refused.message,
                "hint": volume.refused.hint,
                "files": list(volume.refused.files[:20]),
                "files_count": len(volume.refused.files),
            }
        )
    return problems


def _visit(visit: Visit, choice: Choice) -> dict[str, Any]:
    choices = {(one.series, one.volume): one for one in choice.considered}
    refusal = choice.refusal
    return {
        "visit": visit.number,
        "day": visit.day,
        "format": visit.format,
        "stir": _chosen(choice.stir),
        "t1": _chosen(choice.t1),
        "refusal": None
        if refusal is None
        else {"code": refusal.code, "message": refusal.message, "hint": refusal.hint},
        "cautions": [asdict(caution) for caution in choice.cautions],
        "series": [_series(series, choices) for series in visit.series],
    }


def _chosen(chosen: Candidate | None) -> dict[str, int] | None:
    return None if chosen is None else {"series": chosen.series.number, "volume": chosen.volume.number}


def _series(series: Series, choices: dict[tuple[int, int], SeriesChoice]) -> dict[str, Any]:
    return {
        "series": series.number,
        "format": series.format,
        "place": series.place,
        "files": series.files,
        "cautions": [asdict(caution) for caution in series.cautions],
        "volumes": [_volume(volume, choices[(series.number, volume.number)]) for volume in series.volumes],
    }


def _volume(volume: SeriesVolume, choice: SeriesChoice) -> dict[str, Any]:
    grid, protocol = volume.grid, volume.protocol
    return {
        "volume": volume.number,
        "distinct": volume.distinct,
        "use": choice.use,
        "kind": choice.kind,
        "reason": choice.reason,
        "plane": choice.plane,
        "tilt_deg": choice.tilt_deg,
        "shape": None if grid is None else list(grid.shape),
        "spacing_mm": None if grid is None else [round(value, 4) for value in grid.spacing_mm],
        "repetition_time_ms": protocol.repetition_time_ms,
        "echo_time_ms": protocol.echo_time_ms,
        "inversion_time_ms": protocol.inversion_time_ms,
        "refused": None if volume.refused is None else volume.refused.code,
    }
