"""What oedema is held against, on blocks of bone, vessel and bladder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mri_sij.config import LesionSettings
from mri_sij.geometry import Grid
from mri_sij.lesions.records import FluidReference
from mri_sij.lesions.reference import (
    fluid_mask,
    fluid_reference,
    intense_from,
    marrow_core,
    middle_of,
    muscle_masks,
    without_lesions,
)

SHAPE = (100, 20, 4)
GRID = Grid(SHAPE, np.diag([1.0, 2, 5, 1]))
SETTINGS = LesionSettings()


@pytest.mark.parametrize(("ratio", "limit"), [(None, None), (4.0, 2.3), (5.0, 2.75), (9.0, 3.0)])
def test_intense_is_a_share_of_the_fluid_within_two_limits(ratio: float | None, limit: float | None) -> None:
    assert intense_from(FluidReference("vessel", ratio, 1.0), SETTINGS) == (
        None if limit is None else pytest.approx(limit)
    )


def test_fluid_is_bright_on_stir_not_on_t1_and_outside_bone() -> None:
    ratio = np.array([2.5, 2.6, 2.6, 2.6], np.float32)
    bone, t1 = np.array([0, 0, 1, 0], bool), np.array([0.5, 0.5, 0.5, 1.0], np.float32)
    assert fluid_mask(ratio, None, bone).tolist() == [False, True, False, True]
    assert fluid_mask(ratio, t1, bone).tolist() == [False, True, False, False]


@pytest.mark.parametrize(("kind", "ratio", "volume_ml"), [("vessel", 4.25, 0.8), ("csf", 8.0, 0.4)])
def test_vessels_lie_beside_the_bone_and_csf_within_it(kind: Any, ratio: float, volume_ml: float) -> None:
    bone, fluid, signal = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool), np.ones(SHAPE, np.float32)
    bone[10:20] = bone[30:40] = True
    fluid[25, :10], signal[25] = True, 8  # canal, 0.4 ml
    fluid[60, :10], signal[60, :5], signal[60, 5:] = True, 4, 5  # vessel, 0.4 ml
    fluid[2, :10], signal[2] = True, 4
    fluid[85], signal[85] = True, 9  # over 40 mm away
    found = fluid_reference(signal, fluid, bone, GRID, SETTINGS.model_copy(update={"intense_reference": kind}))
    assert (found.kind, found.volume_ml) == (kind, pytest.approx(volume_ml))
    assert found.ratio == pytest.approx(ratio)  # the upper quartile


def test_bladder_is_no_vessel_and_too_little_fluid_no_reference() -> None:
    bone, fluid = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    bone[10:20] = True
    fluid[22:42] = True  # 16 ml
    assert fluid_reference(np.full(SHAPE, 5, np.float32), fluid, bone, GRID, SETTINGS).ratio is None
    fluid[40:] = False
    fluid[22:25] = False  # 12 ml
    assert fluid_reference(np.full(SHAPE, 5, np.float32), fluid, bone, GRID, SETTINGS).ratio == 5
    few = np.zeros(SHAPE, bool)
    few[25, :7] = True  # 0.28 ml
    assert fluid_reference(np.full(SHAPE, 5, np.float32), few, bone, GRID, SETTINGS).ratio is None


def test_the_midline_halves_the_sacrum() -> None:
    sacrum = np.zeros(SHAPE, bool)
    sacrum[40:60] = True
    assert middle_of(sacrum) == pytest.approx(49)
    assert middle_of(np.zeros(SHAPE, bool)) == 49.5


def test_suspected_marrow_is_left_out_while_a_fifth_remains() -> None:
    core, suspected = np.ones(SHAPE, bool), np.zeros(SHAPE, np.float32)
    suspected[:80] = 0.25
    assert without_lesions(core, suspected).sum() == core.sum() / 5
    suspected[:81] = 0.25
    assert without_lesions(core, suspected).all()


@pytest.mark.parametrize(("pixel_mm", "cortex"), [(0.5, 4), (1.0, 2), (3.0, 1)])
def test_marrow_is_bone_without_2_mm_of_cortex_and_3_mm_under_the_cartilage(pixel_mm: float, cortex: int) -> None:
    bone, depth = np.zeros((20, 20, 3), bool), np.full((20, 20, 3), 3.1, np.float32)
    bone[4:16, 4:16], depth[10:] = True, 3.0
    expected = np.zeros_like(bone)
    expected[4 + cortex : 10, 4 + cortex : 16 - cortex] = True
    grid = Grid(bone.shape, np.diag([pixel_mm, pixel_mm, 4, 1]))
    assert np.array_equal(marrow_core(bone, depth, grid), expected)


def test_muscle_is_about_as_bright_as_marrow_and_darker_on_t1() -> None:
    """Marrow of 2 on STIR and 4 on T1; the last voxel is bone or fluid."""
    stir = 2 * np.array([1, 0.3, 0.31, 1.59, 1.61, 4.99, 5.01, 1, 1, 1, 1, 1], np.float32)
    t1 = 4 * np.array([1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.74, 0.76, 0.16, 0.14, 0.5], np.float32)
    core, other = np.arange(12) == 0, np.isin(np.arange(12), (0, 11))
    muscle, like = muscle_masks(stir, t1, other, core)
    assert np.flatnonzero(muscle).tolist() == [2, 3, 7, 9]
    assert np.flatnonzero(like).tolist() == [2, 3, 4, 5, 7, 9]
    for alone in muscle_masks(stir, None, other, core):
        assert np.flatnonzero(alone).tolist() == [2, 3, 7, 8, 9, 10]
