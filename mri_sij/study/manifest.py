"""The manifest: a CSV file in which the user says whose each visit is, and which is the baseline."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from mri_sij.errors import UsageError

COLUMNS = ("patient", "visit", "path", "role")
ROLES = ("", "baseline", "followup")
LABEL = re.compile(r"[A-Za-z0-9]{1,32}")
"""Labels become parts of file names by the rules of BIDS."""


@dataclass(frozen=True)
class ManifestRow:
    """One visit; `path` is relative to the study, `line` counts from 1, the header being the first."""

    patient: str
    visit: str
    path: str
    role: str
    line: int


def read_rows(path: Path, required: tuple[str, ...], known: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a CSV file with the columns `required` and perhaps more of `known`; UsageError for anything else."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            columns = [(name or "").strip().lower() for name in reader.fieldnames or ()]
            reader.fieldnames = columns
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path.name} cannot be read as CSV: {type(error).__name__}.") from error
    missing = [name for name in required if name not in columns]
    strange = len([name for name in columns if name not in known])
    doubled = len(columns) - len(set(columns))
    if missing or strange or doubled:
        told = f"no column {missing[0]}" if missing else f"{strange or doubled} columns that are unknown or there twice"
        raise UsageError(f"{path.name} has {told}.", hint=f"Its columns are {', '.join(known)}.")
    if not rows:
        raise UsageError(f"{path.name} has no rows.")
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise UsageError(f"{path.name}, line {line}: expected {len(columns)} cells.")
    return [{name: (row.get(name) or "").strip() for name in known} for row in rows]


def read_manifest(path: Path) -> tuple[ManifestRow, ...]:
    """The visits that a manifest names; UsageError with the line for what cannot be meant."""
    rows = tuple(
        ManifestRow(row["patient"], row["visit"], row["path"], row["role"].lower(), line)
        for line, row in enumerate(read_rows(path, COLUMNS[:3], COLUMNS), start=2)
    )
    seen: dict[tuple[str, str], int] = {}
    baselines: dict[str, int] = {}
    for row in rows:
        where = f"{path.name}, line {row.line}"
        if not (LABEL.fullmatch(row.patient) and LABEL.fullmatch(row.visit)):
            raise UsageError(f"{where}: patient and visit must be letters and digits only, 32 at most.")
        if not row.path:
            raise UsageError(f"{where}: the path is empty.")
        if row.role not in ROLES:
            raise UsageError(f"{where}: role must be baseline, followup or empty.")
        # Some file systems hold A and a for one name.
        label = (row.patient.lower(), row.visit.lower())
        if label in seen:
            raise UsageError(f"{where}: the same patient and visit as in line {seen[label]}.")
        seen[label] = row.line
        if row.role == "baseline" and baselines.setdefault(row.patient, row.line) != row.line:
            raise UsageError(
                f"{where}: a second baseline of one patient; the first is in line {baselines[row.patient]}."
            )
    return rows
