"""The step of a stack whose positions are rounded: that of the first two, or end to end."""

from __future__ import annotations

from pathlib import Path

import awkward as a
import numpy as np
import pytest

from mri_sij.ingest.discover import index
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
