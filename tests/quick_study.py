"""Studies of tiny images, and a stand-in for scoring that takes a moment: for tests and figures of how a study is run.

The stand-in writes finished visits through the same functions as the real one. What the STIR's side-car says decides
what befalls a visit: `crash`, `hang`, `refuse`, `raise`, `unseen`; anything else is scored.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from mri_sij.config import Settings
from mri_sij.errors import RefusedError
from mri_sij.report.folder import COMPARISON_FILES, VISIT_FILES, whole_folder
from mri_sij.study.clinical import Records
from mri_sij.study.job import Job
from mri_sij.study.listing import plan_study
from mri_sij.study.plan import part_of
from mri_sij.study.pool import run_tasks
from mri_sij.study.report import begin, gather
from mri_sij.study.results import write_derived
from mri_sij.study.run import Event, Executor, Outcome, basis_of, run_study
from mri_sij.study.task import Ended, Told, do_with

CANARY = "CANARY"
TEMPLATE = "MRI_SIJ_TEST_TEMPLATE"
"""Environment variable with the folder of a finished visit that the stand-in copies."""

Run = Callable[..., Outcome]
"""The fixture `run` of `tests/study/conftest.py`, which sets TEMPLATE."""


def write_visit_of(study: Path, patient: str, visit: str, fate: str = "", seed: int = 0) -> Path:
    """One visit in BIDS names: a STIR of a few voxels and its side-car."""
    import nibabel as nib  # noqa: PLC0415

    folder = study / f"sub-{patient}" / f"ses-{visit}" / "anat"
    folder.mkdir(parents=True)
    voxels = np.random.default_rng(seed).integers(0, 900, (8, 8, 6)).astype(np.int16)
    stem = folder / f"sub-{patient}_ses-{visit}_acq-stir_T2w"
    nib.save(nib.Nifti1Image(voxels, np.diag([20.0, 20, 4, 1])), f"{stem}.nii.gz")
    stem.with_suffix(".json").write_text(json.dumps({"InversionTime": 0.15, "Fate": fate}), encoding="utf-8")
    return folder


def write_study(study: Path, patients: int, visits: int = 2, fate: str = "") -> Path:
    """A study of so many patients with so many visits each."""
    for p in range(1, patients + 1):
        for v in range(1, visits + 1):
            write_visit_of(study, f"{p:04d}", f"{v}", fate, seed=p * 100 + v)
    return study


def run(
    study: Path,
    out: Path,
    *,
    workers: int = 1,
    shard: tuple[int, int] = (1, 1),
    settings: Settings | None = None,
    clinical: Records | None = None,
    executor: Executor | None = None,
    heard: list[Event] | None = None,
    manifest: Path | None = None,
) -> Outcome:
    """Run a study with the stand-in; `heard` takes every event. TEMPLATE must be set."""
    chosen = settings or Settings()
    out.mkdir(exist_ok=True)
    plan = plan_study(study, manifest, out=out)
    basis = basis_of(study, out, chosen)
    begin(plan, basis, chosen, clinical or {})
    told = (heard if heard is not None else []).append
    here = executor or partial(run_tasks, workers=workers, limit_s=chosen.study.visit_limit_s)
    return run_study(part_of(plan, *shard), basis, here, told=told, work=do)


def run_whole(study: str, out: str, workers: int) -> None:
    """Run a study and make its tables: for a process of its own, as `python -c` starts it."""
    run(Path(study), Path(out), workers=workers)
    gather(Path(out))


def do(job: Job) -> Ended:
    """Do a job with the stand-in."""
    return do_with(job, _score if len(job.visits) == 1 else _compare)


def _fate(job: Job) -> str:
    visit = job.visits[0]
    sidecar = next(name for name in visit.files if name.endswith(".json"))
    return str(json.loads((job.basis.study / visit.root / sidecar).read_text(encoding="utf-8"))["Fate"])


def _score(job: Job) -> Told:
    fate = _fate(job)
    if fate == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    if fate == "hang":
        time.sleep(600)
    if fate == "refuse":
        raise RefusedError("No STIR was found.")
    if fate == "raise":
        raise ValueError(CANARY)
    if fate.startswith("slow"):
        time.sleep(0.2)
    template = Path(os.environ[TEMPLATE])
    scored = fate != "unseen"
    with whole_folder(job.folder, VISIT_FILES) as folder:
        for source in sorted(template.iterdir()):
            if scored or source.name in ("visit.json", "quadrants.csv", "report.html"):
                (folder / source.name).write_bytes(source.read_bytes())
    labels = {"anatomy.nii.gz": {1: "sacrum"}, "oedema.nii.gz": {1: "oedema"}}
    write_derived(job, labels if scored else {}, b"picture" if scored else None)
    return ("done", "", "") if scored else ("not_scorable", "quality", "Too dark.")


def _compare(job: Job) -> Told:
    volumes = dict.fromkeys(("baseline_ml", "followup_ml", "resolved_ml", "new_ml"), 1.0)
    classes = ("normalization", "regression", "stability", "progression")
    change = {
        "class": "regression", "sparcc_baseline": 9, "sparcc_followup": 4, "sparcc_delta": -5, "mixed": False,
        "probabilities": dict.fromkeys(classes, 0.25), "grey_zone": False, "oedema": {"total": volumes},
        "left": {"delta": -5}, "right": {"delta": 0},
    }  # fmt: skip
    with whole_folder(job.folder, COMPARISON_FILES) as folder:
        (folder / "comparison.json").write_text(json.dumps({"change": change, "cautions": []}), encoding="utf-8")
        (folder / "comparison.html").write_text("<!doctype html>", encoding="utf-8")
        (folder / "change.nii.gz").write_bytes(b"voxels")
    return "done", "", ""


def outputs(out: Path) -> dict[str, bytes]:
    """Every file of a study's output, without the log and what only makes the next run quick."""
    files = (p for p in sorted(out.rglob("*")) if p.is_file())
    return {
        str(p.relative_to(out)): p.read_bytes()
        for p in files
        if p.suffix != ".log" and p.relative_to(out).parts[0] != ".state"
    }
