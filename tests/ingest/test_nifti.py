"""What a NIfTI header says of place, units and scale, and what it leaves open."""

from __future__ import annotations

import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_sij.geometry import Grid
from mri_sij.ingest.nifti import NiftiError, read_header, write_nifti
from mri_sij.volume import Volume

AFFINE = np.diag([-1.0, -1.0, 4.4, 1.0])
MIRRORED = np.diag([-1.0, 1.0, 1.0, 1.0]) @ AFFINE


def _saved(folder: Path, sform: tuple[np.ndarray, int], qform: tuple[np.ndarray, int]) -> Path:
    image = nib.Nifti1Image(np.zeros((9, 8, 7), np.int16), AFFINE)
    image.set_sform(sform[0], code=sform[1])
    image.set_qform(qform[0], code=qform[1])
    nib.save(image, folder / "stir.nii")
    return folder / "stir.nii"


def test_the_scanners_form_goes_before_a_templates(tmp_path: Path) -> None:
    for template in (MIRRORED, AFFINE * [[1.2], [1.2], [1.2], [1]]):
        path = _saved(tmp_path, (template, 4), (AFFINE, 1))
        assert np.allclose(read_header(path).affine, AFFINE)
        path = _saved(tmp_path, (template, 4), (AFFINE, 0))
        assert np.allclose(read_header(path).affine, template)
    path = _saved(tmp_path, (AFFINE, 1), (AFFINE * [[1.2], [1.2], [1.2], [1]], 3))
    assert np.allclose(read_header(path).affine, AFFINE)


@pytest.mark.parametrize("codes", [(1, 1), (1, 4), (4, 4)])
def test_forms_that_mirror_each_other_are_refused(codes: tuple[int, int], tmp_path: Path) -> None:
    with pytest.raises(NiftiError, match="left and right are unknown"):
        read_header(_saved(tmp_path, (MIRRORED, codes[0]), (AFFINE, codes[1])))


@pytest.mark.parametrize(
    ("units", "said"), [("unknown", ""), ("mm", ""), ("micron", "micrometres"), ("meter", " metres")]
)
def test_other_units_than_mm_are_refused(units: str, said: str, tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((9, 8, 7), np.int16), AFFINE)
    image.header.set_xyzt_units(units, "sec")
    nib.save(image, tmp_path / "stir.nii")
    if not said:
        assert np.allclose(read_header(tmp_path / "stir.nii").affine, AFFINE)
        return
    with pytest.raises(NiftiError, match=f"{said}, expected mm"):
        read_header(tmp_path / "stir.nii")


@pytest.mark.parametrize(("sform_code", "qform_code"), [(1, 1), (1, 0), (0, 1)])
def test_qfac_of_0_counts_as_1(sform_code: int, qform_code: int, tmp_path: Path) -> None:
    path = _saved(tmp_path, (AFFINE, sform_code), (AFFINE, qform_code))
    content = bytearray(path.read_bytes())
    content[76:80] = struct.pack("<f", 0)
    path.write_bytes(content)
    assert np.allclose(read_header(path).affine, AFFINE)


@pytest.mark.parametrize(
    ("slope", "intercept", "read"),
    [
        (2, 5, (2, 5)),
        (0, 5, (1, 0)),
        (0, np.nan, (1, 0)),
        (np.nan, np.nan, (1, 0)),
        (2, np.nan, None),
        (np.nan, 5, None),
        (np.inf, 0, None),
    ],
)
def test_half_a_scale_is_refused(slope: float, intercept: float, read: tuple[int, int] | None, tmp_path: Path) -> None:
    path = _saved(tmp_path, (AFFINE, 1), (AFFINE, 1))
    content = bytearray(path.read_bytes())
    content[112:120] = struct.pack("<2f", slope, intercept)
    path.write_bytes(content)
    if read is None:
        with pytest.raises(NiftiError, match="expected two numbers or none"):
            read_header(path)
    else:
        assert (read_header(path).slope, read_header(path).intercept) == read


@pytest.mark.parametrize(("lean", "qform_code"), [(0.0, 1), (1e-6, 1), (9e-4, 0)])
def test_what_is_written_of_leaning_axes_is_read_again(lean: float, qform_code: int, tmp_path: Path) -> None:
    """DICOM cosines may miss the right angle by 1e-3; a quaternion cannot say so."""
    affine = AFFINE.copy()
    affine[0, 1] = lean
    volume = Volume(np.zeros((384, 384, 3), np.int16), Grid((384, 384, 3), affine))
    write_nifti(volume, tmp_path / "out.nii")
    assert read_header(tmp_path / "out.nii").grid.same_as(volume.grid, tolerance_mm=1e-4)
    assert int(nib.load(tmp_path / "out.nii").header["qform_code"]) == qform_code  # type: ignore[attr-defined]
