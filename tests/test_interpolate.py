"""Interpolation along an axis: exact on lines, the end's value beyond the ends, one voxel alone."""

from __future__ import annotations

import numpy as np
import pytest

from mri_sij.interpolate import along


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_line_stays_a_line(axis: int) -> None:
    line = np.moveaxis(np.broadcast_to(np.arange(6, dtype=np.float32), (2, 3, 6)), 2, axis)
    found = np.moveaxis(along(line, axis, np.array([0.0, 0.25, 2.5, 5.0])), axis, 2)
    assert np.allclose(found, [0, 0.25, 2.5, 5])
    assert found.shape == (2, 3, 4) and found.dtype == np.float32


def test_beyond_the_ends_lies_what_is_at_the_end() -> None:
    assert along(np.array([3, 7], np.float32), 0, np.array([-2.0, 9.0])).tolist() == [3, 7]


def test_a_single_voxel_is_itself_everywhere() -> None:
    assert along(np.array([4], np.float32), 0, np.array([-1.0, 0.0, 0.5])).tolist() == [4, 4, 4]
