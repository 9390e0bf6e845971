"""The tables of a study, made from what its tasks left behind."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mri_sij import __version__
from mri_sij.config import Settings
from mri_sij.errors import UsageError
from mri_sij.report.dictionary import QUADRANT_COLUMNS, Entry
from mri_sij.study.plan import Plan
from mri_sij.study.task import Status, write_whole

Row = dict[str, Any]

STATUS_COLUMNS = (
    Entry("kind", "string", "visit or comparison"),
    Entry("patient", "string", "label of the patient"),
    Entry("visit", "string", "label of the visit (of the follow-up, for a comparison)"),
    Entry("status", "string", "done, not_scorable, refused or failed"),
    Entry("code", "string", "stable name of the reason", empty="done"),
    Entry("message", "string", "the reason in a sentence with its figures", empty="done"),
)
VISIT_COLUMNS = (
    Entry("patient", "string", "label of the patient"),
    Entry("visit", "string", "label of the visit"),
    Entry("days_since_first", "integer", "days since the patient's first visit", "days", "no date"),
    Entry("status", "string", "done, not_scorable, refused or failed"),
    Entry("sparcc_total", "integer", "SPARCC SIJ inflammation", "0-72", "not scored"),
    Entry("sparcc_left", "integer", "the left joint's part", "0-36", "not scored"),
    Entry("sparcc_right", "integer", "the right joint's part", "0-36", "not scored"),
    Entry("oedema_volume_ml", "number", "bone-marrow oedema of both joints", "ml", "not scored"),
    Entry("asas_positive_2009", "boolean", "positive MRI by the ASAS 2009 rule", empty="not scored"),
    Entry("cautions", "integer", "warnings on the visit's page", empty="not scored"),
)
CHANGE_COLUMNS = (
    Entry("patient", "string", "label of the patient"),
    Entry("baseline", "string", "label of the baseline visit"),
    Entry("followup", "string", "label of the follow-up visit"),
    Entry("days", "integer", "days between the two", "days", "no dates"),
    Entry("status", "string", "done, not_scorable, refused or failed"),
    Entry("change_class", "string", "normalization, regression, stability or progression", empty="not compared"),
    Entry("sparcc_baseline", "number", "SPARCC at baseline", "0-72", "not compared"),
    Entry("sparcc_followup", "number", "SPARCC at follow-up, at the same levels", "0-72", "not compared"),
    Entry("sparcc_delta", "number", "follow-up minus baseline", "-72-72", "not compared"),
    Entry("probability", "number", "probability of the class", "0-1", "not compared"),
    Entry("cautions", "integer", "warnings on the comparison's page", empty="not compared"),
)
TABLES = {
    "status.csv": STATUS_COLUMNS,
    "visits.csv": VISIT_COLUMNS,
    "quadrants.csv": (VISIT_COLUMNS[0], VISIT_COLUMNS[1], *QUADRANT_COLUMNS),
    "changes.csv": CHANGE_COLUMNS,
}


def read_statuses(out: Path, keys: Iterable[str]) -> dict[str, Status]:
    """Statuses kept in a study's output, by key; a visit that was never reached is `failed` with code `not_run`."""
    found = {}
    for key in keys:
        try:
            found[key] = Status(**json.loads((out / "status" / f"{key}.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            found[key] = Status(key, "failed", "not_run", "It was not run yet.")
    return found


def visit_rows(plan: Plan, statuses: dict[str, Status], out: Path) -> list[Row]:
    """Rows of `visits.csv`: one a visit, always."""
    rows = []
    for visit in plan.visits:
        status = statuses[visit.key]
        told = _json(out / "visits" / visit.key / "visit.json") if status.status == "done" else {}
        sparcc = told.get("sparcc") or {}
        rows.append(
            {
                "patient": visit.patient,
                "visit": visit.visit,
                "days_since_first": visit.day,
                "status": status.status,
                "sparcc_total": sparcc.get("total"),
                "sparcc_left": (sparcc.get("left") or {}).get("total"),
                "sparcc_right": (sparcc.get("right") or {}).get("total"),
                "oedema_volume_ml": (told.get("oedema") or {}).get("volume_ml"),
                "asas_positive_2009": (told.get("asas") or {}).get("positive_2009"),
                "cautions": len(told["cautions"]) if "cautions" in told else None,
            }
        )
    return rows


def change_rows(plan: Plan, statuses: dict[str, Status], out: Path) -> list[Row]:
    """Rows of `changes.csv`: one a follow-up, always."""
    rows = []
    for baseline, followup in plan.followups():
        key = f"{baseline.key}_vs_ses-{followup.visit}"
        status = statuses[key]
        told = _json(out / "comparisons" / key / "comparison.json") if status.status == "done" else {}
        change = told.get("change") or {}
        found = change.get("class")
        days = None if baseline.day is None or followup.day is None else followup.day - baseline.day
        rows.append(
            {
                "patient": baseline.patient,
                "baseline": baseline.visit,
                "followup": followup.visit,
                "days": days,
                "status": status.status,
                "change_class": found,
                "sparcc_baseline": change.get("sparcc_baseline"),
                "sparcc_followup": change.get("sparcc_followup"),
                "sparcc_delta": change.get("sparcc_delta"),
                "probability": (change.get("probabilities") or {}).get(found) if found else None,
                "cautions": len(told["cautions"]) if "cautions" in told else None,
            }
        )
    return rows


def write_tables(plan: Plan, settings: Settings, out: Path) -> tuple[list[Row], list[Row], dict[str, Status]]:
    """Write all tables, `provenance.json`, `dataset_description.json`; returns the rows and statuses behind them."""
    keys = [v.key for v in plan.visits] + [f"{b.key}_vs_ses-{f.visit}" for b, f in plan.followups()]
    statuses = read_statuses(out, keys)
    visits, changes = visit_rows(plan, statuses, out), change_rows(plan, statuses, out)
    write_whole(out / "status.csv", _csv(STATUS_COLUMNS, _status_rows(plan, statuses)))
    write_whole(out / "visits.csv", _csv(VISIT_COLUMNS, visits))
    write_whole(out / "changes.csv", _csv(CHANGE_COLUMNS, changes))
    write_whole(out / "quadrants.csv", _csv(TABLES["quadrants.csv"], _quadrant_rows(plan, statuses, out)))
    provenance = {
        "version": __version__,
        "settings_sha256": settings.sha256,
        "settings": settings.model_dump(mode="json"),
        "inputs_sha256": {k: _input(out, k) for k in sorted(v.key for v in plan.visits)},
    }
    write_whole(out / "provenance.json", json.dumps(provenance, indent=1) + "\n")
    description = {
        "Name": "mri_sij",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "mri_sij", "Version": __version__}],
    }
    write_whole(out / "dataset_description.json", json.dumps(description, indent=1) + "\n")
    return visits, changes, statuses


def require_same_or_older(out: Path) -> None:
    """UsageError when OUT was made by a newer version of the program."""
    made = _json(out / "provenance.json").get("version", "0")
    if _numbers(made) > _numbers(__version__):
        raise UsageError(
            f"OUT was made by version {made}, this is {__version__}.", hint="Update, or name a new folder."
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in str(version).split(".") if part.isdigit())


def _input(out: Path, key: str) -> str | None:
    told: dict[str, Any] = _json(out / "visits" / key / "visit.json").get("provenance", {})
    found = told.get("input_sha256")
    return str(found) if found else None


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _status_rows(plan: Plan, statuses: dict[str, Status]) -> list[Row]:
    rows = [("visit", v.patient, v.visit, statuses[v.key]) for v in plan.visits]
    rows += [("comparison", f.patient, f.visit, statuses[f"{b.key}_vs_ses-{f.visit}"]) for b, f in plan.followups()]
    names = [entry.name for entry in STATUS_COLUMNS]
    return [dict(zip(names, (kind, p, v, s.status, s.code, s.message), strict=True)) for kind, p, v, s in rows]


def _quadrant_rows(plan: Plan, statuses: dict[str, Status], out: Path) -> list[Row]:
    rows: list[Row] = []
    for visit in plan.visits:
        if statuses[visit.key].status != "done":
            continue
        with (out / "visits" / visit.key / "quadrants.csv").open(encoding="utf-8", newline="") as stream:
            rows += [{"patient": visit.patient, "visit": visit.visit, **row} for row in csv.DictReader(stream)]
    return rows


def _csv(columns: tuple[Entry, ...], rows: list[Row]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [entry.name for entry in columns], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
