"""`mri-sij run`: a whole study."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mri_sij.errors import Exit, UsageError

if TYPE_CHECKING:
    from mri_sij.config import Settings
    from mri_sij.study.job import Basis
    from mri_sij.study.log import Log
    from mri_sij.study.plan import Plan
    from mri_sij.study.report import Gathered
    from mri_sij.study.run import Executor, Outcome
    from mri_sij.study.task import Status


@dataclass(frozen=True)
class Where:
    """Where tasks run: `jobs` processes here, the scheduler at an address, or the cluster of a site file."""

    jobs: int = 1
    scheduler: str | None = None
    site: Path | None = None


def run(
    study: Annotated[Path, typer.Argument(help="Folder of the study: DICOM, BIDS, or what the manifest names.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for all results; run again to go on.")],
    jobs: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
    config: Annotated[Path | None, typer.Option(help="Settings (TOML); see configs/default.toml.")] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="CSV with columns patient, visit, path (in STUDY), role (baseline, followup or empty)."),
    ] = None,
    clinical: Annotated[
        Path | None,
        typer.Option(
            help="CSV with patient, visit and any of hla_b27, crp_mg_l, esr_mm_h, drug, dose_mg_day, start, stop, "
            "symptoms; STUDY/clinical.csv where there is one."
        ),
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler: tcp:// of this machine, tls:// of any.")
    ] = None,
    site: Annotated[Path | None, typer.Option(help="Run on SLURM as this file says; see configs/slurm.toml.")] = None,
    shard: Annotated[str, typer.Option(help="Part i of n of the patients, as i/n; then `mri-sij gather`.")] = "1/1",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done, and why.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Score every visit of a study and compare every follow-up with its baseline.

    Example: mri-sij run STUDY -o OUT --jobs 2. Writes tables, masks, a page a visit and index.html. Every visit found
    has a row in status.csv. Exit status 3 when some visits were refused or failed or a comparison failed, 4 when
    all visits were.
    """
    from mri_sij.config import load_settings  # noqa: PLC0415
    from mri_sij.study.report import gather, require_same_or_older  # noqa: PLC0415

    number, of = _shard(shard)
    settings = load_settings(config)
    require_same_or_older(out)
    if dry_run:
        _say_plan(plan_of(study, out, settings, manifest), as_json=as_json)
        return
    outcome = score_study(
        study, out, settings, Where(jobs, scheduler, site), manifest=manifest, clinical=clinical, shard=(number, of)
    )
    if of > 1:
        if as_json:
            done = {name: [_plain(s) for s in getattr(outcome, name)] for name in ("visits", "comparisons")}
            print(json.dumps({"shard": shard, **done, "done_now": outcome.fresh}, indent=1))
        else:
            print(f"Shard {number} of {of}: {len(outcome.visits)} visits. When all have run: mri-sij gather {out}")
        raise typer.Exit(int(exit_of(*([s.status for s in some] for some in (outcome.visits, outcome.comparisons)))))
    finish(gather(out), out, outcome.fresh, as_json=as_json)


def score_study(
    study: Path,
    out: Path,
    settings: Settings,
    where: Where,
    *,
    manifest: Path | None = None,
    clinical: Path | None = None,
    shard: tuple[int, int] = (1, 1),
) -> Outcome:
    """Do what is missing in `out`, with progress on stderr and a log; no tables yet."""
    from mri_sij.study.clinical import read_clinical  # noqa: PLC0415
    from mri_sij.study.listing import plan_study  # noqa: PLC0415
    from mri_sij.study.lock import alone  # noqa: PLC0415
    from mri_sij.study.log import open_log  # noqa: PLC0415
    from mri_sij.study.plan import part_of  # noqa: PLC0415
    from mri_sij.study.report import begin  # noqa: PLC0415
    from mri_sij.study.run import basis_of, require_room  # noqa: PLC0415

    beside = study / "clinical.csv"
    table = clinical or (beside if beside.is_file() else None)
    records = {} if table is None else read_clinical(table)
    if not study.is_dir():
        raise UsageError(f"{study.name} is not a folder.", hint="Name the folder of the study.")
    require_room(study, out)
    with alone(out, shard):
        plan = plan_study(study, manifest, out=out, workers=where.jobs)
        basis = basis_of(study, out, settings)
        begin(plan, basis, settings, records)
        log = open_log(out / ("mri-sij.log" if shard[1] == 1 else f"mri-sij-{shard[0]}-of-{shard[1]}.log"))
        return _run_logged(part_of(plan, *shard), basis, settings, where, log)


def _run_logged(part: Plan, basis: Basis, settings: Settings, where: Where, log: Log) -> Outcome:
    """Run a part of a study, with progress on stderr and what happens in a log."""
    from mri_sij import __version__  # noqa: PLC0415
    from mri_sij.cli.progress import line_of, progress  # noqa: PLC0415
    from mri_sij.study.run import Event, run_study  # noqa: PLC0415

    with executor_of(where, settings) as (executor, told), progress() as listener:
        log(f"mri_sij {__version__}: {len(part.visits)} visits, settings {settings.sha256[:12]}, {told}")

        def hear(event: Event) -> None:
            if event.why:
                log(f"{line_of(event)} [{event.why}] {event.status.code}")
            listener(event)

        try:
            outcome = run_study(part, basis, executor, told=hear)
        except KeyboardInterrupt:
            log("stopped by the user")
            _say("Stopped. What was done stays; the same command goes on from here.")
            raise
    log(f"ended: {outcome.fresh} of {len(outcome.visits) + len(outcome.comparisons)} done now")
    return outcome


@contextmanager
def executor_of(where: Where, settings: Settings) -> Iterator[tuple[Executor, str]]:
    """What runs the tasks, and how to say so."""
    from functools import partial  # noqa: PLC0415

    from mri_sij.study.pool import run_tasks  # noqa: PLC0415
    from mri_sij.study.run import workers_for  # noqa: PLC0415

    limit_s = settings.study.visit_limit_s
    if where.scheduler is None and where.site is None:
        workers = workers_for(where.jobs, settings.study.worker_memory_gb)
        if workers < where.jobs:
            _say(f"Only {workers} of {where.jobs} workers: each may need {settings.study.worker_memory_gb:g} GB.")
        yield partial(run_tasks, workers=workers, limit_s=limit_s), f"{workers} workers"
        return
    if where.scheduler is not None and where.site is not None:
        raise UsageError("--scheduler and --site do not go together.")
    from mri_sij.study.cluster import connected, on_site, run_on_dask  # noqa: PLC0415

    with connected(where.scheduler) if where.scheduler else on_site(where.site or Path()) as client:
        yield partial(run_on_dask, client=client, limit_s=limit_s), "Dask"


def finish(found: Gathered, out: Path, fresh: int, *, as_json: bool) -> None:
    """Print the summary, and exit by what became of the visits."""
    if as_json:
        told = {"visits": found.visits, "changes": found.changes, "notes": found.notes, "done_now": fresh}
        print(json.dumps({**told, "page": str(out / "index.html")}, indent=1))
    else:
        from mri_sij.cli.study_table import show  # noqa: PLC0415

        show(found)
        print(f"Page: {out / 'index.html'}   Research use only, not for diagnosis.")
    raise typer.Exit(int(exit_of(*([row["status"] for row in rows] for rows in (found.visits, found.changes)))))


def exit_of(visits: list[str], comparisons: list[str]) -> Exit:
    """3 when some visits were refused or failed, or a comparison failed; 4 when all visits were.

    What is not scorable was done; a comparison that is refused is of two people, or in the wrong order.
    """
    bad = [status in ("refused", "failed") for status in visits]
    if not any(bad) and "failed" not in comparisons:
        return Exit.DONE
    return Exit.REFUSED if visits and all(bad) else Exit.SOME_FAILED


def _shard(text: str) -> tuple[int, int]:
    try:
        number, of = (int(part) for part in text.split("/"))
    except ValueError as error:
        raise UsageError(f"--shard {text} is not i/n.", hint="--shard 2/10 does the second of ten parts.") from error
    return number, of


def plan_of(study: Path, out: Path, settings: Settings, manifest: Path | None) -> dict[str, Any]:
    """What a run would do: every visit and comparison, why it is refused or to do ("" for neither)."""
    from mri_sij.study.listing import plan_study  # noqa: PLC0415
    from mri_sij.study.run import basis_of, require_own, why_each  # noqa: PLC0415

    require_own(study, out)
    plan = plan_study(study, manifest)
    refused = {visit.key: visit.message for visit in plan.visits if visit.code}
    each = why_each(plan, basis_of(study, out, settings))
    results = [{"key": key, "refused": refused.get(key, ""), "to_do": why} for key, why in each]
    counts = {"visits": len(plan.visits), "comparisons": len(plan.followups())}
    return {"results": results, "notes": [note.message for note in plan.notes], **counts}


def _say_plan(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(told, indent=1))
        return
    for one in told["results"]:
        to_do = f"to do: {one['to_do']}" if one["to_do"] else "done before"
        print(f"{one['key']}: " + (f"refused: {one['refused']}" if one["refused"] else to_do))
    for note in told["notes"]:
        print(f"Caution: {note}")
    count = sum(bool(one["to_do"]) for one in told["results"])
    print(f"{told['visits']} visits, {told['comparisons']} comparisons, {count} to do.")


def _plain(status: Status) -> dict[str, str]:
    return {"key": status.key, "status": status.status, "code": status.code, "message": status.message}


def _say(text: str) -> None:
    print(f"mri-sij: {text}", file=sys.stderr, flush=True)
