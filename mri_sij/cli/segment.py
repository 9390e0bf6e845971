"""`mri-sij segment`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mri_sij.cli.progress import tell_stage


def segment(
    visit: Annotated[Path, typer.Argument(help="Folder (or file) with one visit's STIR, and its T1.")],
    *,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write the bones, joints and quality to.")],
    segmenter: Annotated[
        str | None, typer.Option(help="builtin, masks:PATH, totalsegmentator[:PATH], mrsegmentator[:PATH], onnx:PATH.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings (TOML); see configs/default.toml.")] = None,
    series: Annotated[int | None, typer.Option(help="Number of the STIR, as `mri-sij scan` lists it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print quality.json.")] = False,
) -> None:
    """Find sacrum, iliac wings and sacroiliac joints of one visit, the slices to score, and whether it can be.

    Example: mri-sij segment VISIT -o OUT. Writes anatomy.nii.gz (1 sacrum, 2 left ilium, 3 right ilium), joint.json
    (each joint's midline and heights, slice by slice), quality.json (the checks) and anatomy.png.
    """
    from mri_sij.anatomy.before import usable_t1  # noqa: PLC0415
    from mri_sij.config import load_settings  # noqa: PLC0415
    from mri_sij.ingest.visit import load_visit  # noqa: PLC0415
    from mri_sij.report.anatomy import write_anatomy  # noqa: PLC0415
    from mri_sij.study.files import require_writable  # noqa: PLC0415
    from mri_sij.workflow import find  # noqa: PLC0415

    settings = load_settings(config)
    require_writable(out.absolute().parent)
    if segmenter is not None:
        settings = settings.with_segmenter(segmenter)
    images = load_visit(visit, series=series, settings=settings.ingest)
    native = images.stir.grid
    stir = images.stir.reordered(native.reading_order)
    t1, left_out = usable_t1(images.t1, stir)
    _, _, found, partial = find(stir, t1, settings, tell_stage)
    for caution in (*left_out, *partial):
        print(f"mri-sij: {caution.message} ({caution.code})", file=sys.stderr)
    write_anatomy(found, stir, native, out)
    _print(out, as_json)


def _print(out: Path, as_json: bool) -> None:
    import json  # noqa: PLC0415

    text = (out / "quality.json").read_text(encoding="utf-8")
    if as_json:
        print(text, end="")
        return
    record = json.loads(text)
    if record["slices"] is not None:
        print(f"Slices to score: {', '.join(str(n) for n in record['slices']['numbers'])}")
        for caution in record["slices"]["cautions"]:
            print(f"Caution: {caution['message']} ({caution['code']})")
    else:
        print("Not scorable:")
        for reason in record["reasons"]:
            print(f"  {reason['message']} ({reason['code']})")
    print(f"Picture: {out / 'anatomy.png'}   Research use only, not for diagnosis.")
