"""A joint that the edge of the image cuts off is told, however the image was filled up."""

from __future__ import annotations

import numpy as np
import pelvis
import pytest

from mri_sij.anatomy.find import Anatomy, find_anatomy
from mri_sij.anatomy.labels import NAMES
from mri_sij.config import AnatomySettings
from mri_sij.volume import LabelMap, Volume


def _told(lowest: int, highest: int, leftmost: int = 220, *, filled: bool = False) -> list[str]:
    """Messages about a pelvis of which only rows `lowest` to `highest` and columns up to `leftmost` were scanned."""
    whole = pelvis.labels(pelvis.grid(0))
    box = (slice(0, leftmost), slice(lowest, highest), slice(None))
    signal, bones = np.zeros(whole.grid.shape, np.float32), np.zeros(whole.grid.shape, np.uint8)
    signal[box], bones[box] = pelvis.stir(whole).values[box], whole.data[box]
    if filled:
        signal, bones = (np.pad(a, ((12, 12), (12, 12), (0, 0))) for a in (signal, bones))
    on = pelvis.grid(0, (signal.shape[0], signal.shape[1], signal.shape[2]))
    labels = LabelMap(bones, on, NAMES)
    found = find_anatomy(Volume(signal, on), pelvis.segmentation(labels), AnatomySettings())
    assert isinstance(found, Anatomy)
    return [c.message for c in found.slice_choice.cautions if c.code == "joint_cut"]


def test_a_whole_joint_is_no_matter_how_much_air_there_is() -> None:
    assert not _told(0, 150)
    assert not _told(0, 150, filled=True)


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize(("rows", "edge"), [((60, 150), "lower"), ((0, 90), "upper")])
def test_the_edge_that_cuts_both_joints_is_named(rows: tuple[int, int], edge: str, filled: bool) -> None:
    told = _told(*rows, filled=filled)
    assert [message.split(" joint")[0] for message in told] == ["The left", "The right"]
    assert all(f"the {edge} edge" in message for message in told)


def test_the_side_that_is_cut_is_named() -> None:
    (told,) = _told(0, 150, leftmost=177)
    assert told.startswith("The left joint") and "the left edge" in told
