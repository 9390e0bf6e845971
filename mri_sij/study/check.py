"""Scores held against what was recorded: the regression check for CI."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from mri_sij.errors import UsageError
from mri_sij.study.tables import Row

SCHEMA = 1
Recorded = dict[str, Any]


def record(visits: list[Row], changes: list[Row], out: Path) -> Recorded:
    """What a study scored: status and totals of every visit, every positive quadrant, class of every follow-up."""
    found: Recorded = {"schema": SCHEMA, "visits": {}, "changes": {}}
    for row in visits:
        key = f"sub-{row['patient']}_ses-{row['visit']}"
        found["visits"][key] = {
            "status": row["status"],
            "sparcc_total": row["sparcc_total"],
            "positive": _positive(out / "visits" / key),
        }
    for row in changes:
        key = f"sub-{row['patient']}_ses-{row['baseline']}_vs_ses-{row['followup']}"
        found["changes"][key] = {"status": row["status"], "change_class": row["change_class"]}
    return found


def _positive(folder: Path) -> list[str]:
    try:
        with (folder / "quadrants.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except OSError:
        return []
    return [f"slice {r['slice']} {r['side']} {r['half']} {r['bone']}" for r in rows if r["oedema"] == "1"]


def read_recorded(path: Path) -> Recorded:
    """A recorded file; UsageError when it is not one."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path.name} cannot be read: {type(error).__name__}.", hint="Make it with --record."
        ) from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise UsageError(f"{path.name} is not a record of schema {SCHEMA}.", hint="Make it again with --record.")
    return found


def differences(expected: Recorded, found: Recorded, sparcc_points: int) -> dict[str, list[str]]:
    """What differs, by visit or comparison; totals and quadrants may differ by `sparcc_points` together."""
    told: dict[str, list[str]] = {}
    for kind in ("visits", "changes"):
        for key in sorted({*expected[kind], *found[kind]}):
            a, b = expected[kind].get(key), found[kind].get(key)
            if a is None or b is None:
                told[key] = ["expected, but not there" if b is None else "there, but not expected"]
            else:
                told[key] = _differ(a, b, sparcc_points)
    return told


def _differ(a: dict[str, Any], b: dict[str, Any], points: int) -> list[str]:
    lines = [
        f"{name}: expected {a[name]}, found {b[name]}"
        for name in ("status", "change_class")
        if a.get(name) != b.get(name)
    ]
    x, y = a.get("sparcc_total"), b.get("sparcc_total")
    if x != y and (x is None or y is None or abs(x - y) > points):
        lines.append(f"SPARCC: expected {x}, found {y}")
    gone, new = (
        sorted(set(a.get("positive", [])) - set(b.get("positive", []))),
        sorted(set(b.get("positive", [])) - set(a.get("positive", []))),
    )
    if len(gone) + len(new) > points:
        lines += [f"- {item}" for item in gone] + [f"+ {item}" for item in new]
    return lines


def junit(told: dict[str, list[str]]) -> str:
    """The same as a JUnit file, a test case a visit or comparison."""
    suite = ElementTree.Element(
        "testsuite", name="mri-sij check", tests=str(len(told)), failures=str(sum(bool(v) for v in told.values()))
    )
    for key, lines in told.items():
        case = ElementTree.SubElement(suite, "testcase", classname="mri_sij", name=key)
        if lines:
            ElementTree.SubElement(case, "failure", message=lines[0]).text = "\n".join(lines)
    return ElementTree.tostring(suite, encoding="unicode") + "\n"
