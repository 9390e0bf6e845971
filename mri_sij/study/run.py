"""Run a study: every visit scored, every follow-up compared, every one of them with a row, tables last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mri_sij.config import Settings
from mri_sij.errors import UsageError
from mri_sij.study.plan import Plan, PlannedVisit
from mri_sij.study.pool import Lost, run_tasks
from mri_sij.study.task import Job, Status, do, keep, stored_status

Told = Callable[[int, int, Status], None]


@dataclass(frozen=True)
class Shard:
    """Part `number` (from 1) of `of` parts of a study; whole patients, so that comparisons stay together."""

    number: int = 1
    of: int = 1


@dataclass(frozen=True)
class Outcome:
    """What a run did. `visits` and `comparisons` in the plan's order; `fresh` of them were done now."""

    visits: tuple[Status, ...]
    comparisons: tuple[Status, ...]
    fresh: int


def jobs_of(plan: Plan, settings: Settings, out: Path) -> tuple[list[Job], list[Job]]:
    """Jobs to score visits and jobs to compare follow-ups with their baseline."""
    text = settings.model_dump_json()
    score = [Job((visit,), text, out) for visit in plan.visits]
    return score, [Job(pair, text, out) for pair in plan.followups()]


def run_study(plan: Plan, settings: Settings, out: Path, *, workers: int, shard: Shard, told: Told) -> Outcome:
    """Score and compare what is missing or out of date, in `workers` processes; `told` hears of each as it ends."""
    part = _part(plan, shard)
    score, compare = jobs_of(part, settings, out)
    workers = affordable(workers, settings.study.worker_memory_gb)
    total = len(score) + len(compare)
    statuses: dict[str, Status] = {}
    fresh = _do_all(score, statuses, workers, settings, lambda s: told(len(statuses), total, s))
    usable = {key for key, status in statuses.items() if status.status == "done"}
    ready = []
    for job in compare:
        lacking = [v for v in job.visits if v.key not in usable]
        if lacking:
            statuses[job.key] = keep(job, _not_compared(job, lacking))
        else:
            ready.append(job)
    fresh += _do_all(ready, statuses, workers, settings, lambda s: told(len(statuses), total, s))
    return Outcome(tuple(statuses[j.key] for j in score), tuple(statuses[j.key] for j in compare), fresh)


def _not_compared(job: Job, lacking: list[PlannedVisit]) -> Status:
    message = f"{' and '.join(v.key for v in lacking)} has no score to compare."
    return Status(job.key, "not_scorable", "visit_without_score", message, job.stamp)


def _do_all(
    jobs: list[Job], statuses: dict[str, Status], workers: int, settings: Settings, told: Callable[[Status], None]
) -> int:
    missing = []
    for job in jobs:
        known = stored_status(job)
        if known is None:
            missing.append(job)
        else:
            statuses[job.key] = known
            told(known)
    for number, ended in run_tasks(do, missing, workers=workers, limit_s=settings.study.visit_limit_s):
        job = missing[number]
        status = (
            keep(job, Status(job.key, "failed", ended.code, ended.message, job.stamp))
            if isinstance(ended, Lost)
            else ended
        )
        statuses[job.key] = status
        told(status)
    return len(missing)


def _part(plan: Plan, shard: Shard) -> Plan:
    if not 1 <= shard.number <= shard.of:
        raise UsageError(f"Shard {shard.number}/{shard.of} is not one of 1/{shard.of} to {shard.of}/{shard.of}.")
    patients = list(dict.fromkeys(v.patient for v in plan.visits))
    own = set(patients[shard.number - 1 :: shard.of])
    return Plan(tuple(v for v in plan.visits if v.patient in own))


def affordable(workers: int, worker_memory_gb: float) -> int:
    """As many of `workers` as the free memory holds, at least one."""
    import os  # noqa: PLC0415

    try:
        free_gb = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (ValueError, OSError, AttributeError):
        return max(1, workers)
    return max(1, min(workers, int(free_gb / worker_memory_gb)))


def require_room(study: Path, out: Path) -> None:
    """UsageError when OUT lies inside the study, is a file, or cannot be written."""
    import os  # noqa: PLC0415

    if out.resolve().is_relative_to(study.resolve()):
        raise UsageError(
            "OUT lies inside the study: its files would be read as input.", hint="Name a folder elsewhere."
        )
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out.name} is a file; a folder is expected.")
    out.mkdir(parents=True, exist_ok=True)
    if not os.access(out, os.W_OK):
        raise UsageError(f"The folder {out.name} cannot be written to.", hint="Check its permissions.")
