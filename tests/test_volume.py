"""Label maps name all that they hold."""

from __future__ import annotations

import numpy as np
import pytest

from mri_sij.errors import GeometryError
from mri_sij.geometry import Grid
from mri_sij.volume import LabelMap

GRID = Grid((2, 2, 2), np.eye(4))
NAMES = {1: "sacrum", 3: "left_ilium"}


def _labels(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.uint8).reshape(GRID.shape)


def test_labels_without_a_name_are_refused_by_number() -> None:
    with pytest.raises(GeometryError, match=r"labels \[2, 9\] that have no name"):
        LabelMap(_labels(0, 1, 2, 3, 9, 0, 2, 0), GRID, NAMES)


@pytest.mark.parametrize("numbers", [(0,) * 8, (0, 1, 3, 3, 1, 0, 0, 0)])
def test_a_name_may_have_no_voxel_and_a_number_no_use(numbers: tuple[int, ...]) -> None:
    assert LabelMap(_labels(*numbers), GRID, NAMES).mask(1).sum() == numbers.count(1)
