"""The joints: midline, facing margins, height, and which part is covered by cartilage, slice by slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri_sij.anatomy.cartilage import behind_mm, covered_by_cartilage, marked_beside, ridge_across
from mri_sij.anatomy.labels import LEFT_ILIUM, RIGHT_ILIUM
from mri_sij.anatomy.margins import HALF_GAP_MM, Facing, facing_margins
from mri_sij.anatomy.shape import Shape
from mri_sij.anatomy.span import Mask
from mri_sij.anatomy.surface import smooth_surface
from mri_sij.config import AnatomySettings
from mri_sij.evidence import Side
from mri_sij.geometry import Floats, Grid
from mri_sij.volume import LabelMap, Volume

ILIUM_OF = {Side.LEFT: LEFT_ILIUM, Side.RIGHT: RIGHT_ILIUM}

_BIN_MM = 2.0
_BENDING_MM = (2.0, 2.0)
"""Waves of the joint's surface shorter than about six times this (up and through the slices) are smoothed away."""
_OUTLIER_MM = 2.0
_BRIDGED_MM = 5.0
_LEAST_PART_MM = 6.0
"""Cartilaginous parts apart from the largest one count from this height: shorter ones are specks."""


@dataclass(frozen=True, eq=False)
class JointSlice:
    """One joint on one slice of the reading frame.

    `midline`, `sacral_margin` and `iliac_margin` are (n, 2) voxel positions (i, j) from the lower to the upper end;
    `gap_mm` (n,) is the width at each, in the slice. `cartilaginous` (n,) says where the joint is narrow enough to be
    covered by cartilage; `height_mm` is the vertical extent of that part from its lowest to its highest point,
    `covered_mm` its height without what lies between its parts, `facing_mm` that of all bone facing across the joint.
    """

    slice_number: int
    midline: Floats
    sacral_margin: Floats
    iliac_margin: Floats
    gap_mm: Floats
    cartilaginous: NDArray[np.bool_]
    height_mm: float
    covered_mm: float
    facing_mm: float

    @property
    def cartilaginous_fraction(self) -> float:
        """Share (0-1) of the facing height that is cartilaginous."""
        return self.covered_mm / self.facing_mm if self.facing_mm else 0.0


@dataclass(frozen=True, eq=False)
class Joint:
    """One side's joint by slice number."""

    side: Side
    slices: Mapping[int, JointSlice]


@dataclass(frozen=True, eq=False)
class Joints:
    """Both joints of a visit, in the reading frame of `grid`."""

    grid: Grid
    left: Joint
    right: Joint

    def of(self, side: Side) -> Joint:
        """The joint of a side."""
        return self.left if side is Side.LEFT else self.right


@dataclass(frozen=True, eq=False)
class _Course:
    """A joint by row and slice: column of its midline, where bones face each other beside it, where with cartilage."""

    column: Floats
    near: NDArray[np.bool_]
    covered: NDArray[np.bool_]


def find_joints(
    labels: LabelMap,
    settings: AnatomySettings,
    t1: Volume | None = None,
    shape: Shape | None = None,
    cartilage: Mask | None = None,
) -> Joints:
    """Both joints from the bones' labels (reading frame); `t1` on the same grid and the `shape` fitted to the bones
    help to tell cartilage from ligament, unless `cartilage` marks it.

    The midline lies half-way between facing margins no more than `joint_reach_mm` apart; a smooth surface through
    the midlines of all slices takes out what single slices or rows got wrong.
    """
    found = {side: _find_joint(labels, side, settings, t1, shape, cartilage) for side in Side}
    return Joints(labels.grid, found[Side.LEFT], found[Side.RIGHT])


def _find_joint(
    labels: LabelMap,
    side: Side,
    settings: AnatomySettings,
    t1: Volume | None,
    shape: Shape | None,
    cartilage: Mask | None,
) -> Joint:
    facing = facing_margins(labels, ILIUM_OF[side], settings.joint_reach_mm)
    known = np.isfinite(facing.column)
    if not known.any():
        return Joint(side, {})
    spacing = labels.grid.spacing_mm
    column = _surface(facing, spacing)
    near = known & (np.abs(facing.column - column) * spacing[0] < settings.joint_reach_mm / 2)
    gap = np.where(near, _square_gap(facing, column, spacing), np.nan)
    middle = np.where(near, column, np.nan)
    if cartilage is None:
        ridge = None if t1 is None else ridge_across(t1, labels, middle)
        behind = None if shape is None else behind_mm(shape, labels.grid, middle)
        covered = covered_by_cartilage(gap, behind, ridge, spacing, settings)
    else:
        covered = marked_beside(cartilage, middle, spacing[0], settings.joint_reach_mm / 2)
    course = _Course(column, near, covered)
    slices = {}
    for k in np.flatnonzero(known.sum(0) >= 3):
        made = _joint_slice(int(k), facing, course, side, spacing, settings.joint_reach_mm)
        if made is not None:
            slices[int(k)] = made
    return Joint(side, slices)


def _surface(facing: Facing, spacing: tuple[float, float, float]) -> Floats:
    """Smoothed column of the midline by row and slice, NaN on slices without a joint."""
    known = np.isfinite(facing.column)
    step = max(1, round(_BIN_MM / spacing[1]))
    bins = -(-known.shape[0] // step)
    weight = np.where(known, 1 / (1 + (np.nan_to_num(facing.gap_mm) / 4) ** 2), 0.0)
    which = np.arange(known.shape[0]) // step
    total, sums = np.zeros((bins, known.shape[1])), np.zeros((bins, known.shape[1]))
    np.add.at(total, which, weight)
    np.add.at(sums, which, weight * np.nan_to_num(facing.column))
    rows, slices = np.flatnonzero(total.any(1)), np.flatnonzero(total.any(0))
    box = np.ix_(np.arange(rows[0], rows[-1] + 1), np.arange(slices[0], slices[-1] + 1))
    values = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)[box]
    stiffness = (_BENDING_MM[0] / (step * spacing[1])) ** 4, (_BENDING_MM[1] / spacing[2]) ** 4
    smooth = smooth_surface(values * spacing[0], total[box] / step, stiffness, _OUTLIER_MM) / spacing[0]
    out = np.full(known.shape, np.nan)
    centres = (np.arange(rows[0], rows[-1] + 1) + 0.5) * step - 0.5
    for n, k in enumerate(range(slices[0], slices[-1] + 1)):
        out[:, k] = np.interp(np.arange(known.shape[0]), centres, smooth[:, n])
    return out


def _joint_slice(
    k: int, facing: Facing, course: _Course, side: Side, spacing: tuple[float, float, float], reach_mm: float
) -> JointSlice | None:
    column, gaps, near = course.column[:, k], facing.gap_mm[:, k], course.near[:, k]
    up, _ = _slopes(course.column, k, spacing)
    parts = _parts(course.covered[:, k], spacing[1])
    facing_rows = _longest_run(np.flatnonzero(near), round(reach_mm / spacing[1]))
    if len(facing_rows) < 3:
        return None
    ends = np.flatnonzero(parts)
    first = min(facing_rows[0], ends[0]) if len(ends) else facing_rows[0]
    last = max(facing_rows[-1], ends[-1]) if len(ends) else facing_rows[-1]
    rows = np.arange(first, last + 1)
    gap = np.interp(rows, np.flatnonzero(near), gaps[near])
    length = np.sqrt(1 + up[rows] ** 2)
    outward = 1 if side is Side.LEFT else -1
    across = np.stack([1 / length / spacing[0], -up[rows] / length / spacing[1]], 1) * outward
    midline = np.stack([column[rows], rows.astype(float)], 1)
    to_ilium = np.minimum(gap / 2, HALF_GAP_MM)[:, None]
    covered = parts[rows]
    extent = (ends[-1] - ends[0] + 1) * spacing[1] if len(ends) else 0.0
    return JointSlice(
        k, midline, midline - (gap[:, None] - to_ilium) * across, midline + to_ilium * across,
        gap, covered, float(extent), float(covered.sum() * spacing[1]),
        float(len(rows) * spacing[1]),
    )  # fmt: skip


def _square_gap(facing: Facing, column: Floats, spacing: tuple[float, float, float]) -> Floats:
    """Gap (mm) square to the joint: in the slice, a joint that lies askew to it looks wider than it is."""
    out = np.full(column.shape, np.nan)
    for k in np.flatnonzero(np.isfinite(facing.column).any(0)):
        up, through = _slopes(column, int(k), spacing)
        out[:, k] = facing.gap_mm[:, k] * np.sqrt((1 + up**2) / (1 + up**2 + through**2))
    return out


def _slopes(surface: Floats, k: int, spacing: tuple[float, float, float]) -> tuple[Floats, Floats]:
    """Slope (mm/mm) of the joint's column up slice `k` and through the slices there."""
    up = np.gradient(surface[:, k]) * spacing[0] / spacing[1]
    beside = [n for n in (k - 1, k, k + 1) if 0 <= n < surface.shape[1] and np.isfinite(surface[:, n]).all()]
    run = max((beside[-1] - beside[0]) * spacing[2], spacing[2])
    return up, np.asarray((surface[:, beside[-1]] - surface[:, beside[0]]) * spacing[0] / run)


def _parts(covered: NDArray[np.bool_], row_mm: float) -> NDArray[np.bool_]:
    """Rows of the cartilaginous parts: short breaks bridged, specks beside the largest part dropped."""
    runs = _runs(np.flatnonzero(covered), round(_BRIDGED_MM / row_mm))
    out = np.zeros(len(covered), bool)
    longest = max((run[-1] - run[0] for run in runs), default=0)
    for run in runs:
        if run[-1] - run[0] == longest or (run[-1] - run[0] + 1) * row_mm >= _LEAST_PART_MM:
            out[run[0] : run[-1] + 1] = True
    return out


def _longest_run(rows: NDArray[np.intp], bridged: int) -> NDArray[np.intp]:
    return max(_runs(rows, bridged), key=len, default=rows)


def _runs(rows: NDArray[np.intp], bridged: int) -> list[NDArray[np.intp]]:
    """Runs of rising numbers in which no more than `bridged` are missing in a row."""
    if not len(rows):
        return []
    return np.split(rows, np.flatnonzero(np.diff(rows) > bridged + 1) + 1)
