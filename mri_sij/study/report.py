"""Everything that is made from a study's results: tables and the page."""

from __future__ import annotations

from pathlib import Path

from mri_sij.config import Settings
from mri_sij.report.study_page import study_page
from mri_sij.study.plan import Plan
from mri_sij.study.tables import Row, write_tables
from mri_sij.study.task import Status, write_whole


def gather_study(plan: Plan, settings: Settings, out: Path) -> tuple[list[Row], list[Row], dict[str, Status]]:
    """Write the tables and `index.html`; returns rows of visits and of changes, and every status."""
    visits, changes, statuses = write_tables(plan, settings, out)
    page = study_page(visits, changes, {key: status.message for key, status in statuses.items()})
    write_whole(out / "index.html", page)
    return visits, changes, statuses
