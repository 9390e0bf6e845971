"""`mri-sij run`: a whole study."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mri_sij.errors import Exit, UsageError

if TYPE_CHECKING:
    from mri_sij.config import Settings
    from mri_sij.study.plan import Plan
    from mri_sij.study.task import Status


def run(
    study: Annotated[Path, typer.Argument(help="Folder of the study: DICOM, BIDS, or what the manifest names.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for all results; run again to go on.")],
    jobs: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
    config: Annotated[Path | None, typer.Option(help="Settings (TOML); see configs/default.toml.")] = None,
    manifest: Annotated[Path | None, typer.Option(help="CSV with columns patient, visit, path, role.")] = None,
    shard: Annotated[
        str, typer.Option(help="Part i of n, as i/n, of the study's patients; then `mri-sij gather`.")
    ] = "1/1",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Score every visit of a study and compare every follow-up with its baseline.

    Example: mri-sij run STUDY -o OUT --jobs 2. Writes tables, masks, a page a visit and index.html. Every visit found
    has a row in status.csv. Exit status 3 when some visits were refused or failed, 4 when all were.
    """
    settings, plan = prepare(study, out, config, manifest, write=not dry_run)
    if dry_run:
        _say_plan(plan, settings, out)
        return
    from mri_sij.study.run import Shard, run_study  # noqa: PLC0415

    try:
        number, of = (int(part) for part in shard.split("/"))
    except ValueError as error:
        raise UsageError(f"--shard {shard} is not i/n.", hint="--shard 2/10 does the second of ten parts.") from error
    outcome = run_study(plan, settings, out, workers=jobs, shard=Shard(number, of), told=tell)
    if of > 1:
        print(f"Shard {number} of {of}: {len(outcome.visits)} visits. Then: mri-sij gather STUDY -o OUT")
        raise typer.Exit(int(exit_of(outcome.visits)))
    finish(plan, settings, out, as_json=as_json)


def prepare(
    study: Path, out: Path, config: Path | None, manifest: Path | None, *, write: bool = True
) -> tuple[Settings, Plan]:
    """Settings and plan of a study whose results go to `out`."""
    from mri_sij.config import load_settings  # noqa: PLC0415
    from mri_sij.study.plan import plan_study  # noqa: PLC0415
    from mri_sij.study.run import require_room  # noqa: PLC0415
    from mri_sij.study.tables import require_same_or_older  # noqa: PLC0415

    settings = load_settings(config)
    if write:
        require_room(study, out)
        require_same_or_older(out)
    return settings, plan_study(study, manifest)


def finish(plan: Plan, settings: Settings, out: Path, *, as_json: bool) -> None:
    """Make tables and page, print the summary, and exit by what became of the visits."""
    from mri_sij.study.report import gather_study  # noqa: PLC0415

    visits, changes, statuses = gather_study(plan, settings, out)
    if as_json:
        print(json.dumps({"visits": visits, "changes": changes}, indent=1))
    else:
        show(visits, changes, {k: s.message for k, s in statuses.items()})
        print(f"Page: {out / 'index.html'}   Research use only, not for diagnosis.")
    raise typer.Exit(int(exit_of([statuses[v.key] for v in plan.visits])))


def exit_of(statuses: Any) -> Exit:
    """3 when some visits were refused or failed, 4 when all were; a visit that is not scorable was done."""
    bad = [s.status in ("refused", "failed") for s in statuses]
    if not any(bad):
        return Exit.DONE
    return Exit.REFUSED if all(bad) else Exit.SOME_FAILED


def tell(done: int, total: int, status: Status) -> None:
    """Progress: one line a task, on stderr."""
    text = f"[{done}/{total}] {status.key} {status.status.replace('_', ' ')}"
    print(text + (f": {status.message}" if status.message else ""), file=sys.stderr, flush=True)


def show(visits: list[dict[str, Any]], changes: list[dict[str, Any]], messages: dict[str, str]) -> None:
    """Tables of visits and of changes on the terminal."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    table = Table("Visit", "Status", "SPARCC", "Right", "Left", "Oedema, ml", title="Visits", title_justify="left")
    for v in visits:
        key = f"sub-{v['patient']}_ses-{v['visit']}"
        volume = v["oedema_volume_ml"]
        cells = [v["sparcc_total"], v["sparcc_right"], v["sparcc_left"], None if volume is None else f"{volume:.2f}"]
        status = "scored" if v["status"] == "done" else f"{v['status'].replace('_', ' ')}: {messages[key]}"
        table.add_row(key, status, *("" if c is None else str(c) for c in cells))
    console.print(table)
    if changes:
        table = Table("Follow-up", "Class", "SPARCC", "Probability", title="Changes", title_justify="left")
        for c in changes:
            key = f"sub-{c['patient']}_ses-{c['baseline']}_vs_ses-{c['followup']}"
            found = c["change_class"] or f"not compared: {messages[key]}"
            course = f"{c['sparcc_baseline']:g} -> {c['sparcc_followup']:g}" if c["change_class"] else ""
            table.add_row(
                f"sub-{c['patient']} {c['baseline']} -> {c['followup']}",
                found,
                course,
                f"{c['probability']:.2f}" if c["probability"] is not None else "",
            )
        console.print(table)


def _say_plan(plan: Plan, settings: Settings, out: Path) -> None:
    from mri_sij.study.run import jobs_of  # noqa: PLC0415
    from mri_sij.study.task import stored_status  # noqa: PLC0415

    score, compare = jobs_of(plan, settings, out)
    for job in (*score, *compare):
        print(f"{job.key}: {'done before' if stored_status(job) else 'to do'}")
