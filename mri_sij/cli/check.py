"""`mri-sij check`: has a change moved a score?"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from mri_sij.errors import Exit


def check(
    study: Annotated[Path, typer.Argument(help="Folder of the study, such as sample_data.")],
    expected: Annotated[Path, typer.Option(help="What was recorded.")],
    record: Annotated[bool, typer.Option("--record", help="Write what is found to --expected instead.")] = False,
    tolerance: Annotated[
        Path | None, typer.Option(help="TOML with sparcc_points, quadrants, oedema_ml that may differ; else none may.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the result as a JUnit file too.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
    config: Annotated[Path | None, typer.Option(help="Settings (TOML).")] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="CSV with columns patient, visit, path (in STUDY), role (baseline, followup or empty)."),
    ] = None,
) -> None:
    """Score a study again and compare with what was recorded; exit status 5 and a list when something differs.

    Example: mri-sij check sample_data --expected sample_data/expected.json
    """
    from mri_sij.cli.run import Where, score_study  # noqa: PLC0415
    from mri_sij.config import load_settings  # noqa: PLC0415
    from mri_sij.study import check as against  # noqa: PLC0415
    from mri_sij.study.files import require_writable  # noqa: PLC0415
    from mri_sij.study.report import gather  # noqa: PLC0415
    from mri_sij.whole import write_whole  # noqa: PLC0415

    wanted = None if record else against.read_recorded(expected)
    for written in (expected if record else None, junit):
        if written is not None:
            require_writable(written.absolute().parent)
    allowed = against.read_tolerance(tolerance)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        score_study(study, out, load_settings(config), Where(jobs), manifest=manifest)
        found = against.record(gather(out), out)
    if wanted is None:
        write_whole(expected, json.dumps(found, indent=1) + "\n")
        print(f"Recorded {len(found['visits'])} visits and {len(found['changes'])} comparisons in {expected.name}.")
        return
    told = against.differences(wanted, found, allowed)
    if junit is not None:
        write_whole(junit, against.junit(told))
    different = {key: lines for key, lines in told.items() if lines}
    for key, lines in different.items():
        print(key)
        print("\n".join(f"  {line}" for line in lines))
    print(f"{len(told) - len(different)} as recorded, {len(different)} different.")
    if different:
        raise typer.Exit(int(Exit.DIFFERS))
