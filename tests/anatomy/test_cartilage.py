"""Cartilage against ligament: by the gap alone, and by gap and fat where there is a T1."""

from __future__ import annotations

import numpy as np
import pelvis

from mri_sij.anatomy.cartilage import covered_by_cartilage, fat_across
from mri_sij.config import AnatomySettings
from mri_sij.volume import Volume

SETTINGS = AnatomySettings()
SPACING = (1.0, 1.0, 4.0)


def gaps() -> np.ndarray:
    """60 rows on 12 slices: 3 mm wide below, 4.5 mm above row 30; nothing faces anything above row 50."""
    gap = np.full((60, 12), 3.0)
    gap[30:] = 4.5
    gap[50:] = np.nan
    return gap


def test_without_t1_the_gap_alone_decides() -> None:
    gap = gaps()
    gap[40:50] = SETTINGS.cartilage_gap_mm + 0.1
    covered = covered_by_cartilage(gap, None, SPACING, SETTINGS)
    assert covered[:40].all()
    assert not covered[40:].any()


def test_bright_fat_marks_a_recess_that_is_hardly_wider_than_the_joint() -> None:
    fat = np.where(np.arange(60)[:, None] < 30, 0.7, 1.8) * np.ones((60, 12))
    covered = covered_by_cartilage(gaps(), fat, SPACING, SETTINGS)
    assert covered[:28].all()
    assert not covered[33:].any()


def test_a_dark_joint_stays_cartilage_where_it_widens_a_little() -> None:
    covered = covered_by_cartilage(gaps(), np.full((60, 12), 0.7), SPACING, SETTINGS)
    assert covered[:50].all()
    assert not covered[50:].any()


def test_fat_is_looked_for_across_the_midline_and_any_gain_gives_the_same() -> None:
    labels = pelvis.labels(pelvis.grid(0))
    signal = np.full(labels.grid.shape, 100, np.float32)
    signal[52, 60:80, 5:9] = 180
    column = np.full(labels.grid.shape[1:], 50.0)
    column[:10] = np.nan
    found = [fat_across(Volume(signal * gain, labels.grid), labels, column) for gain in (np.float32(1), np.float32(8))]
    assert np.allclose(found[0][60:80, 5:9], 1.8)
    assert np.allclose(found[0][10:60], 1.0)
    assert np.isnan(found[0][:10]).all()
    assert np.array_equal(found[0], found[1], equal_nan=True)
