"""Where the sacrum may go on below S3, where the shape model of the pelvis ends: S4, S5 and coccyx on a curved axis.

Sizes are those of the simulated patients (`mri_sij.phantom.body`), all their courses together: this tells where there
is certainly no sacrum, not where it is.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mri_sij.pelvis.model import Floats, load_model

_S3_YZ, _ENDPLATE_YZ = (49.0, 0.5), (-2.5, 43.0)
"""Middle of S3 and of the upper end plate of S1 in the mid-sagittal plane of the mean shape (y, z)."""
_TURNS_PER_MM = (0.012, 0.019, 0.026)
_LENGTH_MM, _STEP_MM, _OVERLAP_MM = 80.0, 4.0, 8.0
_PARTS = (0.0, 0.25, 0.5, 0.65, 1.0)
_HALF_WIDTH, _THICK_MM = (0.95, 0.85, 0.5, 0.32, 0.12), (8.0, 6.8, 5.4, 4.5, 3.0)


def beyond_lower_sacrum_mm(points: Floats) -> Floats:
    """Distance (n,) of points (n, 3) of the model's frame from the lower sacrum and coccyx, negative inside."""
    x, y, z = np.ascontiguousarray(points.T, np.float32)
    x = np.abs(x)
    out = np.full(len(points), np.inf, np.float32)
    for plate in _plates():
        middle_y, middle_z, reach, thick = (np.float32(mm) for mm in plate)
        away = np.maximum(x - reach, 0) ** 2
        away += (y - middle_y) ** 2
        away += (z - middle_z) ** 2
        np.minimum(out, np.sqrt(away, out=away) - thick, out=out)
    return out.astype(np.float64)


@lru_cache(maxsize=1)
def _plates() -> tuple[tuple[float, float, float, float], ...]:
    """Rounded plates from side to side along the axis: y, z, half their flat width and their thickness, in mm."""
    up = np.subtract(_ENDPLATE_YZ, _S3_YZ)
    up = up / np.linalg.norm(up)
    back = np.array([up[1], -up[0]])
    sacrum = load_model().mean[0]
    low = sacrum[(sacrum[:, 1:] - _S3_YZ) @ up < _OVERLAP_MM / 2]
    width = float(np.percentile(np.abs(low[:, 0]), 90))
    plates = []
    for turn in _TURNS_PER_MM:
        point, angle = np.array(_S3_YZ) + _OVERLAP_MM * up, 0.0
        for part in np.arange(0, 1 + 1e-9, _STEP_MM / _LENGTH_MM):
            thick = float(np.interp(part, _PARTS, _THICK_MM))
            reach = max(width * float(np.interp(part, _PARTS, _HALF_WIDTH)) - thick, 0.5)
            plates.append((float(point[0]), float(point[1]), reach, thick))
            angle += turn * _STEP_MM
            point = point + _STEP_MM * (-np.cos(angle) * up - np.sin(angle) * back)
    return tuple(plates)
