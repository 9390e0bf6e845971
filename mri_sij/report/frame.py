"""How a slice lies on the page: radiological display, cut to the joints, in millimetres.

Slices come in the reading frame (`Grid.reading_order`): axis 0 to the patient's left, axis 1 up. On the page x runs
to the right and y down, so that the patient's right is on the left of the picture, as radiologists look at it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri_sij.anatomy.joint import Joints
from mri_sij.geometry import Grid

MARGIN_MM = (42.0, 26.0)
"""Shown around the joints: the sacral wings, the iliac bone to its outer table, and the muscle beside it."""

_LETTERS = (("L", "R"), ("P", "A"), ("I", "S"))
"""Patient directions along the negative and the positive RAS axes."""
_SECOND_LETTER_FROM = 0.35
"""An edge is named after a second direction too where its cosine is at least this (about 20 degrees of tilt)."""


@dataclass(frozen=True)
class Frame:
    """The part of a slice that is shown: voxels `low` up to, not including, `high` on axes 0 and 1."""

    low: tuple[int, int]
    high: tuple[int, int]
    spacing_mm: tuple[float, float]

    @property
    def width_mm(self) -> float:
        """Width of the picture."""
        return (self.high[0] - self.low[0]) * self.spacing_mm[0]

    @property
    def height_mm(self) -> float:
        """Height of the picture."""
        return (self.high[1] - self.low[1]) * self.spacing_mm[1]

    def cut(self, plane: NDArray[np.generic]) -> NDArray[np.generic]:
        """The shown part of a slice of shape (i, j) as picture rows, shape (rows, columns), top row first."""
        return plane[self.low[0] : self.high[0], self.low[1] : self.high[1]].T[::-1]

    def place(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Voxel coordinates (n, 2) to millimetres (x, y) from the picture's top left corner."""
        p = np.asarray(points, np.float64)
        x = (p[:, 0] - self.low[0] + 0.5) * self.spacing_mm[0]
        y = (self.high[1] - 0.5 - p[:, 1]) * self.spacing_mm[1]
        return np.stack([x, y], axis=1)


def frame_around(grid: Grid, points: Iterable[NDArray[np.floating]], margin_mm: tuple[float, float]) -> Frame:
    """The frame that holds all `points` ((n, 2) voxels) with a margin along either axis, within the slice."""
    spacing = (grid.spacing_mm[0], grid.spacing_mm[1])
    found = [np.asarray(p, np.float64) for p in points if len(p)]
    if not found:
        return Frame((0, 0), (grid.shape[0], grid.shape[1]), spacing)
    every = np.concatenate(found)
    margin = np.asarray(margin_mm) / spacing
    low = np.clip(np.floor(every.min(0) - margin), 0, None).astype(int)
    high = np.clip(np.ceil(every.max(0) + margin) + 1, None, grid.shape[:2]).astype(int)
    return Frame((int(low[0]), int(low[1])), (int(high[0]), int(high[1])), spacing)


def frame_of_joints(joints: Joints, numbers: Iterable[int]) -> Frame:
    """The frame of both joints on the slices `numbers` (reading frame)."""
    numbers = tuple(numbers)
    found = [joint.slices.get(k) for joint in (joints.left, joints.right) for k in numbers]
    return frame_around(joints.grid, [there.midline for there in found if there is not None], MARGIN_MM)


def letters(direction: NDArray[np.floating]) -> str:
    """The patient directions that a RAS vector points to, strongest first: "S", or "SA" where it is tilted."""
    unit = np.asarray(direction, np.float64) / np.linalg.norm(direction)
    order = np.argsort(-np.abs(unit), kind="stable")[:2]
    named = [_LETTERS[axis][int(unit[axis] > 0)] for axis in order if abs(unit[axis]) >= _SECOND_LETTER_FROM]
    return "".join(named)


@dataclass(frozen=True)
class Edges:
    """Orientation letters at the four edges of the picture."""

    left: str
    right: str
    top: str
    bottom: str


def edges_of(grid: Grid) -> Edges:
    """The letters of a grid in the reading frame; left and right of the patient come from the affine alone."""
    i, j = grid.directions[:, 0], grid.directions[:, 1]
    return Edges(left=letters(-i), right=letters(i), top=letters(j), bottom=letters(-j))
