"""Clinical data beside the scores: read, checked, joined. They never alter a score."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from mri_sij.config import StudySettings
from mri_sij.errors import UsageError
from mri_sij.study.manifest import LABEL, read_rows
from mri_sij.study.plan import Note, Plan

COLUMNS = (
    "patient", "visit", "hla_b27", "crp_mg_l", "esr_mm_h", "drug", "dose_mg_day", "start", "stop", "symptoms",
)  # fmt: skip
_TRUTH = {"1": 1, "positive": 1, "pos": 1, "yes": 1, "0": 0, "negative": 0, "neg": 0, "no": 0}
_TEXT = re.compile(r"[^\W_][\w .,;:/()%+-]{0,119}")
"""Free text begins with a letter or digit, so that no spreadsheet takes it for a formula."""


@dataclass(frozen=True)
class Clinical:
    """What is known of a patient at a visit; None or "" where nothing is. Names and units as in `clinical.csv`."""

    hla_b27: int | None = None
    crp_mg_l: float | None = None
    esr_mm_h: float | None = None
    drug: str = ""
    dose_mg_day: float | None = None
    start: str = ""
    stop: str = ""
    symptoms: str = ""


NOTHING = Clinical()
Records = Mapping[tuple[str, str], Clinical]
"""By patient and visit label; a visit "" holds what is true of all of a patient's visits."""


def read_clinical(path: Path) -> Records:
    """The rows of a clinical table; UsageError with line and column for what cannot be meant."""
    found: dict[tuple[str, str], Clinical] = {}
    for line, row in enumerate(read_rows(path, COLUMNS[:2], COLUMNS), start=2):
        where = f"{path.name}, line {line}"
        patient, visit = row["patient"].removeprefix("sub-"), row["visit"].removeprefix("ses-")
        if not LABEL.fullmatch(patient) or (visit and not LABEL.fullmatch(visit)):
            raise UsageError(
                f"{where}: patient and visit must be labels as in visits.csv, or visit empty for all visits."
            )
        if (patient, visit) in found:
            raise UsageError(f"{where}: a second row for the same patient and visit.")
        found[patient, visit] = _record(row, where)
    return found


def _record(row: dict[str, str], where: str) -> Clinical:
    def cell(name: str, read: Callable[[str], Any], expected: str) -> Any:
        try:
            return read(row[name]) if row[name] else None
        except (ValueError, KeyError) as error:
            raise UsageError(f"{where}, column {name}: expected {expected}.") from error

    record = Clinical(
        hla_b27=cell("hla_b27", lambda text: _TRUTH[text.lower()], "1 or positive, 0 or negative"),
        crp_mg_l=cell("crp_mg_l", _amount, "a number of mg/L from 0 to 1000"),
        esr_mm_h=cell("esr_mm_h", _amount, "a number of mm/h from 0 to 1000"),
        drug=cell("drug", _text, "at most 120 letters, digits and simple punctuation") or "",
        dose_mg_day=cell("dose_mg_day", _amount, "a number of mg/day from 0 to 1000"),
        start=cell("start", _time, "a date (2024-05-31) or a number of days since the first visit") or "",
        stop=cell("stop", _time, "a date (2024-05-31) or a number of days since the first visit") or "",
        symptoms=cell("symptoms", _text, "at most 120 letters, digits and simple punctuation") or "",
    )
    if record.start and record.stop:
        if ("-" in record.start[1:]) != ("-" in record.stop[1:]):
            raise UsageError(f"{where}: start and stop must both be dates or both be days.")
        if _order(record.stop) < _order(record.start):
            raise UsageError(f"{where}: stop lies before start.")
    return record


def _amount(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and 0 <= value <= 1000):
        raise ValueError(text)
    return value


def _text(text: str) -> str:
    if not _TEXT.fullmatch(text):
        raise ValueError(text)
    return text


def _time(text: str) -> str:
    return str(int(text)) if re.fullmatch(r"-?\d{1,5}", text) else date.fromisoformat(text).isoformat()


def _order(text: str) -> int:
    return date.fromisoformat(text).toordinal() if "-" in text[1:] else int(text)


def of_visit(records: Records, patient: str, visit: str) -> Clinical:
    """What is known at a visit: its own row, and for empty cells the row of all the patient's visits."""
    own, general = records.get((patient, visit), NOTHING), records.get((patient, ""), NOTHING)
    merged = {}
    for field in fields(Clinical):
        value = getattr(own, field.name)
        merged[field.name] = getattr(general, field.name) if value in (None, "") else value
    return Clinical(**merged)


def cells_of(clinical: Clinical, settings: StudySettings) -> dict[str, object]:
    """The clinical columns of `visits.csv`, with what lies above the settings' limits marked."""
    crp, esr = clinical.crp_mg_l, clinical.esr_mm_h
    return {
        "hla_b27": clinical.hla_b27,
        "crp_mg_l": crp,
        "crp_high": None if crp is None else int(crp > settings.crp_high_mg_l),
        "esr_mm_h": esr,
        "esr_high": None if esr is None else int(esr > settings.esr_high_mm_h),
        "drug": clinical.drug,
        "dose_mg_day": clinical.dose_mg_day,
        "drug_start": clinical.start,
        "drug_stop": clinical.stop,
        "symptoms": clinical.symptoms,
    }


def change_cells(baseline: Clinical, followup: Clinical) -> dict[str, float | None]:
    """The clinical columns of `changes.csv`."""

    def delta(a: float | None, b: float | None) -> float | None:
        return None if a is None or b is None else round(b - a, 6)

    return {
        "crp_baseline_mg_l": baseline.crp_mg_l,
        "crp_followup_mg_l": followup.crp_mg_l,
        "crp_delta_mg_l": delta(baseline.crp_mg_l, followup.crp_mg_l),
        "esr_baseline_mm_h": baseline.esr_mm_h,
        "esr_followup_mm_h": followup.esr_mm_h,
        "esr_delta_mm_h": delta(baseline.esr_mm_h, followup.esr_mm_h),
    }


def unmatched(records: Records, plan: Plan) -> tuple[Note, ...]:
    """A note when rows name visits that the study does not have."""
    visits = {(v.patient, v.visit) for v in plan.visits} | {(v.patient, "") for v in plan.visits}
    lost = sorted(set(records) - visits)
    if not lost:
        return ()
    first = f"sub-{lost[0][0]}" + (f"_ses-{lost[0][1]}" if lost[0][1] else "")
    message = f"{len(lost)} rows of the clinical data name no visit of this study; the first is {first}."
    return (Note("clinical_without_visit", message),)


def clinical_csv(records: Records) -> str:
    """The table once more, in one form and order, as a run keeps it in OUT for `gather`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for (patient, visit), record in sorted(records.items()):
        values = [getattr(record, name) for name in COLUMNS[2:]]
        writer.writerow([patient, visit, *("" if value is None else value for value in values)])
    return text.getvalue()
