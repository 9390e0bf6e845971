"""The tables of a study, made from what its tasks left in OUT."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mri_sij.config import StudySettings
from mri_sij.report.dictionary import Entry
from mri_sij.study import columns
from mri_sij.study.clinical import NOTHING, Clinical, Records, cells_of, change_cells, of_visit
from mri_sij.study.files import read_json
from mri_sij.study.job import Basis, Job, jobs_of
from mri_sij.study.plan import Note, Plan, PlannedVisit, named, pair_key
from mri_sij.study.task import Status, read_status, unfit
from mri_sij.whole import write_whole

Row = dict[str, Any]
NOT_RUN = ("failed", "not_run", "It was not run yet.")


@dataclass(frozen=True)
class Source:
    """What tables are made from."""

    out: Path
    plan: Plan
    statuses: dict[str, Status]
    clinical: Records
    settings: StudySettings

    def of(self, visit: PlannedVisit) -> Clinical:
        """The clinical data of a visit."""
        return of_visit(self.clinical, visit.patient, visit.visit) if self.clinical else NOTHING


def read_source(plan: Plan, basis: Basis, clinical: Records, settings: StudySettings) -> Source:
    """All statuses of a plan; what was never reached is `failed` with code `not_run`, and with `out_of_date` what was
    made from other files, other settings or by another version: its numbers could be another patient's."""
    statuses = {job.key: _status_of(job) for job in jobs_of(plan, basis)}
    return Source(basis.out, plan, statuses, clinical, settings)


def _status_of(job: Job) -> Status:
    status = read_status(job.basis.out, job.key)
    if status is None:
        return Status(job.key, *NOT_RUN)
    why = unfit(status, job)
    return Status(job.key, "failed", "out_of_date", f"It must be run again: {why}.") if why else status


def visit_row(source: Source, visit: PlannedVisit) -> Row:
    """The row of `visits.csv` of one visit."""
    status = source.statuses[visit.key]
    read = status.status in ("done", "not_scorable")
    told = read_json(source.out / "visits" / visit.key / "visit.json") if read else {}
    row: Row = {
        **dict.fromkeys(entry.name for entry in columns.VISITS),
        "patient": visit.patient,
        "visit": visit.visit,
        "day": visit.day,
        "baseline": int(visit.baseline),
        "status": status.status,
        "code": status.code,
        **cells_of(source.of(visit), source.settings),
    }
    if told:
        row |= _read_cells(told)
    if told and status.status == "done":
        row |= _score_cells(told)
    return row


def _read_cells(told: dict[str, Any]) -> Row:
    series = told["series"]
    return {
        "sequence": series["stir"]["kind"],
        "with_t1": int(series["t1"] is not None),
        "field_strength_t": series["stir"]["field_strength_t"],
        "slice_distance_mm": series["stir"]["spacing_between_slices_mm"],
        **_caution_cells(told),
    }


def _caution_cells(told: dict[str, Any]) -> Row:
    codes = [caution["code"] for caution in told["cautions"]]
    return {"cautions": len(codes), "caution_codes": " ".join(dict.fromkeys(codes))}


def _score_cells(told: dict[str, Any]) -> Row:
    sparcc, asas, oedema = told["sparcc"], told["asas"], told["oedema"]
    slices = told["anatomy"]["slices"]
    row: Row = {f"sparcc_{part}": sparcc[part] for part in ("total", "quadrants", "intensity", "depth")}
    row |= {f"sparcc_{part}": sparcc[part] for part in ("sacrum", "ilium")}
    row |= {f"sparcc_{side}": sparcc[side]["total"] for side in ("left", "right")}
    row |= {f"asas_{rule}": int(asas[rule]) for rule in ("positive_2009", "positive_2016", "positive_2021")}
    row |= {f"oedema_{bone['side']}_{bone['bone']}_ml": bone["volume_ml"] for bone in oedema["bones"]}
    return row | {
        "sparcc_low": told["interval"]["low"],
        "sparcc_high": told["interval"]["high"],
        "sparcc_slices": " ".join(str(one["total"]) for one in sparcc["slices"]),
        "berlin_total": (told["berlin"] or {}).get("total"),
        "oedema_volume_ml": oedema["volume_ml"],
        "oedema_fraction": oedema["fraction"],
        "lesions": len(told["lesions"]),
        "first_slice": slices[0],
        "last_slice": slices[-1],
    }


def change_row(source: Source, baseline: PlannedVisit, followup: PlannedVisit) -> Row:
    """The row of `changes.csv` of one follow-up."""
    key = pair_key(baseline, followup)
    status = source.statuses[key]
    row: Row = {
        **dict.fromkeys(entry.name for entry in columns.CHANGES),
        "patient": baseline.patient,
        "baseline": baseline.visit,
        "followup": followup.visit,
        "days": None if baseline.day is None or followup.day is None else followup.day - baseline.day,
        "status": status.status,
        "code": status.code,
        **change_cells(source.of(baseline), source.of(followup)),
    }
    told = read_json(source.out / "comparisons" / key / "comparison.json") if status.status == "done" else {}
    return row | (_change_cells(told) if told else {})


def _change_cells(told: dict[str, Any]) -> Row:
    change = told["change"]
    oedema, shares = change["oedema"]["total"], change["probabilities"]
    return {
        "change_class": change["class"],
        "sparcc_baseline": change["sparcc_baseline"],
        "sparcc_followup": change["sparcc_followup"],
        "sparcc_delta": change["sparcc_delta"],
        "sparcc_delta_right": change["right"]["delta"],
        "sparcc_delta_left": change["left"]["delta"],
        "probability": shares[change["class"]],
        **{f"p_{name}": share for name, share in shares.items()},
        "mixed": int(change["mixed"]),
        "grey_zone": int(change["grey_zone"]),
        "oedema_baseline_ml": oedema["baseline_ml"],
        "oedema_followup_ml": oedema["followup_ml"],
        "oedema_resolved_ml": oedema["resolved_ml"],
        "oedema_new_ml": oedema["new_ml"],
        **_caution_cells(told),
    }


def status_rows(source: Source, notes: Iterable[Note]) -> Iterator[Row]:
    """The rows of `status.csv`: every visit, every comparison, then what concerns the whole study."""
    named = [("visit", v.patient, v.visit, v.key) for v in source.plan.visits]
    named += [("comparison", f.patient, f.visit, pair_key(b, f)) for b, f in source.plan.followups()]
    for kind, patient, visit, key in named:
        status = source.statuses[key]
        yield {
            "kind": kind,
            "patient": patient,
            "visit": visit,
            "status": status.status,
            "code": status.code,
            "message": status.message,
        }
    for note in notes:
        yield {"kind": "note", "status": "caution", "code": note.code, "message": note.message}


def quadrant_rows(source: Source) -> Iterator[Row]:
    """The rows of `quadrants.csv`, from each scored visit's own."""
    for visit in source.plan.visits:
        if source.statuses[visit.key].status != "done":
            continue
        path = source.out / "visits" / visit.key / "quadrants.csv"
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                yield {"patient": visit.patient, "visit": visit.visit, **row}


def same_images(source: Source) -> tuple[Note, ...]:
    """A note for all visits that hold the same images: a visit listed twice, or copied under another patient."""
    owners: dict[str, list[str]] = {}
    for visit in source.plan.visits:
        status = source.statuses[visit.key]
        if status.input_sha256 and visit.code == "":
            told = read_json(source.out / "visits" / visit.key / "visit.json") if status.status == "done" else {}
            image = (told.get("provenance") or {}).get("input_sha256")
            if image:
                owners.setdefault(image, []).append(visit.key)
    return tuple(
        Note("same_images", f"{' and '.join(keys)} hold the same images.") for keys in owners.values() if len(keys) > 1
    )


def left_over(source: Source) -> tuple[Note, ...]:
    """A note for results of visits that are no longer in the study: who looks into OUT finds them still."""
    kept = {path.stem for path in (source.out / "status").glob("*.json")}
    gone = sorted(kept - source.statuses.keys())
    told = f"Results of an earlier run, no longer in the study and in no table: {named(gone)}."
    return (Note("left_over", told),) if gone else ()


def write_table(out: Path, name: str, rows: Iterable[Row]) -> None:
    """Write one table of `columns.TABLES`, row by row; a column that a row lacks is an empty cell."""
    write_whole(out / name, _csv(columns.TABLES[name], rows))


def _csv(entries: tuple[Entry, ...], rows: Iterable[Row]) -> Iterator[str]:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [entry.name for entry in entries], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(row)
        if text.tell() > 1 << 16:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()
