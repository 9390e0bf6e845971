"""A smooth surface through scattered, partly wrong measurements on a regular grid: a robust penalized spline."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from mri_sij.geometry import Floats

_ROUNDS = 4


def smooth_surface(values: Floats, weights: Floats, stiffness: tuple[float, float], scale: float) -> Floats:
    """Surface of shape (n, m) that minimizes weighted squared misfit plus squared second differences along both axes.

    Grid points of weight 0 are filled in: between measurements smoothly, beyond them straight on. `stiffness` (>= 0)
    weighs the penalty along each axis against a measurement of weight 1. Misfits beyond `scale` (unit of `values`) lose
    weight from round to round (Geman-McClure), so that single leaps are ignored.
    """
    n, m = values.shape
    penalty = stiffness[0] * _bending(n, m, 0) + stiffness[1] * _bending(n, m, 1)
    # A trace of stiffness against tilting keeps the equations solvable where there are hardly any measurements.
    penalty = penalty + 1e-6 * sparse.identity(n * m)
    measured = np.where(weights > 0, values, 0.0).ravel()
    weight, surface = weights.ravel().astype(float), np.zeros(n * m)
    for round_number in range(_ROUNDS):
        middle = float(np.average(measured, weights=weight)) if weight.sum() else 0.0
        system = (sparse.diags(weight) + penalty).tocsc()
        surface = spsolve(system, weight * (measured - middle)) + middle
        if round_number + 1 < _ROUNDS:
            misfit = (measured - surface) / scale
            weight = weights.ravel() / (1 + misfit**2) ** 2
    return np.asarray(surface.reshape(n, m))


def _bending(n: int, m: int, axis: int) -> sparse.csr_array:
    """Sum of squared second differences along `axis` of an (n, m) grid as a quadratic form."""
    size = (n, m)[axis]
    if size < 3:
        return sparse.csr_array((n * m, n * m))
    second = sparse.diags_array([1.0, -2.0, 1.0], offsets=[0, 1, 2], shape=(size - 2, size))
    other = sparse.eye_array((m, n)[axis])
    full = sparse.kron(second, other) if axis == 0 else sparse.kron(other, second)
    return sparse.csr_array(full.T @ full)
