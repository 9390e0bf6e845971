"""`mri-sij status`: what became of each visit of a study."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

from mri_sij.errors import UsageError


def status(out: Annotated[Path, typer.Argument(help="Folder that `mri-sij run` wrote to.")]) -> None:
    """Say what became of every visit and comparison, problems first."""
    try:
        with (out / "status.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except OSError as error:
        raise UsageError(
            "There is no status.csv in that folder.", hint="Run `mri-sij run` or `mri-sij gather`."
        ) from error
    rows.sort(key=lambda row: row["status"] == "done")
    for row in rows:
        print(f"{row['kind']:10} sub-{row['patient']}_ses-{row['visit']}  {row['status']}  {row['message']}".rstrip())
    counts = {name: sum(r["status"] == name for r in rows) for name in dict.fromkeys(r["status"] for r in rows)}
    print(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()))
