"""What a NIfTI header says of place, units and scale, and what it leaves open."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_sij.ingest.nifti import NiftiError, read_header

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
