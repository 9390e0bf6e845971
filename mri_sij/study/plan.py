"""What a study holds: which visits there are, whose they are, in what order, and what each is compared with.

Plain records that name nobody; `find` makes them, `plan.json` in OUT keeps them without the names of files.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from mri_sij.errors import UsageError

SCHEMA = 2


def visit_key(patient: str, visit: str) -> str:
    """Name of a visit in every output."""
    return f"sub-{patient}_ses-{visit}"


def change_key(patient: str, baseline: str, followup: str) -> str:
    """Name of a comparison in every output."""
    return f"{visit_key(patient, baseline)}_vs_ses-{followup}"


@dataclass(frozen=True)
class PlannedVisit:
    """One visit. `patient` and `visit` are labels; `day` counts from the patient's first dated visit.

    `files` are relative to `root`, which is relative to the study; `files_sha256` tells them from other files without
    a name in it. `numbered` says that the labels are numbers, which may mean other visits when the study changes.
    Where `code` is not empty the visit cannot be scored and `message` says why; where `pair_code` is not empty it
    cannot be compared with its baseline.
    """

    patient: str
    visit: str
    day: int | None
    baseline: bool
    code: str = ""
    message: str = ""
    pair_code: str = ""
    pair_message: str = ""
    numbered: bool = False
    files_sha256: str = ""
    root: str = ""
    files: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Name of the visit in every output: `sub-<patient>_ses-<visit>`."""
        return visit_key(self.patient, self.visit)


@dataclass(frozen=True)
class Note:
    """Something about the whole study that somebody should look at."""

    code: str
    message: str


@dataclass(frozen=True)
class Plan:
    """All visits, patient by patient, each patient's baseline first."""

    visits: tuple[PlannedVisit, ...]
    notes: tuple[Note, ...] = ()

    def followups(self) -> tuple[tuple[PlannedVisit, PlannedVisit], ...]:
        """Every follow-up with its baseline."""
        bases = {v.patient: v for v in self.visits if v.baseline}
        return tuple((bases[v.patient], v) for v in self.visits if not v.baseline and v.patient in bases)


def pair_key(baseline: PlannedVisit, followup: PlannedVisit) -> str:
    """Name of a comparison in every output: `sub-<patient>_ses-<baseline>_vs_ses-<followup>`."""
    return change_key(baseline.patient, baseline.visit, followup.visit)


def named(keys: Sequence[str]) -> str:
    """The first few of many keys."""
    return ", ".join(keys[:5]) + (f" and {len(keys) - 5} more" if len(keys) > 5 else "")


def part_of(plan: Plan, number: int, of: int) -> Plan:
    """Part `number` (from 1) of `of` parts; whole patients, so that comparisons stay together."""
    if not 1 <= number <= of:
        raise UsageError(f"Shard {number}/{of} is not one of 1/{of} to {of}/{of}.")
    own = set(list(dict.fromkeys(v.patient for v in plan.visits))[number - 1 :: of])
    return Plan(tuple(v for v in plan.visits if v.patient in own), plan.notes)


def to_plain(plan: Plan) -> dict[str, Any]:
    """The plan without files, as JSON takes it."""
    left_out = ("root", "files")
    visits = [{k: v for k, v in asdict(visit).items() if k not in left_out} for visit in plan.visits]
    return {"schema": SCHEMA, "visits": visits, "notes": [asdict(note) for note in plan.notes]}


def from_plain(plain: dict[str, Any]) -> Plan:
    """The plan that `to_plain` was given, without files. Raises KeyError, TypeError or ValueError for anything else."""
    if plain["schema"] != SCHEMA:
        raise ValueError(plain["schema"])
    known = {field.name for field in fields(PlannedVisit)}
    visits = (PlannedVisit(**{k: v for k, v in one.items() if k in known}) for one in plain["visits"])
    return Plan(tuple(visits), tuple(Note(**one) for one in plain["notes"]))


def read_plan(out: Path) -> tuple[Plan, dict[str, Any]]:
    """The plan that a run left in OUT, and everything else in `plan.json`; UsageError where there is none."""
    try:
        plain = json.loads((out / "plan.json").read_text(encoding="utf-8"))
        return from_plain(plain), plain
    except OSError as error:
        raise UsageError(
            f"{out.name} holds no study: there is no plan.json.", hint="Name the folder that `mri-sij run` wrote to."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"plan.json in {out.name} is not one of this version's.", hint="Start a new folder."
        ) from error
