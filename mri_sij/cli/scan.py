"""`mri-sij scan`: what a folder holds, what would be used and why."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from mri_sij.errors import RefusedError

PROBLEMS_SHOWN = 20


def scan(
    path: Annotated[Path, typer.Argument(help="Folder tree or file: DICOM, NIfTI, NRRD or MetaImage, however named.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings (TOML); see configs/default.toml.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes for the headers of large trees.")] = None,
) -> None:
    """List patients, visits and series under PATH, problems first, and say which STIR and T1 would be used and why.

    Example: mri-sij scan FOLDER
    """
    from mri_sij.config import load_settings  # noqa: PLC0415
    from mri_sij.ingest.describe import describe  # noqa: PLC0415
    from mri_sij.ingest.discover import index  # noqa: PLC0415

    settings = load_settings(config).ingest
    found = index(path, workers=workers or os.cpu_count() or 1)
    report = describe(found, settings)
    usable = any(volume.source for series in found.series for volume in series.volumes)
    passed = [f"  {item.name}: {item.message}" for item in found.refused if item.code == "not_an_image"]
    lines = [*_lines(report), *(_first(passed) if not usable else [])]
    typer.echo(json.dumps(report, indent=1) if as_json else "\n".join(lines))
    if not usable:
        raise RefusedError(
            f"Nothing usable was found in {_count(found.files, 'file')}.",
            hint="The list above says why each was refused.",
        )


def _lines(report: dict[str, Any]) -> list[str]:
    lines = _problem_lines(report)
    for patient in report["patients"]:
        for visit in patient["visits"]:
            lines.extend(_visit_lines(patient["patient"], visit))
    passed = len(report["passed_over"])
    visits = [visit for patient in report["patients"] for visit in patient["visits"]]
    ready = sum(visit["stir"] is not None for visit in visits)
    lines.append(
        f"{_count(report['files'], 'file')}, {_count(len(report['patients']), 'patient')}, "
        f"{_count(len(visits), 'visit')}, {ready} with a STIR of the sacroiliac joints; "
        f"{_count(passed, 'file')} without an image passed over."
    )
    return lines


def _problem_lines(report: dict[str, Any]) -> list[str]:
    problems = report["problems"]
    if not problems:
        return []
    lines = []
    for problem in problems:
        where = problem.get("file") or f"series {problem['series']}, volume {problem['volume']}"
        lines.append(f"  {where}: {problem['code']}: {problem['message']} {problem['hint']}".rstrip())
    return [f"{_count(len(problems), 'problem')}:", *_first(lines), ""]


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def _first(lines: list[str]) -> list[str]:
    more = len(lines) - PROBLEMS_SHOWN
    return lines if more <= 0 else [*lines[:PROBLEMS_SHOWN], f"  and {more} more (--json lists all)"]


def _visit_lines(patient: int, visit: dict[str, Any]) -> list[str]:
    day = "" if visit["day"] is None else f", day {visit['day']}"
    lines = [f"Patient {patient}, visit {visit['visit']}{day} ({visit['format']})"]
    if visit["stir"] is None:
        lines.append("  no STIR of the sacroiliac joints")
    for series in visit["series"]:
        lines.extend(_series_lines(series))
    lines.extend(f"  caution: {one['message']}" for one in visit["cautions"])
    return [*lines, ""]


def _series_lines(series: dict[str, Any]) -> list[str]:
    volumes = series["volumes"]
    lines = []
    for volume in volumes[:3] if len(volumes) > 4 else volumes:
        use = {"stir": "STIR", "t1": "T1"}.get(volume["use"], "-")
        shape = "" if volume["shape"] is None else "x".join(str(n) for n in volume["shape"])
        number = f"{series['series']}" + (f".{volume['volume']}" if len(volumes) > 1 else "")
        lines.append(f"  {number:>5}  {use:<4}  {shape:<12}  {series['place']}: {volume['reason']}")
    if len(volumes) > 4:
        lines.append(f"         ... {len(volumes)} volumes in all (`mri-sij convert --volume K` takes one)")
    return lines
