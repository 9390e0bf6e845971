"""Stacks that end before the joint does are told, whichever end the six slices are counted from."""

from __future__ import annotations

import numpy as np
import pelvis
import pytest

from mri_sij.anatomy.joint import Joint, Joints, find_joints
from mri_sij.anatomy.labels import NAMES, SACRUM
from mri_sij.anatomy.slices import SliceChoice, choose_slices, obliquity_deg
from mri_sij.config import AnatomySettings
from mri_sij.evidence import NotScorable, Side
from mri_sij.geometry import Grid
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


def _by_heights(left: list[float], right: list[float], **settings: str) -> SliceChoice | NotScorable:
    """The choice for joints of these cartilaginous heights (mm), slice by slice."""
    grid = Grid((40, 40, len(left)), np.eye(4))
    joints = (
        Joint(side, {k: pelvis.joint_slice(k, 10, range(10), range(10), mm) for k, mm in enumerate(heights) if mm})
        for side, heights in ((Side.LEFT, left), (Side.RIGHT, right))
    )
    bones = LabelMap(np.zeros(grid.shape, np.uint8), grid, NAMES)
    stir = Volume(np.ones(grid.shape, np.float32), grid)
    return choose_slices(stir, bones, Joints(grid, *joints), AnatomySettings().model_copy(update=dict(settings)))


def test_the_last_slice_on_which_both_joints_keep_half_their_height_is_the_transitional_one() -> None:
    left, right = [0.0] * 2 + [40.0] * 10 + [19.0] * 2, [0.0] * 2 + [60.0] * 7 + [30.0, 29.0, 29.0, 0, 0]
    for one, other in ((left, right), (right, left)):
        back, front = _by_heights(one, other), _by_heights(one, other, slices_from="front")
        assert isinstance(back, SliceChoice) and isinstance(front, SliceChoice)
        assert (back.transitional, back.numbers) == (9, (4, 5, 6, 7, 8, 9))
        assert (front.transitional, front.numbers) == (9, (2, 3, 4, 5, 6, 7))
        assert f"left {one[9]:.0f} mm, right {other[9]:.0f} mm" in back.reason
        assert not back.cautions and not front.cautions


def test_one_slice_that_stands_out_is_no_joint_height() -> None:
    odd = [40.0] * 4 + [400.0] + [40.0] * 6 + [0.0] * 3
    found = _by_heights(odd, [40.0] * 11 + [0.0] * 3)
    assert isinstance(found, SliceChoice) and found.transitional == 10


@pytest.mark.parametrize(
    ("left", "right", "code"),
    [
        ([10.0] * 6 + [0.0] * 4, [10.0] * 6 + [0.0] * 4, None),
        ([10.0] * 5 + [0.0] * 5, [10.0] * 5 + [0.0] * 5, "too_few_slices"),
        ([40.0] * 10, [9.9] * 10, "too_few_slices"),
        ([9.9] * 10, [40.0] * 10, "too_few_slices"),
        ([40.0] * 5 + [0.0] * 5, [0.0] * 5 + [40.0] * 5, "no_common_slice"),
    ],
)
def test_too_little_joint_is_not_scorable(left: list[float], right: list[float], code: str | None) -> None:
    found = _by_heights(left, right)
    assert (found.reasons[0].code if isinstance(found, NotScorable) else None) == code


@pytest.mark.parametrize(("slices_from", "order"), [("back", 1), ("front", -1)])
def test_where_slices_lie_askew_those_are_scored_that_show_both_joints(slices_from: str, order: int) -> None:
    """Counted by the rule, the left joint is seen on three slices."""
    left = ([0.0] * 7 + [24.0, 29, 33, 36, 39, 18] + [0.0] * 3)[::order]
    right = ([0.0] * 4 + [18.0, 21, 24, 28, 34, 37, 14] + [0.0] * 5)[::order]
    for one, other in ((left, right), (right, left)):
        found = _by_heights(one, other, slices_from=slices_from)
        assert isinstance(found, SliceChoice)
        assert found.numbers == (5, 6, 7, 8, 9, 10)
        assert _codes(found) == ["slices_moved"]


@pytest.mark.parametrize("angle_deg", [0, 25, -40])
def test_the_slices_lie_askew_to_the_sacrum_by_the_angle_between_them(angle_deg: float) -> None:
    grid = Grid((30, 80, 40), np.array([[-2.0, 0, 0, 30], [0, 0, -2, 40], [0, 2, 0, -80], [0, 0, 0, 1]]))
    world = grid.world(np.stack(np.indices(grid.shape), -1))
    angle = np.deg2rad(angle_deg)
    along, across = (
        world[..., 1:] @ axis for axis in ((np.sin(angle), np.cos(angle)), (np.cos(angle), -np.sin(angle)))
    )
    bone = np.where((np.abs(along) < 40) & (np.abs(across) < 8), SACRUM, 0).astype(np.uint8)
    assert obliquity_deg(LabelMap(bone, grid, NAMES)) == pytest.approx(abs(angle_deg), abs=1.5)
    ball = np.where((world**2).sum(-1) < 400, SACRUM, 0).astype(np.uint8)
    assert obliquity_deg(LabelMap(ball, grid, NAMES)) is None


def test_six_slices_from_the_front_that_do_not_fit_are_moved_and_told() -> None:
    """The joint is high on the last four slices only."""
    heights = [12.0] * 6 + [40.0] * 4
    found = _by_heights(heights, heights, slices_from="front")
    assert isinstance(found, SliceChoice)
    assert found.numbers == (4, 5, 6, 7, 8, 9) and _codes(found) == ["stack_ends_early"]
    assert "ends 2 slices in front" in found.cautions[0].message
