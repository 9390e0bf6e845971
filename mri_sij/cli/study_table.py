"""Tables of a study's visits and changes on the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mri_sij.study.report import Gathered

MOST = 60
"""Rows shown; the tables in OUT hold all of them."""


def show(found: Gathered) -> None:
    """Print visits, changes and notes."""
    from rich.console import Console  # noqa: PLC0415

    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(_visits(found))
    if found.changes:
        console.print(_changes(found))
    for title, rows in (("visits", found.visits), ("changes", found.changes)):
        if len(rows) > MOST:
            console.print(f"{len(rows) - MOST} more in {title}.csv", markup=False)
    for note in found.notes:
        console.print(f"Caution: {note}", markup=False)


def _table(title: str, *names: str) -> Any:
    from rich.table import Table  # noqa: PLC0415

    return Table(*names, title=title, title_justify="left", title_style="bold")


def _visits(found: Gathered) -> Any:
    from mri_sij.study.plan import visit_key  # noqa: PLC0415

    table = _table("Visits", "Visit", "Status", "SPARCC", "Interval", "Right", "Left", "Oedema, ml")
    for v in found.visits[:MOST]:
        key = visit_key(v["patient"], v["visit"])
        if v["status"] != "done":
            table.add_row(key, f"{v['status'].replace('_', ' ')}: {found.statuses[key].message}")
            continue
        cells = (v["sparcc_right"], v["sparcc_left"], f"{v['oedema_volume_ml']:.2f}")
        interval = f"{v['sparcc_low']}-{v['sparcc_high']}"
        table.add_row(key, "scored", str(v["sparcc_total"]), interval, *(str(cell) for cell in cells))
    return table


def _changes(found: Gathered) -> Any:
    from mri_sij.report.render import signed  # noqa: PLC0415
    from mri_sij.study.plan import change_key  # noqa: PLC0415

    table = _table("Changes", "Follow-up", "Class", "Days", "SPARCC", "Probability")
    for c in found.changes[:MOST]:
        name = f"sub-{c['patient']} {c['baseline']} -> {c['followup']}"
        days = "" if c["days"] is None else str(c["days"])
        if c.get("change_class") is None:
            key = change_key(c["patient"], c["baseline"], c["followup"])
            table.add_row(name, f"not compared: {found.statuses[key].message}", days)
            continue
        course = f"{c['sparcc_baseline']:g} -> {c['sparcc_followup']:g} ({signed(c['sparcc_delta'])})"
        table.add_row(name, c["change_class"], days, course, f"{c['probability']:.2f}")
    return table
