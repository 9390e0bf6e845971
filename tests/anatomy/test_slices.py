"""Stacks that end before the joint does are told, whichever end the six slices are counted from."""

from __future__ import annotations

import numpy as np
import pelvis
import pytest

from mri_sij.anatomy.joint import find_joints
from mri_sij.anatomy.labels import NAMES
from mri_sij.anatomy.slices import SliceChoice, choose_slices
from mri_sij.config import AnatomySettings
from mri_sij.volume import LabelMap, Volume


def _choice(first: int, last: int, slices_from: str) -> SliceChoice:
    """The choice where only slices `first` to `last` of the pelvis were scanned and empty ones fill up the stack."""
    whole = pelvis.labels(pelvis.grid(0))
    shown = (np.arange(20) >= first) & (np.arange(20) <= last)
    return _chosen(LabelMap(whole.data * shown, whole.grid, NAMES), pelvis.stir(whole).values * shown, slices_from)


def _chosen(labels: LabelMap, signal: np.ndarray, slices_from: str = "back") -> SliceChoice:
    settings = AnatomySettings().model_copy(update={"slices_from": slices_from})
    stir = Volume(signal.astype(np.float32), labels.grid)
    found = choose_slices(stir, labels, find_joints(labels, settings), settings)
    assert isinstance(found, SliceChoice)
    return found


def _codes(choice: SliceChoice) -> list[str]:
    return [caution.code for caution in choice.cautions]


@pytest.mark.parametrize("slices_from", ["back", "front"])
def test_a_whole_stack_is_no_matter(slices_from: str) -> None:
    assert not _choice(0, 19, slices_from).cautions


def test_a_stack_that_ends_in_the_joint_is_told_where_slices_are_counted_from_the_back() -> None:
    whole = _choice(0, 19, "back").transitional
    cut = _choice(0, whole - 3, "back")
    assert cut.transitional == whole - 3
    assert _codes(cut) == ["stack_ends_early"]
    assert not _choice(0, whole - 3, "front").cautions


def test_a_stack_that_begins_in_the_joint_is_told_where_slices_are_counted_from_the_front() -> None:
    first = _choice(0, 19, "front").numbers[0]
    cut = _choice(first + 3, 19, "front")
    assert cut.numbers[0] == first + 3
    assert _codes(cut) == ["stack_begins_late"]
    assert not _choice(first + 3, 19, "back").cautions


def test_six_slices_that_do_not_fit_are_moved_and_told() -> None:
    """The joint is high on the first four slices only, and low on the five behind them."""
    bones = pelvis.labels(pelvis.grid(0), recess=False).data[:, :, 5:14].copy()
    bones[:, :65, 4:] = bones[:, 85:, 4:] = 0
    labels = LabelMap(bones, pelvis.grid(0, (220, 150, 9)), NAMES)
    found = _chosen(labels, pelvis.stir(labels).values)
    assert found.numbers == tuple(range(6)) and _codes(found) == ["stack_begins_late"]
    assert "begins 2 slices behind" in found.cautions[0].message
