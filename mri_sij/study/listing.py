"""The plan of a study, made in a process of its own, whose memory goes back when all headers are read."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from mri_sij.errors import MriSijError, RefusedError
from mri_sij.study.manifest import ManifestRow, read_manifest
from mri_sij.study.plan import Plan
from mri_sij.study.pool import be_silent, environment
from mri_sij.study.state import list_files, remember_plan, remembered_plan

Told = tuple[type[MriSijError], str, str]


def plan_study(study: Path, manifest: Path | None, *, out: Path | None = None, workers: int = 1) -> Plan:
    """Visits of a folder tree (DICOM by patient and study date, or BIDS `sub-*/ses-*`), or of a manifest.

    Labels are those of the manifest or of BIDS; otherwise patients and visits are numbered as `mri-sij scan` numbers
    them, so that no name from a header or a folder enters an output. With `out`, a plan made before is taken where no
    file has changed since, and a new one is kept. RefusedError where there is nothing to score.
    """
    if not study.is_dir():
        raise RefusedError(f"{study.name} is not a folder.", hint="Name the folder of the study.")
    rows = None if manifest is None else read_manifest(manifest)
    listing = list_files(study, rows) if out is not None else None
    if out is not None and listing is not None:
        known = remembered_plan(out, listing)
        if known is not None:
            return known
    plan = _in_a_process(study, rows, workers)
    if out is not None and listing is not None:
        remember_plan(out, listing, plan)
    return plan


def _in_a_process(study: Path, rows: Sequence[ManifestRow] | None, workers: int) -> Plan:
    try:
        with environment(), ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=be_silent) as pool:
            found = pool.submit(_find, study, rows, workers).result()
    except BrokenProcessPool as error:
        raise RefusedError("The process that reads the headers died.", hint="Is there enough memory?") from error
    if isinstance(found, Plan):
        return found
    kind, message, hint = found
    raise kind(message, hint=hint)


def _find(study: Path, rows: Sequence[ManifestRow] | None, workers: int) -> Plan | Told:
    from mri_sij.study.find import find_listed, find_visits  # noqa: PLC0415 - reads headers with heavy libraries

    try:
        return find_visits(study, workers) if rows is None else find_listed(study, rows)
    except MriSijError as error:
        # Errors lose their hint on the way between processes.
        return (RefusedError if isinstance(error, RefusedError) else MriSijError), error.message, error.hint
