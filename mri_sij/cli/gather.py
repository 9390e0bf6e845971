"""`mri-sij gather`: the tables of a study that was run in shards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def gather(
    out: Annotated[Path, typer.Argument(help="Folder that the shards wrote to.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Make tables and index.html from what shards have done; a visit that was not run yet has a row that says so.

    Example: mri-sij gather OUT. Exit status 3 when some visits were refused, failed or not run, or a comparison, 4
    when all visits were.
    """
    from mri_sij.cli.run import finish  # noqa: PLC0415
    from mri_sij.study.report import gather as gather_all  # noqa: PLC0415

    finish(gather_all(out), out, 0, as_json=as_json)
