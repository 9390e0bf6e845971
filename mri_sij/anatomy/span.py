"""Where a mask begins and ends: along an axis, and the box that holds it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Box = tuple[slice, slice, slice]
Mask = NDArray[np.bool_]


def span(there: Mask | np.bool_) -> slice:
    """From the first to just after the last place of (n,) that is true; an empty slice where none is."""
    at = np.flatnonzero(there)
    return slice(int(at[0]), int(at[-1]) + 1) if len(at) else slice(0, 0)


def box_around(mask: Mask, margins: tuple[int, int, int]) -> Box:
    """The smallest box that holds `mask`, wider by so many voxels on either side as far as the array goes."""
    bounds = []
    for axis, margin in enumerate(margins):
        found = span(mask.any(tuple(a for a in range(3) if a != axis)))
        bounds.append(slice(max(found.start - margin, 0), min(found.stop + margin, mask.shape[axis])))
    return bounds[0], bounds[1], bounds[2]


def box_within(mask: Mask, reach_mm: float, spacing_mm: tuple[float, float, float]) -> Box:
    """The same, wider by `reach_mm`."""
    x, y, z = (int(np.ceil(reach_mm / mm)) for mm in spacing_mm)
    return box_around(mask, (x, y, z))
