"""Run a study: every visit scored, every follow-up compared, every one of them with a status."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mri_sij.config import Settings, StudySettings
from mri_sij.errors import RefusedError, UsageError
from mri_sij.models import models_sha256
from mri_sij.study.files import NO_ROOM, OutputError, read_json, reason_of, require_writable, sweep
from mri_sij.study.job import Basis, Job, joined
from mri_sij.study.plan import Plan, PlannedVisit, pair_key
from mri_sij.study.pool import Lost
from mri_sij.study.results import discard
from mri_sij.study.state import FOLDER, remembered_input, seen_of
from mri_sij.study.task import Ended, Status, Told, do, keep, outdated, read_status, status_of

Executor = Callable[[Callable[[Any], Any], Sequence[Any]], Generator[tuple[int, Any], None, None]]
"""Runs a function over tasks somewhere and yields (number of the task, its result or `Lost`) as they end.

Closed, it takes back what it had given out; processes of its own have ended.
"""


@dataclass(frozen=True)
class Event:
    """A visit or comparison that ended: `done` of `total`, and why it was made (again), "" where it was not."""

    done: int
    total: int
    status: Status
    why: str


Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Outcome:
    """What a run did: statuses by key, in the plan's order; `fresh` of them were come by now."""

    visits: tuple[Status, ...]
    comparisons: tuple[Status, ...]
    fresh: int


def basis_of(study: Path, out: Path, settings: Settings) -> Basis:
    """What all results rest on. How a study is run changes no result and is left out."""
    scoring = settings.model_copy(update={"study": StudySettings()})
    return Basis(study.absolute(), out.absolute(), scoring.model_dump_json(), scoring.sha256, _model_of(settings))


def _model_of(settings: Settings) -> str:
    """Hash of all models: those that ship, and the user's own where the settings name one."""
    digest = hashlib.sha256(models_sha256().encode())
    _, _, own = settings.anatomy.segmenter.partition(":")
    for path in _files_of(Path(own)) if own else ():
        name = path.relative_to(own).as_posix()
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        digest.update(f"{name}\0{content}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files_of(model: Path) -> list[Path]:
    """The file of a model, or all files of its folder: masks, or a segmenter's weights."""
    return sorted(path for path in (model, *model.rglob("*")) if path.is_file())


def run_study(
    plan: Plan,
    basis: Basis,
    executor: Executor,
    *,
    told: Listener,
    work: Callable[[Job], Ended] = do,
) -> Outcome:
    """Score and compare what is missing or out of date; `told` hears of each as it ends, `work` does one job.

    OutputError when OUT cannot be written to any more: everything done until then stays.
    """
    run = _Run(plan, basis, executor, told, work)
    try:
        return run.all()
    except OSError as error:
        if error.errno in NO_ROOM:
            raise run.no_room(reason_of(error)) from error
        raise


class _Run:
    """One run's statuses as they come in."""

    def __init__(
        self, plan: Plan, basis: Basis, executor: Executor, told: Listener, work: Callable[[Job], Ended]
    ) -> None:
        self.plan, self.basis, self.executor, self.told, self.work = plan, basis, executor, told, work
        self.pairs = plan.followups()
        self.statuses: dict[str, Status] = {}
        self.fresh = 0

    def all(self) -> Outcome:
        """Do everything."""
        self._sweep()
        try:
            self._do_all([j for j in (Job((v,), self.basis) for v in self.plan.visits) if self._is_to_do(j)])
            self._do_all([j for j in (Job(pair, self.basis) for pair in self.pairs) if self._is_to_do(j)])
        finally:
            # What workers had begun to write when Ctrl-C or a lost visit ended them; and those of an earlier run that
            # was killed may have outlived it by a moment, and left a file after the first sweep.
            self._sweep()
        visits = tuple(self.statuses[v.key] for v in self.plan.visits)
        return Outcome(visits, tuple(self.statuses[pair_key(*pair)] for pair in self.pairs), self.fresh)

    def _sweep(self) -> None:
        for folder, keys in (("visits", self._visit_keys()), ("comparisons", self._pair_keys())):
            sweep(self.basis.out / folder, keys)
        for folder in ("status", FOLDER):
            sweep(self.basis.out / folder, self._visit_keys() | self._pair_keys())

    def _visit_keys(self) -> set[str]:
        return {v.key for v in self.plan.visits}

    def _pair_keys(self) -> set[str]:
        return {pair_key(*pair) for pair in self.pairs}

    def _is_to_do(self, job: Job) -> bool:
        """Whether a job needs a worker; what is known already, or known to be impossible, is kept and told here."""
        impossible = self._impossible(job)
        known = read_status(self.basis.out, job.key)
        if impossible is not None:
            status = status_of(job, impossible, "")
            if status != known:
                discard(job)
                keep(self.basis.out, status)
            self._take(status, why="" if status == known else "not done yet")
            return False
        if known is None or self._why(job, known):
            return True
        self._take(known, why="")
        return False

    def _impossible(self, job: Job) -> Told | None:
        if len(job.visits) == 1:
            visit = job.visits[0]
            return ("refused", visit.code, visit.message) if visit.code else None
        followup = job.visits[1]
        lacking = [v for v in job.visits if self.statuses[v.key].status != "done"]
        if lacking:
            names = " and ".join(v.key for v in lacking)
            return "not_scorable", "visit_without_score", f"There is no score to compare of {names}."
        return ("refused", followup.pair_code, followup.pair_message) if followup.pair_code else None

    def _why(self, job: Job, known: Status | None) -> str:
        why = outdated(known, job)
        if why or known is None:
            return why
        return "" if known.input_sha256 == self._input(job) else "another input"

    def _input(self, job: Job) -> str:
        """The hash of a job's input as it was last read, "" where its files look other than then."""
        if len(job.visits) == 2:
            return joined([self.statuses[v.key].input_sha256 for v in job.visits])
        return _remembered(self.basis, job.visits[0])

    def _do_all(self, jobs: list[Job]) -> None:
        why = [self._why(job, read_status(self.basis.out, job.key)) for job in jobs]
        with closing(self.executor(self.work, jobs)) as all_ended:
            for number, ended in all_ended:
                if isinstance(ended, Lost):
                    status = status_of(jobs[number], ("failed", ended.code, ended.message), "")
                    discard(jobs[number])
                    keep(self.basis.out, status)
                    ended = Ended(status)  # noqa: PLW2901
                if ended.no_room:
                    raise self.no_room(ended.no_room)
                self._take(ended.status, why[number] if ended.fresh else "")

    def _take(self, status: Status, why: str) -> None:
        self.statuses[status.key] = status
        self.fresh += bool(why)
        self.told(Event(len(self.statuses), len(self.plan.visits) + len(self.pairs), status, why))

    def no_room(self, reason: str) -> OutputError:
        """The error for an OUT that takes no more."""
        total = len(self.plan.visits) + len(self.pairs)
        return OutputError(
            f"OUT cannot be written to: {reason}. {len(self.statuses)} of {total} results are there.",
            hint="Make room and run the same command again: it goes on from here.",
        )


def _remembered(basis: Basis, visit: PlannedVisit) -> str:
    return remembered_input(basis.out, visit.key, seen_of(basis.study, visit))


def why_each(plan: Plan, basis: Basis) -> Iterator[tuple[str, str]]:
    """Each visit's and comparison's key, and why it would be made (again); "" where it would not."""
    again = set()
    for visit in plan.visits:
        job = Job((visit,), basis)
        known = read_status(basis.out, job.key)
        why = outdated(known, job)
        if not why and not visit.code and known is not None and known.input_sha256 != _remembered(basis, visit):
            why = "another input"
        again |= {visit.key} if why else set()
        yield job.key, why
    for pair in plan.followups():
        job = Job(pair, basis)
        visits = [v.key for v in pair if v.key in again]
        yield job.key, outdated(read_status(basis.out, job.key), job) or ("a visit is made again" if visits else "")


def workers_for(asked: int, worker_memory_gb: float) -> int:
    """How many workers to start: as many as the free memory holds. RefusedError where it does not hold one."""
    free = free_memory_gb()
    if free is None:
        return asked
    if free < worker_memory_gb:
        raise RefusedError(
            f"{free:.1f} GB of memory are free; one worker may need {worker_memory_gb:g} GB.",
            hint="End other programs, or lower study.worker_memory_gb in the settings.",
        )
    return max(1, min(asked, int(free / worker_memory_gb)))


def free_memory_gb() -> float | None:
    """Memory that can be had without swapping, None where the system does not say; a container's own limit counts."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        kilobytes = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return None
    free = kilobytes * 1024 / 1e9
    try:
        most = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
        used = int(Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return free
    return min(free, (most - used) / 1e9)


def require_own(study: Path, out: Path) -> None:
    """UsageError when OUT lies inside the study, is a file, or holds something else than a study of this program."""
    if out.resolve().is_relative_to(study.resolve()):
        raise UsageError(
            "OUT lies inside the study: its files would be read as input.", hint="Name a folder elsewhere."
        )
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out.name} is a file; a folder is expected.")
    if (out / FOLDER).is_dir() or "visits" in read_json(out / "plan.json"):
        return
    others = sum(not path.name.startswith(".") for path in out.iterdir()) if out.exists() else 0
    if others:
        raise UsageError(
            f"{out.name} is not the OUT of a study: no plan.json of ours, and it is not empty (entries: {others}).",
            hint="Name a new folder; files of this one could be replaced.",
        )


def require_room(study: Path, out: Path) -> None:
    """UsageError when OUT is not one to write to (see `require_own`), OutputError when it cannot be written to."""
    require_own(study, out)
    require_writable(out)
    (out / FOLDER).mkdir(exist_ok=True)  # first of all: by it, OUT is known as ours after a kill
