"""The plane of a stack of slices, from its affine alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mri_sij.geometry import Floats, Grid

CORONAL_WITHIN_DEG = 10.0
"""A stack tilted less from the coronal plane counts as plainly coronal."""

OBLIQUE_CORONAL_UP_TO_DEG = 70.0
"""The dorsal cortex of S2 leans 25 to 65 degrees from the coronal plane (domain facts, section 3: measured 25 to 51);
a stack tilted further than this along the sacrum is axial."""

SAGITTAL_COSINE = 0.7
"""A slice normal nearer than 45 degrees to the left-right axis makes a sagittal stack."""


@dataclass(frozen=True)
class Plane:
    """`name` is "coronal", "oblique coronal", "axial", "oblique axial" or "sagittal".

    `tilt_deg` is the angle from the coronal plane about the left-right axis, positive where the upper end of the
    slices leans backward, as the sacrum does.
    """

    name: str
    tilt_deg: float


def plane_of(grid: Grid) -> Plane:
    """The plane of the grid's slices."""
    normal = _normal(grid)
    if normal[1] > 0:
        normal = -normal
    # The normal now looks backward; along a sacrum that leans backward above it also looks up.
    tilt = float(np.degrees(np.arctan2(normal[2], max(-normal[1], 1e-12))))
    if abs(normal[0]) > SAGITTAL_COSINE:
        return Plane("sagittal", tilt)
    if abs(tilt) <= CORONAL_WITHIN_DEG:
        return Plane("coronal", tilt)
    if -2 * CORONAL_WITHIN_DEG <= tilt <= OBLIQUE_CORONAL_UP_TO_DEG:
        return Plane("oblique coronal", tilt)
    return Plane("axial" if abs(tilt) > 80 else "oblique axial", tilt)


def angle_between_deg(one: Grid, other: Grid) -> float:
    """Angle between two stacks' slice normals, 0 to 90 degrees."""
    cosine = abs(float(_normal(one) @ _normal(other)))
    return float(np.degrees(np.arccos(min(cosine, 1.0))))


def _normal(grid: Grid) -> Floats:
    """Unit normal (3,) of the slices in RAS, of either sign."""
    axes = [axis for axis in range(3) if axis != grid.slice_axis]
    normal = np.cross(grid.directions[:, axes[0]], grid.directions[:, axes[1]])
    return np.asarray(normal / np.linalg.norm(normal))
