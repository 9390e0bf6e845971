"""Which part of the joint is covered by cartilage, and which is the ligamentous recess behind and above it.

Three signs, because none is enough: in the recess the bones lie further apart, though segmenters often draw it hardly
wider than the joint; on T1 fat and ligaments stand bright between two dark plates of bone, where cartilage and plates
are one dark band, or grey between two lines; and it lies behind and above the auricular surface (spa-imaging.org,
normal anatomy; Egund and Jurik 2014, Semin Musculoskelet Radiol 18:332). Limits and steps are round numbers, chosen by
hand on simulated joints and on some traced on real T1 (docs/segmenter.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.shape import Shape
from mri_sij.anatomy.span import Mask
from mri_sij.config import AnatomySettings
from mri_sij.geometry import Floats, Grid
from mri_sij.volume import LabelMap, Volume

_TYPICAL_PERCENTILE, _OVER_TYPICAL_MM, _LEAST_LIMIT_MM = 30.0, 2.5, 3.5
"""Segmenters draw the joint wider or narrower than it is, so that a wide gap is one well over this joint's own."""
_GAP_STEP_MM, _BEHIND_STEP_MM, _MOST_BEHIND = 2.0, 10.0, 1.5
"""A gap wider by the first weighs as much as a place further behind and above by the second, up to the third of such
steps: place moves the limit of the gap by 3 mm at most."""
_RIDGE, _MOST_RIDGE = 0.25, 0.5
"""Rise of T1 between the plates, over marrow, that speaks neither for nor against cartilage; none, and twice as much,
weigh as much as a step of the gap."""
_SAMPLE_MM, _MIDDLE_MM, _PLATES_MM, _REACH_MM = 0.5, 5.0, 8.0, 12.0
"""T1 is sampled so finely; the rise is looked for up to the second from the midline, the plates up to the third, and
marrow from there to the last."""
_WIDEST_MM = 12.0
_SMOOTH_MM, _SMOOTH_SLICES = 3.0, 0.7


def ridge_across(t1: Volume, labels: LabelMap, column: Floats) -> Floats:
    """How far T1 rises, within 5 mm of the joint's midline, over the darker of the two darkest places on either side of
    the rise; as a share of the marrow 8-12 mm away. Near 0 where the joint is one dark band.

    `column` (rows, slices) is the midline's voxel position along i, NaN where there is none (NaN in the result too).
    """
    offsets_mm = np.arange(-_REACH_MM, _REACH_MM + _SAMPLE_MM / 2, _SAMPLE_MM)
    off_mm = np.abs(offsets_mm)
    rows, slices = np.nonzero(np.isfinite(column))
    i = column[rows, slices][:, None] + offsets_mm / labels.grid.spacing_mm[0]
    place = np.broadcast_arrays(i, rows[:, None], slices[:, None])
    across = ndi.map_coordinates(t1.values, place, order=1, mode="nearest")
    bone = t1.values[labels.data > 0]
    level = float(np.median(bone)) if bone.size else 0.0
    marrow = np.maximum(np.median(across[:, off_mm >= _PLATES_MM], axis=1), 0.3 * level if level > 0 else 1.0)
    near = ndi.gaussian_filter1d(across, 1.0, axis=1)[:, off_mm <= _PLATES_MM]
    over = near - np.maximum(_darkest_so_far(near), _darkest_so_far(near[:, ::-1])[:, ::-1])
    out = np.full(column.shape, np.nan)
    out[rows, slices] = over[:, off_mm[off_mm <= _PLATES_MM] <= _MIDDLE_MM].max(1) / marrow
    return out


def _darkest_so_far(across: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.minimum.accumulate(across, axis=1))


def behind_mm(shape: Shape, grid: Grid, column: Floats) -> Floats:
    """How far (mm) each place of the midline lies behind and above the middle of the pelvis's joints, whatever part of
    them the slices show; NaN where `column` (rows, slices) is."""
    out = np.full(column.shape, np.nan)
    rows, slices = np.nonzero(np.isfinite(column))
    out[rows, slices] = shape.behind_joints_mm(grid.world(np.stack([column[rows, slices], rows, slices], 1)))
    return out


def covered_by_cartilage(
    gap_mm: Floats,
    behind: Floats | None,
    ridge: Floats | None,
    spacing_mm: tuple[float, float, float],
    settings: AnatomySettings,
) -> Mask:
    """Rows and slices of the cartilaginous part.

    `gap_mm` (rows, slices) is the gap square to the joint, NaN where the bones do not face each other; `behind`
    (`behind_mm`, None where no pelvis was fitted) and `ridge` (`ridge_across`, None without T1) are of the same shape
    and known wherever the gap is.
    """
    facing = np.isfinite(gap_mm)
    if not facing.any():
        return facing
    typical = float(np.percentile(gap_mm[facing], _TYPICAL_PERCENTILE))
    limit = float(np.clip(typical + _OVER_TYPICAL_MM, _LEAST_LIMIT_MM, settings.cartilage_gap_mm))
    against = (np.minimum(gap_mm, _WIDEST_MM) - limit) / _GAP_STEP_MM
    if behind is not None:
        against += np.clip(behind / _BEHIND_STEP_MM, -_MOST_BEHIND, _MOST_BEHIND)
    if ridge is not None:
        against += np.minimum(ridge, _MOST_RIDGE) / _RIDGE - 1
    sigma = (_SMOOTH_MM / spacing_mm[1], _SMOOTH_SLICES)
    # Only the sign counts, so that the sum need not be divided by the smoothed weight.
    return np.asarray(facing & (ndi.gaussian_filter(np.where(facing, against, 0.0), sigma, mode="constant") < 0))


def marked_beside(cartilage: Mask, column: Floats, column_mm: float, reach_mm: float) -> Mask:
    """Rows and slices on which `cartilage`, as masks mark it, lies within `reach_mm` of the midline's `column` (NaN
    where there is none)."""
    away_mm = np.abs(np.arange(len(cartilage))[:, None, None] - column) * column_mm
    return np.asarray((cartilage & (away_mm <= reach_mm)).any(0))
