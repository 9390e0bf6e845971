"""Pixels whose header says where their values lie and how they are scaled, rightly or not."""

from __future__ import annotations

import copy
from pathlib import Path

import awkward as a
import numpy as np
import pytest
from judge import is_same, ours

SLOPE = b"\x28\x00\x53\x10DS"
"""(0028,1053), explicit VR little endian."""


@pytest.mark.parametrize("syntax", [a.ExplicitVRLittleEndian, a.ImplicitVRLittleEndian])
def test_values_in_the_upper_bits_are_refused(syntax: str, tmp_path: Path) -> None:
    slices = a.slice_set()
    for k, ds in enumerate(slices):
        a.set_pixels(ds, a.voxels()[:, :, k].T << 4, bits_stored=12)
        ds.HighBit = 15
    a.write_all(slices, tmp_path, syntax)
    assert ours(tmp_path) == ([], ["high_bit"])


def test_absent_high_bit_and_rescale_are_no_damage(tmp_path: Path) -> None:
    slices = a.slice_set()
    for ds in slices:
        del ds.HighBit
        assert "RescaleSlope" not in ds
    a.write_all(slices, tmp_path)
    ((found,), codes) = ours(tmp_path)
    assert codes == []
    assert is_same(found, a.truth(a.voxels(), a.oblique()))


@pytest.mark.parametrize("value", [b"0 ", b"0,5 ", b""])
def test_damaged_rescale_slope_is_refused(value: bytes, tmp_path: Path) -> None:
    slices = a.slice_set()
    for ds in slices:
        ds.RescaleSlope, ds.RescaleIntercept = "2", "0"
    a.write_all(slices, tmp_path)
    path = tmp_path / "IM0003"
    whole = SLOPE + b"\x02\x002 "
    assert path.read_bytes().count(whole) == 1
    path.write_bytes(path.read_bytes().replace(whole, SLOPE + bytes([len(value), 0]) + value))
    assert ours(tmp_path) == ([], ["rescale"])


def test_damaged_rescale_intercept_is_refused(tmp_path: Path) -> None:
    slices = a.slice_set()
    slices[3].RescaleIntercept = ""
    a.write_all(slices, tmp_path)
    assert ours(tmp_path) == ([], ["rescale"])


@pytest.mark.parametrize(("slope", "code"), [("2", ""), ("7", "conflicting_duplicates")])
def test_copies_must_be_alike_in_scale_too(slope: str, code: str, tmp_path: Path) -> None:
    slices = a.slice_set()
    for ds in slices:
        ds.RescaleSlope, ds.RescaleIntercept = "2", "0"
    twin = copy.deepcopy(slices[4])
    twin.SOPInstanceUID += ".7"
    twin.RescaleSlope = slope
    a.write_all([*slices, twin], tmp_path)
    found, codes = ours(tmp_path)
    assert codes == ([code] if code else [])
    assert [np.ptp(data) > 4000 for data, _ in found] == ([] if code else [True])


def test_a_frame_with_an_empty_rescale_slope_is_refused(tmp_path: Path) -> None:
    frames = [a.frame_group(a.oblique(), k, scale=(2.0, 0.0)) for k in range(a.SLICES)]
    frames[3].PixelValueTransformationSequence[0].RescaleSlope = ""
    a.write(a.enhanced(a.voxels().transpose(2, 1, 0), frames), tmp_path / "E")
    assert ours(tmp_path) == ([], ["rescale"])
