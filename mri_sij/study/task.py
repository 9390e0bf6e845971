"""The two tasks of a study: score one visit, compare one follow-up with its baseline. Each writes its own result.

A task never raises for what it meets: any error becomes a typed status, so that one visit costs one visit.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from mri_sij import __version__
from mri_sij.errors import MriSijError, RefusedError, place_of
from mri_sij.study.files import NO_ROOM, reason_of
from mri_sij.study.job import Job, joined
from mri_sij.study.results import discard, harm_to, sizes_of
from mri_sij.study.state import content_of, remember_input, seen_of
from mri_sij.whole import write_whole


@dataclass(frozen=True)
class Status:
    """What became of a visit or comparison, and what that rests on: hashes of its input, settings and network.

    `sizes` holds the files of the result (see `results.sizes_of`).
    """

    key: str
    status: str
    code: str = ""
    message: str = ""
    input_sha256: str = ""
    settings_sha256: str = ""
    model_sha256: str = ""
    version: str = ""
    files_sha256: str = ""
    sizes: dict[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """A status, and whether it was come by now (`fresh`) or held good. `no_room` says that OUT cannot be written to."""

    status: Status
    fresh: bool = True
    no_room: str = ""


Told = tuple[str, str, str]
"""Status, code and message."""


def status_file(out: Path, key: str) -> Path:
    """Where the status of a visit or comparison is kept."""
    return out / "status" / f"{key}.json"


def read_status(out: Path, key: str) -> Status | None:
    """The status that an earlier run left; None where there is none that can be read."""
    try:
        return Status(**json.loads(status_file(out, key).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def status_of(job: Job, told: Told, content: str) -> Status:
    """The status of a job with everything that it rests on, before it has any files."""
    basis = job.basis
    rests_on = (content, basis.settings_sha256, basis.model_sha256, __version__, job.files_sha256)
    return Status(job.key, *told, *rests_on)


def keep(out: Path, status: Status) -> None:
    """Write a status, last of all that a task writes: what has a status is whole."""
    write_whole(status_file(out, status.key), json.dumps(asdict(status), indent=1) + "\n")


def outdated(status: Status | None, job: Job) -> str:
    """Why a result must be made again, "" when it holds as far as can be seen without its input."""
    if status is None:
        return "not done yet"
    return f"failed before ({status.code})" if status.status == "failed" else unfit(status, job)


def unfit(status: Status, job: Job) -> str:
    """Why a status does not say what became of this job, "" when it does."""
    basis = job.basis
    for was, now, told in (
        (status.files_sha256, job.files_sha256, "another input"),
        (status.version, __version__, f"made by version {status.version}"),
        (status.settings_sha256, basis.settings_sha256, "other settings"),
        (status.model_sha256, basis.model_sha256, "other models"),
    ):
        if was != now:
            return told
    return harm_to(basis.out, status.sizes)


def do(job: Job) -> Ended:
    """Score or compare, write the result, keep its status."""
    from mri_sij.study.make import compare, score  # noqa: PLC0415 - the parent process needs none of it

    return do_with(job, score if len(job.visits) == 1 else compare)


def do_with(job: Job, make: Callable[[Job], Told]) -> Ended:
    """The same with any maker of results, which writes what it makes and says what became of it."""
    out, content = job.basis.out, ""
    try:
        seen = [(visit, seen_of(job.basis.study, visit)) for visit in job.visits]
        contents = [content_of(job.basis.study, visit) for visit in job.visits]
        content = joined(contents)
        known = read_status(out, job.key)
        holds = known is not None and not outdated(known, job) and known.input_sha256 == content
        status = known if known is not None and holds else status_of(job, _made(job, make), content)
        if not holds:
            if status.status in ("refused", "failed"):
                discard(job)
            else:
                status = replace(status, sizes=sizes_of(job))
            keep(out, status)
        if len(job.visits) == 1:
            remember_input(out, job.key, seen[0][1], content)
    except OSError as error:
        if error.errno in NO_ROOM:
            return Ended(status_of(job, ("failed", "no_room", ""), content), no_room=reason_of(error))
        status = status_of(job, ("failed", "input_output", f"{reason_of(error)}."), content)
        keep(out, status)
        return Ended(status)
    return Ended(status, fresh=not holds)


def _made(job: Job, make: Callable[[Job], Told]) -> Told:
    try:
        return make(job)
    except RefusedError as error:
        return "refused", error.code, error.message
    except MriSijError as error:
        return "failed", error.code, error.message
    except MemoryError:
        return "failed", "memory", "There was not enough memory."
    except OSError:
        raise
    except Exception as error:  # texts of foreign errors may quote a header, so only kind and place are kept
        return "failed", "unexpected", f"An unexpected {type(error).__name__} at {place_of(error)}."
