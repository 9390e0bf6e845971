"""Real scans: what must be chosen, and convert against what dcm2niix made of the vendors' own files."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from awkward import Truth
from judge import is_same

from mri_sij.config import IngestSettings
from mri_sij.geometry import Grid
from mri_sij.ingest.describe import describe
from mri_sij.ingest.discover import index
from mri_sij.ingest.read import read_series_volume
from mri_sij.ingest.stack import STEP_TOLERANCE_MM, Stack

pytestmark = pytest.mark.real


def test_every_pair_is_found_and_every_brain_refused(real_data: Path) -> None:
    report = describe(index(real_data), IngestSettings())
    assert report["problems"] == []
    chosen = {}
    for patient in report["patients"]:
        for visit in patient["visits"]:
            places = {series["series"]: series["place"] for series in visit["series"]}
            pair = [visit[use] and places[visit[use]["series"]] for use in ("stir", "t1")]
            chosen[visit["series"][0]["place"]] = pair
            assert all(volume["reason"] for series in visit["series"] for volume in series["volumes"])
            if visit["series"][0]["place"].startswith("dicom_geometry"):
                assert visit["stir"] is None
    assert chosen["sij_dicom/patient1/STIR"] == ["sij_dicom/patient1/STIR", "sij_dicom/patient1/T1"]
    for case in ("1003", "1013", "1016", "1234"):
        folder = f"sij_nifti/{case}"
        assert chosen[f"{folder}/bone_reader.nii.gz"] == [f"{folder}/stir.nii.gz", f"{folder}/t1.nii.gz"]


@pytest.mark.parametrize("name", ["siemens_xa30_enhanced", "canon_enhanced", "siemens_jpeg"])
def test_convert_agrees_with_the_reference(real_data: Path, name: str) -> None:
    folder = real_data / "dicom_geometry" / name
    reference = nib.load(folder / "reference.nii.gz")
    expected = np.asarray(reference.dataobj, float)  # type: ignore[attr-defined]
    expected = expected[..., None] if expected.ndim == 3 else expected
    (series,) = index(folder / "In").series
    assert len(series.volumes) == expected.shape[3]
    grid = Grid(expected.shape[:3], reference.affine)  # type: ignore[attr-defined,arg-type]
    for number, one in enumerate(series.volumes):
        volume, _ = read_series_volume(one)
        distance = np.linalg.norm(grid.corners[:, None] - volume.grid.corners[None], axis=2).min(axis=1)
        assert distance.max() < 1e-3
        truth = Truth(expected[..., number], grid.affine)
        assert is_same((np.asarray(volume.data, float), volume.grid.affine), truth)


def test_every_slice_of_rounded_positions_lies_where_its_file_says(real_data: Path) -> None:
    (series,) = index(real_data / "dicom_geometry" / "siemens_jpeg" / "In").series
    stack = series.volumes[0].source
    assert isinstance(stack, Stack)
    centres = stack.grid.world(np.array([[0, 0, k] for k in range(len(stack.frames))])) * [-1, -1, 1]
    off_mm = np.linalg.norm(centres - [frame.position for frame in stack.frames], axis=1)  # type: ignore[misc]
    assert off_mm.max() < STEP_TOLERANCE_MM
