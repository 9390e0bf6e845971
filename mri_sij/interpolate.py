"""Linear interpolation of an array along one axis: quick, and in as little memory as it takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def along(array: NDArray[np.float32], axis: int, at: NDArray[np.float64]) -> NDArray[np.float32]:
    """`array` (float32) at the fractional indices `at` of `axis`; beyond its ends, what lies at the end."""
    last = array.shape[axis] - 1
    at = np.clip(at, 0, last)
    below = np.minimum(at.astype(int), max(last - 1, 0))
    part = (at - below).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(array.ndim)])
    lower: NDArray[np.float32]
    lower, upper = np.take(array, below, axis), np.take(array, np.minimum(below + 1, last), axis)
    lower *= 1 - part
    upper *= part
    lower += upper
    return lower
