"""The step of a stack whose positions are rounded, and that of one of which every second slice may be missing."""

from __future__ import annotations

from pathlib import Path

import awkward as a
import numpy as np
import pytest
from judge import ours
from pydicom.dataset import Dataset

from mri_sij.ingest.discover import index
from mri_sij.ingest.read import read_series_volume
from mri_sij.ingest.stack import STEP_TOLERANCE_MM, Stack


def _moved(slices: list, shifts_mm: dict[int, float], folder: Path) -> tuple[Stack, np.ndarray]:
    """The stack read from slices of which some are shifted along the normal, and the places (RAS) that they state."""
    normal = a.oblique()[:3, 2] / a.STEP_MM
    for k, shift in shifts_mm.items():
        slices[k].ImagePositionPatient = [
            a.ds_text(float(v) + shift * n) for v, n in zip(slices[k].ImagePositionPatient, normal, strict=True)
        ]
    a.write_all(slices, folder)
    (series,) = index(folder).series
    stack = series.volumes[0].source
    assert isinstance(stack, Stack)
    stated = np.array([frame.position for frame in stack.frames]) * [-1, -1, 1]
    return stack, stack.grid.world(np.array([[0, 0, k] for k in range(len(stack.frames))])) - stated


@pytest.mark.parametrize("backwards", [False, True])
def test_step_is_that_of_the_first_two_images(backwards: bool, tmp_path: Path) -> None:
    slices = a.slice_set()
    if backwards:
        for n, ds in enumerate(slices):
            ds.InstanceNumber = len(slices) - n
    stack, off = _moved(slices, {-1 if backwards else 0: 0.001}, tmp_path)
    expected_mm = a.STEP_MM + (0.001 if backwards else -0.001)
    assert stack.grid.spacing_mm[2] == pytest.approx(expected_mm, abs=1e-6)
    distance = np.linalg.norm(off, axis=1)
    assert distance[-1 if backwards else 0] < 1e-6
    assert distance.max() == pytest.approx(0.001 * (a.SLICES - 2), abs=1e-6) and distance.max() < STEP_TOLERANCE_MM


def test_step_runs_from_end_to_end_where_the_first_two_images_miss_the_last(tmp_path: Path) -> None:
    stack, off = _moved(a.slice_set(), {0: 0.003}, tmp_path)
    assert np.linalg.norm(off[[0, -1]], axis=1).max() < 1e-6
    assert stack.grid.spacing_mm[2] == pytest.approx(a.STEP_MM - 0.003 / (a.SLICES - 1), abs=1e-6)


def _half(spacing: str = "", thickness: str = "4", numbers: int = 1) -> list[Dataset]:
    """Every second slice of a stack; `numbers` is the step of their instance numbers, `spacing` what headers say."""
    slices = a.slice_set()[::2]
    for n, ds in enumerate(slices):
        ds.InstanceNumber, ds.SliceThickness, ds.SpacingBetweenSlices = 1 + n * numbers, thickness, spacing
    return slices


@pytest.mark.parametrize(
    "slices",
    [_half(spacing="-4.4"), _half(spacing="4.4", thickness="4.4"), _half(numbers=2), _half(spacing="4", numbers=2)],
    ids=["spacing with a sign", "as wide a gap as a slice", "no spacing", "spacing that is the thickness"],
)
def test_every_second_slice_missing_is_refused(slices: list[Dataset], tmp_path: Path) -> None:
    a.write_all(slices, tmp_path)
    assert ours(tmp_path) == ([], ["missing_slices"])


def test_room_between_slices_is_said_where_the_numbers_cannot_tell(tmp_path: Path) -> None:
    """Numbered anew, enhanced, and two echoes that share one numbering: nothing proves that slices are missing."""
    a.write_all(_half(), tmp_path / "anew")
    frames = [a.frame_group(a.oblique(), k) for k in range(0, a.SLICES, 2)]
    a.write(a.enhanced(a.voxels().transpose(2, 1, 0)[::2], frames, series="2"), tmp_path / "enhanced" / "E")
    echoes = [_half(numbers=2), _half(numbers=2)]
    for n, slices in enumerate(echoes):
        for ds in slices:
            ds.InstanceNumber += n
            ds.SOPInstanceUID += f".{n}"
            ds.SeriesInstanceUID += ".3"
            ds.EchoTime, ds.EchoNumbers = f"{15 + 45 * n}", f"{n + 1}"
    a.write_all([ds for slices in echoes for ds in slices], tmp_path / "echoes")
    volumes = [volume for series in index(tmp_path).series for volume in series.volumes]
    assert [[c.code for c in read_series_volume(volume)[1]] for volume in volumes] == [["slices_far_apart"]] * 4


def test_a_wide_gap_that_the_header_states_needs_no_caution(tmp_path: Path) -> None:
    a.write_all(_half(spacing="8.8"), tmp_path)
    (series,) = index(tmp_path).series
    assert read_series_volume(series.volumes[0])[1] == ()


def test_names_of_files_do_not_move_a_stack_of_rounded_cosines(tmp_path: Path) -> None:
    slices = a.slice_set()
    for k, ds in enumerate(slices):
        row, *rest = (float(value) for value in ds.ImageOrientationPatient)
        ds.ImageOrientationPatient = [a.ds_text(row), a.ds_text(rest[0] + 2e-5 * k), *map(a.ds_text, rest[1:])]
    a.write_all(slices, tmp_path / "one")
    a.write_all(slices[::-1], tmp_path / "other")
    one, other = (index(tmp_path / name).series[0].volumes[0].grid for name in ("one", "other"))
    assert one is not None and other is not None
    assert np.array_equal(one.affine, other.affine)
