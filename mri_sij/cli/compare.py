"""`mri-sij compare`: a baseline and its follow-ups."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mri_sij.cli.progress import tell_stage

if TYPE_CHECKING:
    from mri_sij.compare.records import Comparison


def compare(
    visits: Annotated[
        list[Path],
        typer.Argument(help="BASELINE FOLLOWUP...: folders of images, or of finished visits.", show_default=False),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write the comparison to.")],
    config: Annotated[Path | None, typer.Option(help="Settings (TOML); see configs/default.toml.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print comparison.json.")] = False,
) -> None:
    """Compare visits of one person in order of time: normalization, regression, stability or progression, and how sure.

    Example: mri-sij compare VISIT1 VISIT2 -o OUT. Writes comparison.json, comparison.html and, where the visits can be
    compared, change.nii.gz (1 resolved, 2 persisting, 3 new oedema, on the baseline's STIR). Exit status 4 when
    the visits cannot be compared, 3 when some of several follow-ups cannot.
    """
    from mri_sij.compare.write import comparison_json, sentence  # noqa: PLC0415
    from mri_sij.config import load_settings  # noqa: PLC0415
    from mri_sij.errors import Exit  # noqa: PLC0415
    from mri_sij.study.files import require_writable  # noqa: PLC0415
    from mri_sij.workflow import compare_paths, write_comparison  # noqa: PLC0415

    settings = load_settings(config)
    require_writable(out.absolute().parent)
    comparison = compare_paths(visits, settings, progress=tell_stage)
    write_comparison(comparison, settings, out)
    if as_json:
        print(comparison_json(comparison, settings), end="")
    else:
        for followup in comparison.followups:
            which = f"Follow-up {followup.number}: " if len(comparison.followups) > 1 else ""
            print(which + sentence(followup))
            for caution in followup.cautions:
                print(f"Caution: {caution.message} ({caution.code})")
        print(f"Page: {out / 'comparison.html'}   Research use only, not for diagnosis.")
    if not _any_compared(comparison):
        raise typer.Exit(int(Exit.REFUSED))
    if any(f.change is None for f in comparison.followups):
        raise typer.Exit(int(Exit.SOME_FAILED))


def _any_compared(comparison: Comparison) -> bool:
    return any(followup.change is not None for followup in comparison.followups)
