"""What a worker is given: one visit to score, or a baseline and its follow-up to compare."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from mri_sij.study.plan import Plan, PlannedVisit, pair_key


@dataclass(frozen=True)
class Basis:
    """What all results of a run rest on besides their input. `settings_json` leaves out how the study is run."""

    study: Path
    out: Path
    settings_json: str
    settings_sha256: str
    model_sha256: str


@dataclass(frozen=True)
class Job:
    """One visit to score, or a baseline and its follow-up to compare."""

    visits: tuple[PlannedVisit, ...]
    basis: Basis

    @property
    def key(self) -> str:
        """Name of the result."""
        return self.visits[0].key if len(self.visits) == 1 else pair_key(*self.visits)

    @property
    def files_sha256(self) -> str:
        """What tells its input from another one as far as the plan goes (see `PlannedVisit`)."""
        return joined([visit.files_sha256 for visit in self.visits])

    @property
    def folder(self) -> Path:
        """Where the result goes."""
        return self.basis.out / ("visits" if len(self.visits) == 1 else "comparisons") / self.key


def joined(hashes: list[str]) -> str:
    """The hash of several hashes; a lone one stays as it is."""
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\0".join(hashes).encode()).hexdigest()


def jobs_of(plan: Plan, basis: Basis) -> tuple[Job, ...]:
    """Every visit to score, then every follow-up to compare."""
    return tuple(Job(visits, basis) for visits in (*((v,) for v in plan.visits), *plan.followups()))
