"""`mri-sij demo`: the whole job on the sample study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mri_sij.errors import UsageError


def demo(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.")] = Path("demo_output"),
    study: Annotated[Path, typer.Option(help="Folder of the sample study.")] = Path("sample_data"),
    jobs: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 2,
) -> None:
    """Score and compare the sample study of simulated patients; then open index.html in OUT."""
    if not study.is_dir():
        raise UsageError(
            "The sample study is not here.", hint="Run this in the project's folder, or name it with --study."
        )
    from mri_sij.cli.run import run  # noqa: PLC0415

    run(study, out, jobs=jobs, config=None, manifest=None, shard="1/1", dry_run=False, as_json=False)
