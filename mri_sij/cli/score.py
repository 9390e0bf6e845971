"""`mri-sij score`: one visit, or a form that a reader filled in."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mri_sij.cli.progress import tell_stage
from mri_sij.errors import UsageError

if TYPE_CHECKING:
    from mri_sij.evidence import Reason
    from mri_sij.result import VisitResult
    from mri_sij.scoring.sheet import ScoreSheet


def score(
    visit: Annotated[Path | None, typer.Argument(help="Folder (or file) with one visit's STIR, and its T1.")] = None,
    *,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder to write the finished visit to.")] = None,
    segmenter: Annotated[
        str | None, typer.Option(help="builtin, masks:PATH, totalsegmentator[:PATH], mrsegmentator[:PATH], onnx:PATH.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings (TOML); see configs/default.toml.")] = None,
    series: Annotated[int | None, typer.Option(help="Number of the STIR, as `mri-sij scan` lists it.")] = None,
    form: Annotated[Path | None, typer.Option(help="Score this SPARCC form (CSV) alone, without images.")] = None,
    overrule: Annotated[Path | None, typer.Option(help="Form (CSV) with single items to change; kept apart.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Score bone-marrow oedema of the sacroiliac joints (SPARCC, Berlin, ASAS) and write a page to check it on.

    Examples: mri-sij score VISIT -o OUT; mri-sij score --form FORM.csv. Writes visit.json, quadrants.csv, report.html,
    form.csv, anatomy.nii.gz (1 sacrum, 2 left ilium, 3 right ilium), oedema.nii.gz (1 left sacrum, 2 left ilium,
    3 right sacrum, 4 right ilium) and followup.npz (for `mri-sij compare`).
    """
    if form is not None:
        if visit is not None or out is not None or overrule is not None:
            raise UsageError(
                "--form scores a form alone: it goes with neither a visit nor -o.",
                hint="To change single items of a visit, use --overrule.",
            )
        _score_form(form, config, as_json)
        return
    if visit is None or out is None:
        raise UsageError("Name the visit and, with -o, the folder to write to.", hint="mri-sij score VISIT -o OUT")
    from mri_sij.config import load_settings  # noqa: PLC0415
    from mri_sij.study.files import require_writable  # noqa: PLC0415
    from mri_sij.workflow import score_visit, write_visit  # noqa: PLC0415

    settings = load_settings(config)
    require_writable(out.absolute().parent)
    if segmenter is not None:
        settings = settings.with_segmenter(segmenter)
    result = score_visit(visit, settings, series=series, overrule_form=overrule, progress=tell_stage)
    write_visit(result, out)
    if as_json:
        from mri_sij.report.record import visit_json  # noqa: PLC0415

        print(visit_json(result), end="")
    else:
        _print_visit(result, out)


def _score_form(form: Path, config: Path | None, as_json: bool) -> None:
    from mri_sij.config import load_settings  # noqa: PLC0415
    from mri_sij.scoring.form import read_form  # noqa: PLC0415
    from mri_sij.scoring.seen import partly_seen  # noqa: PLC0415
    from mri_sij.scoring.sheet import score as score_evidence  # noqa: PLC0415

    settings = load_settings(config).scoring
    sheet = score_evidence(read_form(form, settings), settings)
    cautions = partly_seen(sheet.sparcc)
    if as_json:
        print(json.dumps({**sheet.to_dict(), "cautions": [asdict(caution) for caution in cautions]}, indent=2))
    else:
        _print_sheet(sheet)
        _print_cautions(cautions)


def _print_sheet(sheet: ScoreSheet) -> None:
    from mri_sij.evidence import Side  # noqa: PLC0415

    sparcc, asas = sheet.sparcc, sheet.asas
    left, right = sparcc.side(Side.LEFT), sparcc.side(Side.RIGHT)
    print(f"SPARCC SIJ inflammation  {sparcc.total} of 72   (right {right.total}, left {left.total})")
    whole = sparcc.sum
    print(f"  quadrants {whole.quadrants}, intensity {whole.intensity}, depth {whole.depth}")
    by_slice = "  ".join(f"{number}: {sparcc.on_slice(number).total}" for number in sparcc.slice_numbers)
    print(f"  slices    {by_slice}")
    if sheet.berlin is not None:
        print(f"Berlin SIJ score         {sheet.berlin.total} of 24")
    answers = (("2009", asas.positive_2009), ("2016", asas.positive_2016), ("2021", asas.positive_2021))
    print(
        "ASAS                     " + ", ".join(f"{year} {'positive' if yes else 'negative'}" for year, yes in answers)
    )


def _print_cautions(cautions: tuple[Reason, ...]) -> None:
    for caution in cautions:
        print(f"Caution: {caution.message} ({caution.code})")


def _print_visit(result: VisitResult, out: Path) -> None:
    if result.sheet is None or result.findings is None:
        print("Not scorable:")
        for reason in result.reasons:
            print(f"  {reason.message} ({reason.code})")
    else:
        _print_sheet(result.sheet)
        interval = result.findings.interval
        print(f"{interval.level:.0%} interval             {interval.low} to {interval.high}")
        print(f"Oedema                   {result.findings.measures.volume_ml:.2f} ml")
    if result.reading is not None:
        changes = len(result.reading.overruled.changes)
        print(f"With the reader's changes {result.reading.sheet.sparcc.total} of 72 (items changed: {changes})")
    _print_cautions(result.cautions)
    print(f"Page: {out / 'report.html'}   Research use only, not for diagnosis.")
