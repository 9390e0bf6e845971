from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage as ndi

from mri_sij.lesions.holes import filled


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (12, 9), (60, 41)])
def test_holes_are_those_that_scipy_fills(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for width in (0.0, 0.7, 1.5):
        for level in (-0.1, 0.0, 0.05):
            mask = ndi.gaussian_filter(rng.normal(size=shape), width) > level
            assert (filled(mask) == ndi.binary_fill_holes(mask)).all()


def test_a_ring_is_filled_and_an_open_one_is_not() -> None:
    ring = np.zeros((9, 9), bool)
    ring[2:7, 2:7] = True
    ring[4, 4] = False
    assert filled(ring)[4, 4]
    ring[4, :5] = False
    assert (filled(ring) == ring).all()
    assert not filled(np.zeros((3, 3), bool)).any()
    assert filled(np.ones((3, 3), bool)).all()
