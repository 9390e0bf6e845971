"""Where a mask begins and ends along an axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def span(there: NDArray[np.bool_] | np.bool_) -> slice:
    """From the first to just after the last place of (n,) that is true; an empty slice where none is."""
    at = np.flatnonzero(there)
    return slice(int(at[0]), int(at[-1]) + 1) if len(at) else slice(0, 0)
