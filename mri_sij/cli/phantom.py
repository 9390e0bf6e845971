"""`mri-sij phantom`: simulated visits of one person, with the truth."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Form(StrEnum):
    """File format of the images."""

    DICOM = "dicom"
    NIFTI = "nifti"


def phantom(
    out: Annotated[Path, typer.Argument(help="New folder for the visits.", show_default=False)],
    seed: Annotated[int, typer.Option(min=0, help="Decides everything: the same seed gives the same files.")] = 1,
    lesions: Annotated[
        Path | None, typer.Option(help="TOML with the oedema of each visit; drawn from the seed where not given.")
    ] = None,
    visits: Annotated[int, typer.Option(min=1, max=12, help="Visits of the same person (without --lesions).")] = 2,
    form: Annotated[Form, typer.Option("--format", help="Images as DICOM or NIfTI.")] = Form.DICOM,
) -> None:
    """Simulate a person's visits: baseline and follow-ups in other positions, with STIR, T1 and the true answer.

    Example: mri-sij phantom OUT --seed 7. Writes visit-1, visit-2, ... into OUT, each with its images, and
    truth.json beside them.
    """
    from mri_sij.phantom.study import write_person  # noqa: PLC0415
    from mri_sij.phantom.visits import draw_courses, read_lesions  # noqa: PLC0415
    from mri_sij.study.files import require_writable  # noqa: PLC0415

    courses = draw_courses(seed, visits) if lesions is None else read_lesions(lesions)
    require_writable(out.absolute().parent)
    write_person(out, seed, courses, dicom=form is Form.DICOM)
    typer.echo(str(out))
