"""Outlines run along the edge of the mask, in the picture's millimetres."""

from __future__ import annotations

import re

import numpy as np

from mri_sij.report.frame import Frame
from mri_sij.report.outline import level, outline, path_of_lines

FRAME = Frame((0, 0), (20, 20), (1.0, 1.0))


def points(path: str) -> np.ndarray:
    pairs = [pair for pair in re.split("[ML]", path.replace("Z", "")) if pair]
    return np.array([[float(n) for n in pair.split()] for pair in pairs])


def test_outline_runs_half_a_voxel_outside_the_voxel_centres() -> None:
    mask = np.zeros((20, 20), bool)
    mask[5:10, 2:4] = True
    path = outline(mask, FRAME)
    assert path.count("M") == 1
    assert path.endswith("Z")
    x, y = points(path).T
    assert (x.min(), x.max()) == (5.0, 10.0)
    assert (y.min(), y.max()) == (16.0, 18.0)


def test_a_mask_at_the_border_is_closed() -> None:
    assert outline(np.ones((20, 20), bool), FRAME).endswith("Z")


def test_each_part_has_a_path_and_nothing_has_none() -> None:
    mask = np.zeros((20, 20), bool)
    assert outline(mask, FRAME) == ""
    mask[2:4, 2:4] = mask[10:14, 10:14] = True
    assert outline(mask, FRAME).count("M") == 2


def test_level_is_drawn_within_the_mask_only() -> None:
    depth = np.broadcast_to(np.arange(20.0)[:, None], (20, 20)).copy()
    depth[:, 15:] = np.inf
    inside = np.zeros((20, 20), bool)
    inside[3:18, 4:12] = True
    x, y = points(level(depth, 9.25, inside, FRAME)).T
    assert set(x) == {9.75}
    assert y.min() >= 8.0
    assert y.max() <= 16.0


def test_a_line_of_one_point_is_nothing() -> None:
    assert path_of_lines([np.array([[1.0, 2.0]])]) == ""
