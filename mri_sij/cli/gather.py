"""`mri-sij gather`: the tables of a study that was run in shards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def gather(
    study: Annotated[Path, typer.Argument(help="Folder of the study.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder that the shards wrote to.")],
    config: Annotated[Path | None, typer.Option(help="Settings (TOML) of the run.")] = None,
    manifest: Annotated[Path | None, typer.Option(help="Manifest of the run.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Make tables and index.html from what shards have done; visits not run yet have a row that says so."""
    from mri_sij.cli.run import finish, prepare  # noqa: PLC0415

    settings, plan = prepare(study, out, config, manifest)
    finish(plan, settings, out, as_json=as_json)
