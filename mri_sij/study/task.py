"""The two tasks of a study: score one visit, compare one follow-up with its baseline. Each writes its own result."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mri_sij import __version__
from mri_sij.config import Settings
from mri_sij.errors import MriSijError
from mri_sij.study.plan import PlannedVisit

STATUSES = ("done", "not_scorable", "refused", "failed")


@dataclass(frozen=True)
class Status:
    """What became of a visit or a comparison. `key` names it; `input` is a hash by which a change of input is seen."""

    key: str
    status: str
    code: str = ""
    message: str = ""
    input: str = ""


@dataclass(frozen=True)
class Job:
    """A task and what it needs: one visit to score, or a follow-up and its baseline to compare."""

    visits: tuple[PlannedVisit, ...]
    settings_json: str
    out: Path

    @property
    def key(self) -> str:
        """Name of the result."""
        return "_vs_".join(v.key if n == 0 else f"ses-{v.visit}" for n, v in enumerate(self.visits))

    @property
    def stamp(self) -> str:
        """What the result depends on: inputs, settings, program."""
        import hashlib  # noqa: PLC0415

        parts = [__version__, self.settings_json, *(v.fingerprint for v in self.visits)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def status_file(out: Path, key: str) -> Path:
    """Where the status of a visit or comparison is kept."""
    return out / "status" / f"{key}.json"


def stored_status(job: Job) -> Status | None:
    """The status of an earlier run that still holds; None when there is none, or input, settings or version changed."""
    try:
        found = Status(**json.loads(status_file(job.out, job.key).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if found.input == job.stamp and found.code not in ("crashed", "timed_out") else None


def write_whole(path: Path, text: str) -> None:
    """Write a file beside its place and rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def keep(job: Job, status: Status) -> Status:
    """Write a status, last of all that a task writes."""
    write_whole(status_file(job.out, status.key), json.dumps(asdict(status), indent=1) + "\n")
    return status


def do(job: Job) -> Status:
    """Do a job and keep its status: any error becomes a typed status, so that the study goes on."""
    try:
        status, code, message = _score(job) if len(job.visits) == 1 else _compare(job)
    except MriSijError as error:
        status, code, message = "refused", error.code, error.message
    except MemoryError:
        status, code, message = "failed", "memory", "There was not enough memory."
    except OSError as error:
        status, code, message = "failed", "input_output", error.strerror or type(error).__name__
    except (
        Exception
    ) as error:  # one visit must not end the study; texts of foreign errors may quote headers, so only the kind is kept
        status, code, message = "failed", "unexpected", f"An unexpected {type(error).__name__}."
    return keep(job, Status(job.key, status, code, message, job.stamp))


def _result(visit: PlannedVisit, settings: Settings) -> Any:
    from mri_sij.errors import RefusedError  # noqa: PLC0415
    from mri_sij.ingest.choose import choose  # noqa: PLC0415
    from mri_sij.ingest.visit import read_visit  # noqa: PLC0415
    from mri_sij.workflow import score_images  # noqa: PLC0415

    if visit.found is None:
        raise RefusedError(visit.problem)
    return score_images(read_visit(visit.found, choose(visit.found, settings.ingest, None)), settings)


def _score(job: Job) -> tuple[str, str, str]:
    from mri_sij.workflow import write_visit  # noqa: PLC0415

    (visit,) = job.visits
    if visit.found is None:
        return "refused", visit.code, visit.problem
    result = _result(visit, Settings.model_validate_json(job.settings_json))
    folder = job.out / "visits" / visit.key
    write_visit(result, folder, visit.key)
    _bids_masks(folder, job.out, visit)
    if result.status == "scored":
        return "done", "", ""
    return "not_scorable", result.reasons[0].code, " ".join(r.message for r in result.reasons)


def _bids_masks(folder: Path, out: Path, visit: PlannedVisit) -> None:
    """The masks once more under the names of a BIDS derivative."""
    place = out / f"sub-{visit.patient}" / f"ses-{visit.visit}" / "anat"
    for name, bids in (("anatomy", "desc-sij_dseg"), ("oedema", "desc-oedema_dseg")):
        target = place / f"{visit.key}_{bids}.nii.gz"
        if not (folder / f"{name}.nii.gz").exists():
            target.unlink(missing_ok=True)
            continue
        place.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}")
        shutil.copyfile(folder / f"{name}.nii.gz", beside)
        beside.replace(target)


def _compare(job: Job) -> tuple[str, str, str]:
    from mri_sij.compare.visit import of_result  # noqa: PLC0415
    from mri_sij.compare.visits import compare_visits  # noqa: PLC0415
    from mri_sij.workflow import write_comparison  # noqa: PLC0415

    settings = Settings.model_validate_json(job.settings_json)
    comparison = compare_visits([of_result(_result(v, settings)) for v in job.visits], settings)
    write_comparison(comparison, settings, job.out / "comparisons" / job.key)
    last = comparison.followups[-1]
    if last.change is not None:
        return "done", "", ""
    return "not_scorable", last.reasons[0].code, " ".join(r.message for r in last.reasons)
