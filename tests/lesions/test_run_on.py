"""Oedema that runs on beyond the slices on which its joint is seen."""

from __future__ import annotations

from dataclasses import replace

import block_pelvis
import numpy as np
import pytest

from mri_sij.anatomy.find import Anatomy
from mri_sij.config import LesionSettings
from mri_sij.evidence import Bone, Side
from mri_sij.lesions.records import OEDEMA_LABELS, OEDEMA_NAMES
from mri_sij.lesions.run_on import run_on
from mri_sij.volume import LabelMap

FIRST, LAST = 2, 5
"""Slices on which the left joint is seen."""
BRIGHT = (slice(122, 134), slice(30, 60))
"""In the left ilium."""


def body() -> Anatomy:
    whole = block_pelvis.anatomy()
    side = whole.regions.side.copy()
    side[:, :, :FIRST] = side[:, :, LAST + 1 :] = 0
    return replace(whole, regions=replace(whole.regions, side=side))


def carried_on(ratio: np.ndarray, beside: np.ndarray, label: int = 2, **settings: float) -> np.ndarray:
    """Where `label` is found on slices without a joint."""
    data = np.zeros(block_pelvis.SHAPE, np.uint8)
    data[beside] = label
    found = run_on(LabelMap(data, block_pelvis.grid(), OEDEMA_NAMES), body(), ratio, LesionSettings(**settings))
    assert np.array_equal(found.data[:, :, FIRST : LAST + 1], data[:, :, FIRST : LAST + 1])
    assert set(np.unique(found.data)) <= {0, label}
    return np.asarray((found.data == label) & (data == 0))


def lesion(*slices: int, level: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Ratio over marrow, bright on `slices`, and the oedema found on those that show the joint."""
    ratio, beside = np.ones(block_pelvis.SHAPE, np.float32), np.zeros(block_pelvis.SHAPE, bool)
    for k in slices:
        ratio[(*BRIGHT, k)] = level
        beside[(*BRIGHT, k)] = FIRST <= k <= LAST
    assert (block_pelvis.anatomy().segmentation.labels.data[BRIGHT] == 2).all()
    return ratio, beside


def test_it_runs_on_in_its_bone_until_it_ends() -> None:
    found = carried_on(*lesion(4, 5, 6, 7))
    assert np.flatnonzero(found.any((0, 1))).tolist() == [6, 7]
    inner = (slice(125, 131), slice(33, 57))
    assert found[(*inner, 6)].all() and found[:, :, 6].sum() <= 12 * 30
    assert not carried_on(*lesion(4, 5, 7)).any()  # a slice between shows none


def test_it_runs_on_to_both_sides_and_not_from_a_joint_whose_last_slice_is_free() -> None:
    assert np.flatnonzero(carried_on(*lesion(0, 1, 2)).any((0, 1))).tolist() == [0, 1]
    assert not carried_on(*lesion(3, 4, 6, 7)).any()


@pytest.mark.parametrize(("level", "found"), [(1.6, True), (1.4, False)])
def test_half_of_its_excess_is_asked_for(level: float, found: bool) -> None:
    ratio, beside = lesion(5, 6)
    ratio[(*BRIGHT, 6)] = level
    assert carried_on(ratio, beside).any() == found
    assert carried_on(ratio, beside, run_on_excess=0.3).any()


def test_it_stays_in_its_bone_and_on_its_side_of_the_sacrum() -> None:
    ratio, beside = lesion(5)
    ratio[:, :, 6] = 2
    assert (block_pelvis.anatomy().segmentation.labels.data[carried_on(ratio, beside)] == 2).all()
    sacrum = block_pelvis.anatomy().segmentation.labels.data == 1
    column = np.arange(block_pelvis.SHAPE[0])[:, None, None]
    own = sacrum & (column > np.argwhere(sacrum)[:, 0].mean())
    whole = np.where(sacrum, 2, 1).astype(np.float32)
    there = own & (np.arange(block_pelvis.SHAPE[2]) == LAST)
    found = carried_on(whole, there, OEDEMA_LABELS[Side.LEFT, Bone.SACRUM])
    assert found.any() and not found[~own].any()
