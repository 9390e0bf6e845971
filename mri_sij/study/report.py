"""What is made from a study's results: tables, `provenance.json`, `index.html`; and what a run begins with."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from mri_sij import __version__
from mri_sij.config import Settings
from mri_sij.errors import UsageError
from mri_sij.report.study_page import study_page
from mri_sij.study.clinical import Records, clinical_csv, read_clinical, unmatched
from mri_sij.study.columns import TABLES
from mri_sij.study.files import read_json, sweep
from mri_sij.study.job import Basis, jobs_of
from mri_sij.study.plan import Note, Plan, from_plain, named, read_plan, to_plain
from mri_sij.study.state import FOLDER
from mri_sij.study.tables import (
    NOT_RUN,
    Row,
    Source,
    change_row,
    left_over,
    quadrant_rows,
    read_source,
    same_images,
    status_rows,
    visit_row,
    write_table,
)
from mri_sij.study.task import Status, outdated, read_status
from mri_sij.whole import write_whole

_OWN_FILES = {"plan", "clinical", "dataset_description", "provenance", "index", *(Path(name).stem for name in TABLES)}


@dataclass(frozen=True)
class Gathered:
    """What the tables say."""

    visits: list[Row]
    changes: list[Row]
    statuses: dict[str, Status]
    notes: list[str]


def begin(plan: Plan, basis: Basis, settings: Settings, clinical: Records) -> None:
    """Write what is known before anything is scored: plan, settings, clinical data, who made it.

    UsageError where clinical data come with labels that are numbers and mean other images than in the last run.
    """
    out = basis.out
    renumbered = _renumbered(out, plan)
    if renumbered and clinical:
        raise UsageError(
            f"{renumbered[0].message} Clinical data could join another patient.",
            hint="Give every visit its label in a manifest, or name a new OUT after a look at the clinical data.",
        )
    plan = replace(plan, notes=(*plan.notes, *renumbered))
    description = {
        "Name": "mri_sij: bone-marrow oedema of the sacroiliac joints",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "mri_sij", "Version": __version__}],
    }
    write_whole(out / "dataset_description.json", json.dumps(description, indent=1) + "\n")
    if clinical:
        write_whole(out / "clinical.csv", clinical_csv(clinical))
    else:
        (out / "clinical.csv").unlink(missing_ok=True)
    made = {
        "version": __version__,
        "settings_sha256": settings.sha256,
        "scoring_sha256": basis.settings_sha256,
        "models_sha256": basis.model_sha256,
        "settings": settings.shown(),
    }
    write_whole(out / "plan.json", json.dumps({**made, **to_plain(plan)}, indent=1) + "\n")


def _renumbered(out: Path, plan: Plan) -> tuple[Note, ...]:
    """A note where numbers that nobody gave mean other images than in the last run; it stays while the plan does."""
    try:
        before, _ = read_plan(out)
    except UsageError:
        return ()
    if before.visits == from_plain(to_plain(plan)).visits:
        return tuple(note for note in before.notes if note.code == "renumbered")
    had = {v.key: v.files_sha256 for v in before.visits if v.files_sha256}
    known = set(had.values())
    moved = [v.key for v in plan.visits if v.numbered and v.files_sha256 in known - {had.get(v.key, v.files_sha256)}]
    told = f"Other images than in the last run: {named(moved)}. Visits are numbered in the order of the study."
    return (Note("renumbered", told),) if moved else ()


def gather(out: Path) -> Gathered:
    """Make all tables and the page from what is in OUT; what was not run yet has a row that says so."""
    plan, made = read_plan(out)
    require_same_or_older(out)
    sweep(out, _OWN_FILES)
    sweep(out / FOLDER, {"plan"})
    settings = Settings.model_validate(made["settings"], strict=False)
    clinical = read_clinical(out / "clinical.csv") if (out / "clinical.csv").exists() else {}
    source = read_source(plan, _basis(out, made), clinical, settings.study)
    notes = (*plan.notes, *same_images(source), *left_over(source), *unmatched(clinical, plan))
    visits = [visit_row(source, visit) for visit in plan.visits]
    changes = [change_row(source, *pair) for pair in plan.followups()]
    write_table(out, "status.csv", status_rows(source, notes))
    write_table(out, "visits.csv", visits)
    write_table(out, "changes.csv", changes)
    write_table(out, "quadrants.csv", quadrant_rows(source))
    _write_provenance(source, made)
    pages = {key for key, status in source.statuses.items() if any(name.endswith(".html") for name in status.sizes)}
    messages = {key: status.message for key, status in source.statuses.items()}
    told = [note.message for note in notes]
    write_whole(out / "index.html", study_page(visits, changes, messages, pages, told))
    return Gathered(visits, changes, source.statuses, told)


def next_time(out: Path) -> list[Row]:
    """Every visit and comparison with its status and why the next run with the same settings would do it again."""
    plan, made = read_plan(out)
    rows = []
    for job in jobs_of(plan, _basis(out, made)):
        known = read_status(out, job.key)
        status = known or Status(job.key, "not_run", *NOT_RUN[1:])
        shown = {"status": status.status, "code": status.code, "message": status.message}
        kind = "visit" if len(job.visits) == 1 else "comparison"
        rows.append({"kind": kind, "key": job.key, **shown, "next_time": outdated(known, job)})
    return rows


def _basis(out: Path, made: Row) -> Basis:
    """What results must rest on to belong to the plan in OUT, without the study and the settings themselves."""
    return Basis(Path(), out, "", made["scoring_sha256"], made["models_sha256"])


def _write_provenance(source: Source, made: Row) -> None:
    statuses = source.statuses.values()
    provenance = {
        "version": __version__,
        "settings_sha256": made["settings_sha256"],
        "settings": made["settings"],
        "models_sha256": sorted({s.model_sha256 for s in statuses if s.model_sha256}),
        "inputs_sha256": {key: s.input_sha256 or None for key, s in sorted(source.statuses.items())},
    }
    write_whole(source.out / "provenance.json", json.dumps(provenance, indent=1) + "\n")


def require_same_or_older(out: Path) -> None:
    """UsageError when OUT was made by a newer version of the program."""
    for name in ("plan.json", "provenance.json"):
        made = str(read_json(out / name).get("version", "0"))
        if _numbers(made) > _numbers(__version__):
            raise UsageError(
                f"{out.name} was made by version {made}, this is {__version__}.",
                hint="Update mri_sij, or name a new folder.",
            )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
