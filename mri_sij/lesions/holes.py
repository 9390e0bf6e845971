"""Lesions without their pores."""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from mri_sij.anatomy.span import Mask


def filled(mask: Mask) -> Mask:
    """A plane's `mask` (2D) with its holes: what cannot be left sideways or up and down without crossing it.

    As scipy's `binary_fill_holes`, which repeats a dilation until nothing changes and takes up to four times as long.
    """
    around, _ = ndi.label(np.pad(~mask, 1, constant_values=True))
    return np.asarray(around[1:-1, 1:-1] != around[0, 0])
