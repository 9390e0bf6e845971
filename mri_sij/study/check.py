"""Scores held against what was recorded: the regression check for CI."""

from __future__ import annotations

import csv
import json
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from mri_sij.errors import UsageError
from mri_sij.study.files import read_json
from mri_sij.study.plan import change_key, visit_key
from mri_sij.study.report import Gathered

SCHEMA = 2
Recorded = dict[str, Any]


@dataclass(frozen=True)
class Tolerance:
    """How far a visit may lie from what was recorded; a status or a class of change must be the same always."""

    sparcc_points: int = 0
    quadrants: int = 0
    oedema_ml: float = 0.0


def read_tolerance(path: Path | None) -> Tolerance:
    """The tolerance of a TOML file, none at all without one; UsageError for an unknown key or a negative value."""
    if path is None:
        return Tolerance()
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path.name} cannot be read: {type(error).__name__}.") from error
    known = {field.name: float if field.name == "oedema_ml" else int for field in fields(Tolerance)}
    for name, value in told.items():
        right = isinstance(value, int | known.get(name, int)) and not isinstance(value, bool)
        if name not in known or not right or value < 0:
            raise UsageError(f"{path.name}, {name}: expected {', '.join(known)}, each a number from 0.")
    return Tolerance(**told)


def record(found: Gathered, out: Path) -> Recorded:
    """What a study scored: status and totals of every visit, every positive quadrant, class of every follow-up."""
    recorded: Recorded = {"schema": SCHEMA, "visits": {}, "changes": {}}
    for row in found.visits:
        key = visit_key(row["patient"], row["visit"])
        scored = row["status"] == "done"
        recorded["visits"][key] = {
            "status": row["status"],
            "code": row["code"],
            "sparcc_total": row.get("sparcc_total"),
            "slices": _slices(out / "visits" / key) if scored else {},
            "positive": _positive(out / "visits" / key) if scored else [],
            "oedema_volume_ml": row.get("oedema_volume_ml"),
        }
    for row in found.changes:
        key = change_key(row["patient"], row["baseline"], row["followup"])
        change = {name: row.get(name) for name in ("change_class", "sparcc_delta")}
        recorded["changes"][key] = {"status": row["status"], "code": row["code"], **change}
    return recorded


def _slices(folder: Path) -> dict[str, int]:
    slices = read_json(folder / "visit.json")["sparcc"]["slices"]
    return {str(one["slice"]): one["total"] for one in slices}


def _positive(folder: Path) -> list[str]:
    """Every item that scores, by slice, side and place."""
    with (folder / "quadrants.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    items = [f"slice {r['slice']} {r['side']} {r['half']} {r['bone']}" for r in rows if r["oedema"] == "1"]
    for name, column in (("intense", "joint_intense"), ("deep", "joint_deep")):
        items += dict.fromkeys(f"slice {r['slice']} {r['side']} {name}" for r in rows if r[column] == "1")
    return items


def read_recorded(path: Path) -> Recorded:
    """A recorded file; UsageError when it is not one."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path.name} cannot be read: {type(error).__name__}.", hint="Make it with --record."
        ) from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA or not _is_whole(found):
        raise UsageError(f"{path.name} is not a record of schema {SCHEMA}.", hint="Make it again with --record.")
    return found


def _is_whole(found: Recorded) -> bool:
    """Whether every visit and change is there as an object, and what is read of each visit that differs."""
    kinds = [found.get(kind) for kind in ("visits", "changes")]
    if not all(isinstance(kind, dict) and all(isinstance(one, dict) for one in kind.values()) for kind in kinds):
        return False
    read = [(one.get("slices"), one.get("positive")) for one in found["visits"].values()]
    return all(isinstance(slices, dict) and isinstance(positive, list) for slices, positive in read)


def differences(expected: Recorded, found: Recorded, tolerance: Tolerance) -> dict[str, list[str]]:
    """What differs, by visit or comparison, in the order of their names; an empty list where nothing does."""
    told: dict[str, list[str]] = {}
    for kind in ("visits", "changes"):
        for key in sorted({*expected[kind], *found[kind]}):
            a, b = expected[kind].get(key), found[kind].get(key)
            if a is None or b is None:
                told[key] = ["expected, but not there" if b is None else "there, but not expected"]
            else:
                told[key] = _differ(a, b, tolerance)
    return told


def _differ(a: Recorded, b: Recorded, tolerance: Tolerance) -> list[str]:
    names = ("status", "code", "change_class")
    lines = [f"{name}: expected {a[name]}, found {b[name]}" for name in names if a.get(name) != b.get(name)]
    for name, most in (
        ("sparcc_total", tolerance.sparcc_points),
        ("sparcc_delta", tolerance.sparcc_points),
        ("oedema_volume_ml", tolerance.oedema_ml),
    ):
        if _apart(a.get(name), b.get(name)) > most:
            lines.append(f"{name}: expected {a[name]}, found {b[name]}")
    gone = [item for item in a.get("positive", []) if item not in b["positive"]]
    new = [item for item in b.get("positive", []) if item not in a["positive"]]
    if len(gone) + len(new) > tolerance.quadrants:
        lines += _slice_lines(a["slices"], b["slices"])
        lines += [f"- {item}" for item in gone] + [f"+ {item}" for item in new]
    return lines


def _apart(a: float | None, b: float | None) -> float:
    """Distance of two values; of a value and none, without end."""
    if a is None or b is None:
        return 0.0 if a is b else float("inf")
    return round(abs(a - b), 9)


def _slice_lines(a: dict[str, int], b: dict[str, int]) -> list[str]:
    numbers = sorted({*a, *b}, key=int)
    moved = [n for n in numbers if a.get(n) != b.get(n)]
    return [f"slice {n}: expected {a.get(n, 'not scored')}, found {b.get(n, 'not scored')}" for n in moved]


def junit(told: dict[str, list[str]]) -> str:
    """The same as a JUnit file, a test case a visit or comparison."""
    failures = str(sum(bool(lines) for lines in told.values()))
    suite = ElementTree.Element("testsuite", name="mri-sij check", tests=str(len(told)), failures=failures)
    for key, lines in told.items():
        case = ElementTree.SubElement(suite, "testcase", classname="mri_sij", name=key)
        if lines:
            ElementTree.SubElement(case, "failure", message=lines[0]).text = "\n".join(lines)
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
