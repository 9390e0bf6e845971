"""The joints: midline, facing margins, height, and which part is covered by cartilage, slice by slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.labels import LEFT_ILIUM, RIGHT_ILIUM, SACRUM
from mri_sij.config import AnatomySettings
from mri_sij.evidence import Side
from mri_sij.geometry import Grid
from mri_sij.volume import LabelMap

Floats = NDArray[np.float64]
ILIUM_OF = {Side.LEFT: LEFT_ILIUM, Side.RIGHT: RIGHT_ILIUM}
_BRIDGED_MM = 5.0
_SMOOTH_MM = 3.0


@dataclass(frozen=True, eq=False)
class JointSlice:
    """One joint on one slice of the reading frame.

    `midline`, `sacral_margin` and `iliac_margin` are (n, 2) voxel positions (i, j) from the lower to the upper end;
    `gap_mm` (n,) is the width at each. `cartilaginous` (n,) says where the gap is narrow enough to be covered by
    cartilage; `height_mm` is the vertical extent of that part, `facing_mm` that of all bone facing across the joint.
    """

    slice_number: int
    midline: Floats
    sacral_margin: Floats
    iliac_margin: Floats
    gap_mm: Floats
    cartilaginous: NDArray[np.bool_]
    height_mm: float
    facing_mm: float

    @property
    def cartilaginous_fraction(self) -> float:
        """Share (0-1) of the facing height that is cartilaginous."""
        return self.height_mm / self.facing_mm if self.facing_mm else 0.0


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


def find_joints(labels: LabelMap, settings: AnatomySettings) -> Joints:
    """Both joints from the bones' labels (reading frame).

    The midline is where a voxel is as far from the sacrum as from the ilium, between facing margins no more than
    `joint_reach_mm` apart; it is followed row by row up the image, bridged over short breaks, and smoothed along itself
    and lightly with the slices beside.
    """
    found = {side: _find_joint(labels, side, settings) for side in Side}
    return Joints(labels.grid, found[Side.LEFT], found[Side.RIGHT])


def _find_joint(labels: LabelMap, side: Side, settings: AnatomySettings) -> Joint:
    spacing = labels.grid.spacing_mm
    raw: dict[int, tuple[Floats, Floats]] = {}
    for k in range(labels.grid.shape[2]):
        plane = labels.data[:, :, k]
        rows = _rows(plane == SACRUM, plane == ILIUM_OF[side], spacing[:2], settings.joint_reach_mm)
        if rows is not None:
            raw[k] = rows
    slices = {}
    for k, (columns, gaps) in raw.items():
        beside = [raw[n][0] for n in (k - 1, k + 1) if n in raw]
        made = _joint_slice(k, _with_neighbours(columns, beside), gaps, side, spacing, settings)
        if made is not None:
            slices[k] = made
    return Joint(side, slices)


def _rows(sacrum: NDArray[np.bool_], ilium: NDArray[np.bool_], spacing: tuple[float, float], reach_mm: float) -> tuple[Floats, Floats] | None:
    """Column of the midline and width of the gap for each row, NaN where the bones do not face each other; None without a joint."""
    if not sacrum.any() or not ilium.any():
        return None
    margin = round(reach_mm / min(spacing)) + 2
    grown = ndi.binary_dilation(sacrum, iterations=margin) & ndi.binary_dilation(ilium, iterations=margin)
    where = np.argwhere(grown)
    if not len(where):
        return None
    lo, hi = np.maximum(where.min(0) - margin, 0), where.max(0) + margin + 1
    box = (slice(lo[0], hi[0]), slice(lo[1], hi[1]))
    to_sacrum = ndi.distance_transform_edt(~sacrum[box], spacing)
    to_ilium = ndi.distance_transform_edt(~ilium[box], spacing)
    # Inside the other bone the distance goes on, so that the zero level is the middle even where the labels touch.
    to_sacrum = to_sacrum - ndi.distance_transform_edt(sacrum[box], spacing)
    to_ilium = to_ilium - ndi.distance_transform_edt(ilium[box], spacing)
    difference, total = to_sacrum - to_ilium, to_sacrum + to_ilium
    columns, gaps = np.full(sacrum.shape[1], np.nan), np.full(sacrum.shape[1], np.nan)
    crossing = np.signbit(difference[1:]) != np.signbit(difference[:-1])
    narrow = np.minimum(total[1:], total[:-1])
    cost = np.where(crossing & (narrow <= reach_mm), narrow, np.inf)
    best = cost.argmin(0)
    for j in np.flatnonzero(np.isfinite(cost.min(0))):
        a, b = difference[best[j], j], difference[best[j] + 1, j]
        columns[lo[1] + j] = lo[0] + best[j] + a / (a - b)
        gaps[lo[1] + j] = max(float(narrow[best[j], j]), 0.0)
    return (columns, gaps) if np.isfinite(columns).sum() >= 3 else None


def _with_neighbours(columns: Floats, beside: list[Floats]) -> Floats:
    """Columns averaged with the slices beside, where these agree within 3 voxels; their own weight is two thirds."""
    total, weight = 2 * columns, np.full(len(columns), 2.0)
    for other in beside:
        close = np.isfinite(other) & (np.abs(other - columns) < 3)
        total = np.where(close, total + 0.5 * other, total)
        weight = np.where(close, weight + 0.5, weight)
    return np.asarray(total / weight)


def _joint_slice(k: int, columns: Floats, gaps: Floats, side: Side, spacing: tuple[float, float, float], settings: AnatomySettings) -> JointSlice | None:
    known = np.flatnonzero(np.isfinite(columns))
    known = _longest_run(known, round(_BRIDGED_MM / spacing[1]))
    if len(known) < 3:
        return None
    rows = np.arange(known[0], known[-1] + 1)
    sigma = _SMOOTH_MM / spacing[1]
    x = ndi.gaussian_filter1d(np.interp(rows, known, columns[known]), sigma, mode="nearest")
    gap = ndi.gaussian_filter1d(np.interp(rows, known, gaps[known]), sigma, mode="nearest")
    slope = np.gradient(x * spacing[0], spacing[1]) if len(rows) > 1 else np.zeros(1)
    length = np.sqrt(1 + slope**2)
    outward = 1 if side is Side.LEFT else -1
    half = gap[:, None] / 2 * np.stack([1 / length / spacing[0], -slope / length / spacing[1]], 1) * outward
    midline = np.stack([x, rows.astype(float)], 1)
    cartilage = np.zeros(len(rows), bool)
    narrow = _longest_run(np.flatnonzero(gap <= settings.cartilage_gap_mm), round(_BRIDGED_MM / spacing[1]))
    if len(narrow):
        cartilage[narrow[0] : narrow[-1] + 1] = True
    return JointSlice(
        k, midline, midline - half, midline + half, gap, cartilage, float(cartilage.sum() * spacing[1]), float(len(rows) * spacing[1])
    )


def _longest_run(rows: NDArray[np.intp], bridged: int) -> NDArray[np.intp]:
    """The longest run of rising numbers in which no more than `bridged` are missing in a row."""
    if not len(rows):
        return rows
    runs = np.split(rows, np.flatnonzero(np.diff(rows) > bridged + 1) + 1)
    return max(runs, key=len)
