"""`mri-sij check`: has a change moved a score?"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from mri_sij.errors import Exit, UsageError


def check(
    study: Annotated[Path, typer.Argument(help="Folder of the study, such as sample_data.")],
    expected: Annotated[Path, typer.Option(help="What was recorded.")],
    record: Annotated[bool, typer.Option("--record", help="Write what is found to --expected instead.")] = False,
    points: Annotated[int, typer.Option(min=0, help="SPARCC points, and quadrants, that may differ.")] = 0,
    junit: Annotated[Path | None, typer.Option(help="Write the result as a JUnit file too.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
    config: Annotated[Path | None, typer.Option(help="Settings (TOML).")] = None,
) -> None:
    """Score a study again and compare with what was recorded; exit status 5 and a list when something differs.

    Example: mri-sij check sample_data --expected sample_data/expected.json
    """
    from mri_sij.cli.run import prepare, tell  # noqa: PLC0415
    from mri_sij.study import check as against  # noqa: PLC0415
    from mri_sij.study.run import Shard, run_study  # noqa: PLC0415
    from mri_sij.study.tables import write_tables  # noqa: PLC0415

    wanted = None if record else against.read_recorded(expected)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        if out.resolve().is_relative_to(study.resolve()):
            raise UsageError("The folder for temporary files lies inside the study.", hint="Set TMPDIR elsewhere.")
        settings, plan = prepare(study, out, config, None)
        run_study(plan, settings, out, workers=jobs, shard=Shard(), told=tell)
        visits, changes, _ = write_tables(plan, settings, out)
        found = against.record(visits, changes, out)
    if wanted is None:
        expected.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"Recorded {len(found['visits'])} visits and {len(found['changes'])} comparisons in {expected.name}.")
        return
    told = against.differences(wanted, found, points)
    if junit is not None:
        junit.write_text(against.junit(told), encoding="utf-8")
    different = {key: lines for key, lines in told.items() if lines}
    for key, lines in different.items():
        print(key)
        print("\n".join(f"  {line}" for line in lines))
    print(f"{len(told) - len(different)} as recorded, {len(different)} different.")
    if different:
        raise typer.Exit(int(Exit.DIFFERS))
