"""The gain of the receive coils, from tissue whose signal should be the same everywhere.

A local field (smoothed marrow) swallows a lesion that floods a bone; a stiff one leaves the flare of the coil. Here the
field is a low-order polynomial of the logarithm, fitted at once to bone and to muscle, each with a level of its
own: muscle tells the left from the right gain where one whole bone is bright. The fit is a redescending M-estimate
(Geman and McClure 1987), annealed from a wide to a narrow scale, so that lesions, however large, end with little
weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri_sij.geometry import Floats, Grid

BLOCK_MM = 5.0
"""Side of the squares whose medians are fitted: averages out noise, still smaller than a normal bone is thick."""

_PLANE_UNIT_MM, _DEPTH_UNIT_MM = 100.0, 40.0
_EVEN_PENALTY, _ODD_PENALTY = 0.003, 0.004
_FINAL_SCALE, _FIRST_SCALE, _COOLING, _ROUNDS = 0.15, 0.5, 0.8, 20
_INLIER_LOG = 0.3
_LEAST = 1e-6
"""Squares without signal count as this share of the usual one: an outlier, on any scale."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """Medians of a tissue in squares of `BLOCK_MM`: `value` (n,) and `index` (n, 3), the square's middle in voxels."""

    value: Floats
    index: Floats


@dataclass(frozen=True, eq=False)
class CoilField:
    """Fitted log gain over a grid: `coefficients` of `_terms`, levels of bone (in it) and of muscle relative to
    bone."""

    coefficients: Floats
    centre: Floats
    grid: Grid
    inlier_fraction: float
    muscle_to_marrow: float | None

    def bone_signal(self) -> NDArray[np.float32]:
        """Signal of normal marrow at every voxel of the grid, float32."""
        axes = [
            _scaled(np.arange(n, dtype=float), self.centre[a], self.grid.spacing_mm[a], a)
            for a, n in enumerate(self.grid.shape)
        ]
        x, y, z = (a.astype(np.float32) for a in axes)
        log = np.zeros(self.grid.shape, np.float32)
        for power in range(3):
            plane = np.zeros((len(y), len(z)), np.float32)
            for c, (px, py, pz) in zip(self.coefficients.astype(np.float32), _POWERS, strict=True):
                if px == power:
                    plane += c * y[:, None] ** py * z[None, :] ** pz
            log += (x**power)[:, None, None] * plane
        return np.exp(log, out=log)

    def at(self, index: Floats) -> Floats:
        """Signal of normal marrow at voxel indices (n, 3), fractional allowed."""
        return np.asarray(np.exp(_terms(index, self.centre, self.grid) @ self.coefficients))


# Powers of left, up and back. The first nine are even in left-right, as a person and a spine coil are; the last
# three are not.
_POWERS = (
    (0, 0, 0), (0, 1, 0), (0, 0, 1), (2, 0, 0), (0, 2, 0), (0, 0, 2), (0, 1, 1), (2, 0, 1), (2, 1, 0),
    (1, 0, 0), (1, 1, 0), (1, 0, 1),
)  # fmt: skip


def _scaled(index: Floats, centre: float, spacing: float, axis: int) -> Floats:
    return (index - centre) * spacing / (_DEPTH_UNIT_MM if axis == 2 else _PLANE_UNIT_MM)


def blocks(signal: NDArray[np.float32], tissue: NDArray[np.bool_], grid: Grid, share: float) -> Blocks:
    """Median signal of every in-plane square that is `tissue` to at least `share` (0-1) of its voxels."""
    n, m = (max(1, round(BLOCK_MM / s)) for s in grid.spacing_mm[:2])
    x, y = signal.shape[0] // n, signal.shape[1] // m

    def squares(array: NDArray[np.generic]) -> NDArray[np.generic]:
        cut = array[: x * n, : y * m].reshape(x, n, y, m, -1)
        return cut.transpose(0, 2, 4, 1, 3).reshape(x, y, array.shape[2], n * m)

    inside = np.asarray(squares(tissue), bool)
    enough = inside.mean(-1) >= share
    values = np.where(inside[enough], np.asarray(squares(signal), float)[enough], np.nan)
    place = np.argwhere(enough).astype(float)
    place[:, :2] = (place[:, :2] + 0.5) * (n, m) - 0.5
    return Blocks(np.nanmedian(values, axis=-1) if len(values) else np.zeros(0), place)


def fit_field(bone: Blocks, muscle: Blocks, grid: Grid, middle_i: float) -> CoilField:
    """The field that most bone and muscle agree on; `middle_i` is the voxel index of the patient's midline.

    Bone and muscle weigh the same, however much there is of each. Odd left-right terms are held back a little, so
    that with little muscle a bright side is taken for a lesion rather than for the coil.
    """
    centre = np.array([middle_i, (grid.shape[1] - 1) / 2, (grid.shape[2] - 1) / 2])
    index = np.concatenate([bone.index, muscle.index])
    is_muscle = np.repeat([False, True], [len(bone.value), len(muscle.value)])
    value = np.concatenate([bone.value, muscle.value])
    usual = np.median(value[value > 0]) if (value > 0).any() else 1.0
    log = np.log(np.maximum(value, _LEAST * usual))
    design = np.concatenate([_terms(index, centre, grid), is_muscle[:, None]], 1)
    base = np.where(is_muscle, len(bone.value) / max(len(muscle.value), 1), 1.0)
    penalty = np.array([1e-9] + [_EVEN_PENALTY] * 8 + [_ODD_PENALTY] * 3 + [1e-9]) * len(bone.value)
    weight, scale = base, _FIRST_SCALE
    solution = np.zeros(design.shape[1])
    residual = log
    for _ in range(_ROUNDS):
        weighted = weight[:, None] * design
        solution = np.linalg.solve(weighted.T @ design + np.diag(penalty), weighted.T @ log)
        residual = log - design @ solution
        weight = base / (1 + (residual / scale) ** 2) ** 2
        scale = max(scale * _COOLING, _FINAL_SCALE)
    inliers = float(np.mean(np.abs(residual[~is_muscle]) < _INLIER_LOG))
    ratio = float(np.exp(solution[-1])) if len(muscle.value) else None
    return CoilField(solution[:-1], centre, grid, inliers, ratio)


def _terms(index: Floats, centre: Floats, grid: Grid) -> Floats:
    x, y, z = (_scaled(index[:, n], centre[n], grid.spacing_mm[n], n) for n in range(3))
    return np.stack([x**a * y**b * z**c for a, b, c in _POWERS], 1)
