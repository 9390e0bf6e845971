"""`mri-sij demo`: the whole job on the sample study."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.")] = Path("demo_output"),
    study: Annotated[
        Path | None,
        typer.Option(help="Folder of a study; sample_data, or two simulated patients without it."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 2,
) -> None:
    """Score and compare a sample study of simulated patients; prints a table and the path of index.html.

    Example: mri-sij demo -o OUT
    """
    from mri_sij.cli.run import run  # noqa: PLC0415

    run(study or _sample(out), out, jobs=jobs, config=None, manifest=None, shard="1/1", dry_run=False, as_json=False)


def _sample(out: Path) -> Path:
    """The sample study of the project; where that is not at hand, one that is simulated beside `out`."""
    for folder in (Path("sample_data"), Path(__file__).parents[2] / "sample_data"):
        if any(folder.glob("patient-*/visit-*")):
            return folder
    made = out.with_name(f"{out.name}_study")
    if not made.is_dir():
        from mri_sij.phantom.study import write_person  # noqa: PLC0415
        from mri_sij.phantom.visits import draw_courses  # noqa: PLC0415

        print("mri-sij: simulating two patients ...", file=sys.stderr)
        for number, seed in enumerate((3, 5), start=1):
            write_person(made / f"patient-{number}", seed, draw_courses(seed, 2))
    return made
