"""A series to its stacks where an image is there twice: neither torn into halves nor read as one of unlike images."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import awkward as a
import pytest
from judge import is_same, ours
from pydicom.dataset import Dataset

from mri_sij.ingest.discover import index
from mri_sij.ingest.read import read_series_volume

Change = Callable[[Dataset], None]


def _with_a_copy(slices: list[Dataset]) -> list[Dataset]:
    """The slices and one more: the fifth under another SOP instance UID."""
    twin = copy.deepcopy(slices[4])
    twin.SOPInstanceUID += ".7"
    return [*slices, twin]


@pytest.mark.parametrize("halves", [slice(1, None, 2), slice(6, None)], ids=["interleaved", "one after the other"])
@pytest.mark.parametrize("spacing", [True, False])
def test_a_copied_image_does_not_part_the_halves_of_a_stack(halves: slice, spacing: bool, tmp_path: Path) -> None:
    slices = a.slice_set()
    for ds in slices[halves]:
        ds.AcquisitionNumber = 2
    for ds in slices if not spacing else []:
        del ds.SpacingBetweenSlices
    a.write_all(_with_a_copy(slices), tmp_path)
    (series,) = index(tmp_path).series
    (volume,) = series.volumes
    image, cautions = read_series_volume(volume)
    assert is_same((image.data, image.grid.affine), a.truth(a.voxels(), a.oblique()))
    assert [caution.code for caution in cautions] == ["identical_duplicates"]


def _second_echo(ds: Dataset) -> None:
    ds.EchoTime, ds.EchoNumbers = "15", "2"


def _phase(ds: Dataset) -> None:
    ds.ImageType = ["ORIGINAL", "PRIMARY", "P", "ND"]


@pytest.mark.parametrize(("change", "code"), [(_second_echo, "mixed_echoes"), (_phase, "mixed_image_type")])
@pytest.mark.parametrize("count", [11, 12])
def test_a_copied_image_does_not_hide_unlike_ones(change: Change, code: str, count: int, tmp_path: Path) -> None:
    slices = a.slice_set()[:count]
    for ds in slices[1::2]:
        change(ds)
    a.write_all(_with_a_copy(slices), tmp_path)
    assert ours(tmp_path) == ([], [code])


def test_one_uid_for_all_images_does_not_hide_unlike_ones(tmp_path: Path) -> None:
    slices = a.slice_set()
    for ds in slices:
        ds.SOPInstanceUID = f"{a.ROOT}.1.1.1"
    for ds in slices[1::2]:
        _second_echo(ds)
    a.write_all(slices, tmp_path)
    assert ours(tmp_path) == ([], ["mixed_echoes"])
