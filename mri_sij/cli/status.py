"""`mri-sij status`: what became of each visit of a study, also while it runs or after it was killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mri_sij.study.tables import Row


def status(
    out: Annotated[Path, typer.Argument(help="Folder that `mri-sij run` writes to.")],
    everything: Annotated[bool, typer.Option("--all", help="List what is done, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Say what became of every visit and comparison, problems first, and what the next run would do again and why.

    Example: mri-sij status OUT. A change of the input itself is told by `mri-sij run --dry-run`, which looks at it.
    """
    from mri_sij.study.plan import read_plan  # noqa: PLC0415
    from mri_sij.study.report import next_time  # noqa: PLC0415

    plan, _ = read_plan(out)
    rows = next_time(out)
    notes = [note.message for note in plan.notes]
    if as_json:
        print(json.dumps({"results": rows, "notes": notes}, indent=1))
        return
    for row in sorted(rows, key=lambda row: row["status"] == "done"):
        if everything or row["status"] != "done" or row["next_time"]:
            print(_line(row))
    for note in notes:
        print(f"Caution: {note}")
    counts = {name: sum(r["status"] == name for r in rows) for name in dict.fromkeys(r["status"] for r in rows)}
    print(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()) + ".")


def _line(row: Row) -> str:
    told = f"{row['kind']:10} {row['key']}  {row['status'].replace('_', ' ')}"
    if row["message"]:
        told += f": {row['message']}"
    return f"{told} [next run: {row['next_time']}]" if row["next_time"] else told
