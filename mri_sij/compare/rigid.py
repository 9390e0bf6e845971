"""Rigid motion between two visits, found by laying the surfaces of bones on one another.

A motion takes RAS mm of the baseline to RAS mm of the follow-up. Both directions count alike: points of the baseline's
surface against the follow-up's distances and the reverse, so that neither visit is the model. Points that the other
visit's field of view does not hold say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from mri_sij.compare.surface import Surface
from mri_sij.geometry import Floats

_OUTLIER_MM = 1.5
"""Distances beyond this count by their size, not their square: segmentations err locally by a few millimetres."""

_FACING_WEIGHT = 2.0
"""The joint's surfaces count this much more than the rest of the bone: it is there that oedema is compared."""


@dataclass(frozen=True, eq=False)
class Pair:
    """One bone in both visits with the points of each surface that take part."""

    baseline: Surface
    followup: Surface
    baseline_points: Floats
    followup_points: Floats
    baseline_weights: Floats
    followup_weights: Floats


def pair_up(baseline: Surface, followup: Surface, points: int) -> Pair:
    """The two surfaces of a bone with about `points` evenly taken points of each."""
    first, second = _thin(baseline, points), _thin(followup, points)
    return Pair(baseline, followup, first[0], second[0], first[1], second[1])


def matrix_of(parameters: Floats, centre: Floats) -> Floats:
    """4x4 motion: rotation vector (degrees) about `centre` (RAS mm), then a shift (mm)."""
    turn = Rotation.from_rotvec(parameters[:3], degrees=True).as_matrix()
    motion = np.eye(4)
    motion[:3, :3] = turn
    motion[:3, 3] = centre - turn @ centre + parameters[3:]
    return motion


def move(motion: Floats, points: Floats) -> Floats:
    """Points (n, 3) RAS mm after a 4x4 motion."""
    return np.asarray(points @ motion[:3, :3].T + motion[:3, 3])


def invert(motion: Floats) -> Floats:
    """The motion back."""
    back = np.eye(4)
    back[:3, :3] = motion[:3, :3].T
    back[:3, 3] = -motion[:3, :3].T @ motion[:3, 3]
    return back


def fit(
    pairs: Sequence[Pair], start: Floats, *, held_to_start: tuple[float, float] | None = None
) -> tuple[Floats, float]:
    """The motion (4x4) near `start` that lays the surfaces on one another, and its cost (mean, mm, outliers linear).

    `held_to_start` is the standard deviation (degrees, mm) within which the motion is expected around `start`: a
    cropped plate of bone slides along itself unless something holds it.
    """
    centre = np.concatenate([pair.baseline_points for pair in pairs]).mean(0)
    scale = sum(float(pair.baseline_weights.sum() + pair.followup_weights.sum()) for pair in pairs)

    def residuals(parameters: Floats) -> Floats:
        motion = start @ matrix_of(parameters, centre)
        parts = [_residuals(pair, motion, invert(motion)) for pair in pairs]
        if held_to_start is not None:
            held = parameters / np.repeat(held_to_start, 3) * np.sqrt(0.02 * scale)
            parts.append(held)
        return np.concatenate(parts)

    found = least_squares(
        residuals, np.zeros(6), x_scale=1.0, diff_step=[1e-3], loss="soft_l1", f_scale=_OUTLIER_MM, xtol=1e-4, ftol=1e-5
    )
    return start @ matrix_of(found.x, centre), float(np.sqrt(2 * found.cost / scale))


def distances(pair: Pair, motion: Floats, *, facing: bool) -> tuple[Floats, float]:
    """Unsigned distances (mm, both directions) of points that both visits see, and the share (0-1) of such points."""
    found, share = [], []
    for own, other, way in ((pair.baseline, pair.followup, motion), (pair.followup, pair.baseline, invert(motion))):
        points = own.points[own.facing] if facing else own.points
        distance, seen = other.at(move(way, points))
        found.append(np.abs(distance[seen]))
        share.append(float(seen.mean()) if len(seen) else 0.0)
    return np.concatenate(found), min(share)


def _residuals(pair: Pair, there: Floats, back: Floats) -> Floats:
    out, seen = pair.followup.at(move(there, pair.baseline_points))
    home, known = pair.baseline.at(move(back, pair.followup_points))
    first = np.where(seen, out, 0.0) * np.sqrt(pair.baseline_weights)
    second = np.where(known, home, 0.0) * np.sqrt(pair.followup_weights)
    return np.concatenate([first, second])


def _thin(surface: Surface, points: int) -> tuple[Floats, Floats]:
    every = max(1, len(surface.points) // points)
    chosen: NDArray[np.bool_] = surface.facing[::every]
    return surface.points[::every], np.where(chosen, _FACING_WEIGHT, 1.0)
