"""NRRD and MetaImage as SimpleITK writes them, raw and packed: the same voxels at the same places."""

from __future__ import annotations

import os
from pathlib import Path

import awkward as a
import numpy as np
import pytest
import SimpleITK as sitk

from mri_sij.errors import RefusedError
from mri_sij.geometry import Grid
from mri_sij.ingest.discover import index
from mri_sij.ingest.itk_formats import read_volume
from mri_sij.ingest.read import read_series_volume
from mri_sij.sitk_bridge import to_sitk
from mri_sij.volume import Volume


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", ["stir.nrrd", "stir.mha"])
def test_image_file_is_read_back(name: str, compressed: bool, tmp_path: Path) -> None:
    volume = Volume(a.voxels(), Grid((a.COLUMNS, a.ROWS, a.SLICES), a.LPS_TO_RAS @ a.oblique()))
    sitk.WriteImage(to_sitk(volume), str(tmp_path / name), compressed)
    (series,) = index(tmp_path).series
    again, _ = read_series_volume(series.volumes[0])
    assert again.grid.same_as(volume.grid, tolerance_mm=1e-3)
    assert np.array_equal(again.data, volume.data)


def test_voxels_that_are_missing_are_refused(tmp_path: Path) -> None:
    volume = Volume(a.voxels(), Grid((a.COLUMNS, a.ROWS, a.SLICES), a.LPS_TO_RAS @ a.oblique()))
    for name in ("x.nrrd", "x.mha"):
        sitk.WriteImage(to_sitk(volume), str(tmp_path / name))
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[:-3000])
    assert {item.code for item in index(tmp_path).refused} == {"too_large"}


@pytest.mark.parametrize(
    ("name", "before", "stated", "code"),
    [
        ("x.nrrd", b"kinds:", b'space units: "um" "um" "um"\n', "image_file"),
        ("x.nrrd", b"kinds:", b'space units: "mm" "mm" "mm"\n', ""),
        ("x.mha", b"DimSize", b"DistanceUnits = um\n", "image_file"),
        ("x.mha", b"DimSize", b"DistanceUnits = mm\n", ""),
    ],
)
def test_other_units_than_mm_are_refused(name: str, before: bytes, stated: bytes, code: str, tmp_path: Path) -> None:
    volume = Volume(a.voxels(), Grid((a.COLUMNS, a.ROWS, a.SLICES), a.LPS_TO_RAS @ a.oblique()))
    sitk.WriteImage(to_sitk(volume), str(tmp_path / name))
    content = (tmp_path / name).read_bytes()
    assert before in content
    (tmp_path / name).write_bytes(content.replace(before, stated + before, 1))
    assert [item.code for item in index(tmp_path).refused] == ([code] if code else [])


def test_a_name_that_is_no_utf8_is_refused_before_the_library_sees_it(tmp_path: Path) -> None:
    volume = Volume(a.voxels(), Grid((a.COLUMNS, a.ROWS, a.SLICES), a.LPS_TO_RAS @ a.oblique()))
    sitk.WriteImage(to_sitk(volume), str(tmp_path / "x.nrrd"))
    (tmp_path / "x.nrrd").rename(tmp_path / os.fsdecode(b"stir_M\xfcller.nrrd"))
    (refused,) = index(tmp_path).refused
    assert (refused.code, refused.hint) == ("image_file", "Rename it.")
    with pytest.raises(RefusedError, match="no UTF-8"):
        read_volume(tmp_path / os.fsdecode(b"stir_M\xfcller.nrrd"), "nrrd")
