"""Label maps go back to the voxels that were read."""

from __future__ import annotations

import made_visit
import numpy as np
import pytest

from mri_sij.errors import GeometryError
from mri_sij.geometry import Grid
from mri_sij.report.masks import in_native_order


def test_labels_return_to_the_series_own_order() -> None:
    labels = made_visit.oedema_labels()
    native = made_visit.GRID.reordered(made_visit.REVERSED)
    back = in_native_order(labels, native)
    assert back.grid is native
    assert np.array_equal(back.data, made_visit.REVERSED.apply(labels.data))
    there = back.grid.world(np.argwhere(back.data)).mean(0)
    assert np.allclose(there, labels.grid.world(np.argwhere(labels.data)).mean(0))


def test_labels_of_another_place_are_refused() -> None:
    shifted = made_visit.TILTED.copy()
    shifted[0, 3] += 1.0
    with pytest.raises(GeometryError):
        in_native_order(made_visit.oedema_labels(), Grid(made_visit.SHAPE, shifted))
