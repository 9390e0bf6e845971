"""`mri-sij convert`: one volume to NIfTI, same voxels, exact affine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mri_sij.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from mri_sij.ingest.index import Index, Series, SeriesVolume


def convert(
    path: Annotated[Path, typer.Argument(help="Folder tree or file with the series.")],
    out: Annotated[Path, typer.Argument(help="The NIfTI file to write (.nii or .nii.gz).")],
    *,
    series: Annotated[int | None, typer.Option(help="Number of the series, as `mri-sij scan` lists it.")] = None,
    volume: Annotated[int | None, typer.Option(help="Number of the volume within the series, from 1.")] = None,
) -> None:
    """Write one volume of one series as NIfTI, voxel for voxel; refuse what could only be guessed."""
    if not out.name.endswith((".nii", ".nii.gz")):
        raise UsageError("The output must end in .nii or .nii.gz.")
    if not out.parent.is_dir():
        raise UsageError("The folder to write to does not exist.")
    from mri_sij.ingest.discover import index  # noqa: PLC0415
    from mri_sij.ingest.nifti import write_nifti  # noqa: PLC0415
    from mri_sij.ingest.read import read_series_volume  # noqa: PLC0415

    found = index(path)
    source = _series(found, series)
    if out.exists() and any(out.samefile(one) for one in source.paths):
        raise UsageError("The output is a file of the series itself.", hint="Name another file to write.")
    chosen = _volume(source, volume)
    image, cautions = read_series_volume(chosen)
    write_nifti(image, out)
    for caution in cautions:
        typer.echo(f"caution: {caution.message}", err=True)
    shape = "x".join(str(n) for n in image.grid.shape)
    spacing = "x".join(f"{value:.4g}" for value in image.grid.spacing_mm)
    typer.echo(f"{shape} voxels of {spacing} mm written to {out.name}")


def _series(found: Index, number: int | None) -> Series:
    everything = found.series
    dicom = [one for one in everything if one.format == "dicom"]
    # NIfTI beside one DICOM series is its copy; without a number the DICOM is meant.
    candidates = dicom if number is None and dicom else everything
    if not candidates:
        worst = next((item for item in found.refused if item.code != "not_an_image"), None)
        raise RefusedError(
            f"No image was found in {found.files} files." + (f" {worst.name}: {worst.message}" if worst else ""),
            hint=(worst.hint if worst else "") or "`mri-sij scan` says why each file was refused.",
        )
    if number is None:
        if len(candidates) > 1:
            listed = "; ".join(f"{one.number}: {one.place} ({one.files} files)" for one in candidates[:20])
            raise UsageError(f"{len(candidates)} series are here: {listed}.", hint="Name one with --series N.")
        return candidates[0]
    named = next((one for one in everything if one.number == number), None)
    if named is None:
        raise UsageError(f"There is no series {number}; they run from 1 to {len(everything)}.")
    return named


def _volume(series: Series, number: int | None) -> SeriesVolume:
    if number is None:
        if len(series.volumes) == 1:
            return series.volumes[0]
        usable = [one for one in series.volumes if one.source]
        if not usable:
            raise series.volumes[0].refused or RefusedError("No volume of the series can be read.")
        listed = "; ".join(f"{one.number}: {one.distinct or 'stack'} ({_shape(one)})" for one in series.volumes[:40])
        raise UsageError(f"The series holds {len(series.volumes)} volumes: {listed}.", hint="Name one with --volume K.")
    if not 1 <= number <= len(series.volumes):
        raise UsageError(f"There is no volume {number}; they run from 1 to {len(series.volumes)}.")
    return series.volumes[number - 1]


def _shape(volume: SeriesVolume) -> str:
    if volume.refused:
        return f"refused: {volume.refused.code}"
    return "x".join(str(n) for n in volume.grid.shape) if volume.grid else ""
