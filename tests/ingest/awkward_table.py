"""The table of docs/awkward_series.md: what five readers make of every awkward series.

`python -m tests.ingest.awkward_table docs/awkward_series.md` (or `make table`) writes it again. Each reader is called
as its own documentation says, on the folder of one series; what it writes or returns is held against the truth.
"""

from __future__ import annotations

import contextlib
import io
import logging
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from awkward_cases import CASES
from judge import Found, ours, verdict

Reader = Callable[[Path, Path], tuple[list[Found], str]]

HEAD = """# Awkward series: who reads what

{count} series of known truth, made by `tests/ingest/awkward_cases.py`: one stack of twelve oblique slices, and what
scanners, exports and accidents make of it. "right": every volume that is there came back with its voxels in their
places. "part": only true volumes, but not all. "refused": no volume, and an error or a failing exit status. "nothing":
no volume and no error. **WRONG**: a volume came back that is not there, without any failure.

Some rows are matters of judgement: a lone slice has no spacing of its own, so any volume made of it is counted as
wrong; in the rows with mixed echoes, image types, inverted grey and missing alternate slices the voxels returned may
lie where the header says, but they are not one image, or not the stack that was taken.

This page is written by `make table`. Readers: {versions}.

| | {readers} |
|---|{dashes}|
"""


def _ours(folder: Path, scratch: Path) -> tuple[list[Found], str]:
    found, codes = ours(folder)
    return found, ", ".join(codes)


def _simpleitk(folder: Path, scratch: Path) -> tuple[list[Found], str]:
    import SimpleITK as sitk  # noqa: PLC0415

    found: list[Found] = []
    reader = sitk.ImageSeriesReader()
    for series in sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)):
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder), series))
        found.append(_from_sitk(reader.Execute()))
    return found, ""


def _from_sitk(image: object) -> Found:
    import SimpleITK as sitk  # noqa: PLC0415

    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())  # type: ignore[attr-defined]
    affine[:3, 3] = image.GetOrigin()  # type: ignore[attr-defined]
    return sitk.GetArrayFromImage(image).transpose(2, 1, 0), np.diag([-1.0, -1, 1, 1]) @ affine  # type: ignore[arg-type]


def _highdicom(folder: Path, scratch: Path) -> tuple[list[Found], str]:
    import highdicom as hd  # noqa: PLC0415
    from pydicom import dcmread  # noqa: PLC0415

    datasets = [dcmread(path) for path in sorted(folder.rglob("*")) if path.is_file()]
    if len(datasets) == 1 and "NumberOfFrames" in datasets[0]:
        volume = hd.Image.from_dataset(datasets[0]).get_volume()
    else:
        volume = hd.get_volume_from_series(datasets)
    data = np.asarray(volume.array, float)
    return [(data, np.diag([-1.0, -1, 1, 1]) @ volume.affine)], ""


def _dcm2niix(folder: Path, scratch: Path) -> tuple[list[Found], str]:
    import dcm2niix  # noqa: PLC0415

    done = subprocess.run(
        [dcm2niix.bin, "-b", "n", "-z", "n", "-o", str(scratch), str(folder)],
        capture_output=True,
        check=False,
        timeout=120,
    )
    return _nifti_files(scratch), "" if done.returncode == 0 else f"exit {done.returncode}"


def _dicom2nifti(folder: Path, scratch: Path) -> tuple[list[Found], str]:
    import dicom2nifti  # noqa: PLC0415

    dicom2nifti.convert_directory(str(folder), str(scratch), compression=False, reorient=False)
    found = _nifti_files(scratch)
    # It logs what it refuses and returns.
    return found, "" if found else "logged"


def _nifti_files(folder: Path) -> list[Found]:
    import nibabel as nib  # noqa: PLC0415

    found: list[Found] = []
    for path in sorted(folder.glob("*.nii*")):
        image = nib.load(path)
        data = np.asarray(image.dataobj, float)  # type: ignore[attr-defined]
        volumes = [data] if data.ndim == 3 else [data[..., n] for n in range(data.shape[3])] if data.ndim == 4 else []
        found += [(volume, image.affine) for volume in volumes]  # type: ignore[attr-defined]
    return found


READERS: dict[str, Reader] = {
    "mri_sij": _ours,
    "SimpleITK": _simpleitk,
    "highdicom": _highdicom,
    "dcm2niix": _dcm2niix,
    "dicom2nifti": _dicom2nifti,
}


def outcome(reader: Reader, name: str, make: Callable[[Path], object]) -> str:
    """One cell of the table."""
    with tempfile.TemporaryDirectory() as place:
        folder, scratch = Path(place) / name, Path(place) / "out"
        folder.mkdir()
        scratch.mkdir()
        made = make(folder)
        try:
            with (
                warnings.catch_warnings(),
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                warnings.simplefilter("ignore")
                found, said = reader(folder, scratch)
        except Exception:  # a reader of another project may raise anything
            return "refused"
        judged = verdict(found, made)  # type: ignore[arg-type]
        if judged == "WRONG":
            return "**WRONG**" if reader is _ours or not said else f"wrong ({said})"
        if judged == "nothing":
            return f"refused: {said}" if reader is _ours else "refused" if said else "nothing"
        return f"{judged}; rest refused: {said}" if said and reader is _ours else judged


def table() -> str:
    """The whole page."""
    from importlib.metadata import version  # noqa: PLC0415

    logging.disable(logging.CRITICAL)
    rows, wrong = [], dict.fromkeys(READERS, 0)
    for case in CASES:
        cells = [outcome(reader, case.name, case.make) for reader in READERS.values()]
        for name, cell in zip(READERS, cells, strict=True):
            wrong[name] += cell == "**WRONG**"
        rows.append(f"| {case.name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    rows.append("| **wrong without failing** | " + " | ".join(f"**{wrong[name]}**" for name in READERS) + " |")
    head = HEAD.format(
        count=len(CASES),
        versions=", ".join(f"{name} {version(name)}" for name in READERS),
        readers=" | ".join(READERS),
        dashes="|".join("---" for _ in READERS),
    )
    return head + "\n".join(rows) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(table(), encoding="utf-8")
