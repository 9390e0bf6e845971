"""Where oedema is looked for: regions carried across the cortex, and voxels left out to be quick."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_items import SHAPE, search_of

from mri_sij.anatomy.quadrants import Regions
from mri_sij.geometry import Grid
from mri_sij.lesions.search import log_odds_of, thinned, widen


@pytest.mark.parametrize(("side", "bone", "code"), [(1, 1, 1), (1, 2, 2), (2, 1, 3), (2, 2, 4)])
def test_a_region_is_carried_across_its_cortex_with_all_that_is_known_of_it(side: int, bone: int, code: int) -> None:
    shape, inside = (20, 12, 2), np.zeros((20, 12, 2), np.uint8)
    inside[8:12, 5:7, 0] = 1
    half = inside * np.where(np.arange(12) > 5, 2, 1).astype(np.uint8)[None, :, None]
    depth = np.where(inside > 0, np.arange(20, dtype=np.float32)[:, None, None], np.inf).astype(np.float32)
    forbidden = np.zeros(shape, bool)
    forbidden[7, 5, 0] = True
    nowhere = np.zeros(shape, bool)
    regions = Regions(inside * side, inside * bone, half, depth, inside > 0, nowhere)
    wide = widen(regions, forbidden, Grid(shape, np.eye(4)), 1.0)
    assert wide.box == (slice(5, 15), slice(2, 10), slice(0, 1))
    around = wide.code[..., 0]
    assert set(np.unique(around)) == {0, code} and (around > 0).sum() == 8 + 12 - 1
    assert wide.bone.sum() == 8 and around[2, 3] == 0 and around[2, 4] == code
    rim = (slice(3, 7), 5, 0)  # above the upper half
    assert (
        (wide.half[rim] == 2).all() and wide.cartilaginous[rim].all() and wide.depth_mm[rim].tolist() == [8, 9, 10, 11]
    )


def test_thinned_voxels_stand_for_those_left_out() -> None:
    search = replace(search_of(np.ones(SHAPE)), grid=Grid(SHAPE, np.diag([0.4, 0.4, 4, 1])))
    search = replace(search, oedema=search.ratio)
    thin = thinned(search)
    assert thin.code.shape == (14, 14, 2) and thin.t1_ratio is None
    assert thin.oedema is not None and thin.oedema.shape == thin.code.shape
    assert (thin.pixel_mm2, thin.voxel_ml) == pytest.approx((9 * 0.16, 9 * search.voxel_ml))
    assert thin.pixel_mm == pytest.approx((1.2, 1.2))


def test_log_odds_are_held_within_those_of_two_in_a_thousand() -> None:
    odds = log_odds_of(np.array([0, 0.5, 0.75, 1], np.float32))
    assert odds == pytest.approx([-np.log(499), 0, np.log(3), np.log(499)], abs=1e-4)
