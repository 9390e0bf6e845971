"""How much is left of oedema that the follow-up's own reading does not call."""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from mri_sij.anatomy.span import Mask
from mri_sij.lesions.search import Field, Search

_AROUND_MM = 10.0
"""Bone this far around a lesion (in the plane) shows where it ends."""
_ENOUGH = 0.5
"""Least of such bone, as a share of the lesion (our choice, on simulated pairs: what had gone and seemed to be left had
0.4 of it at most, what had faded 0.6 and more)."""


def mean_left(lesion: Mask, first: Field, second: Field) -> float:
    """Share of the excess over normal marrow that `lesion` shows at the follow-up, on the whole. Uneven marrow counts
    with it: of what has gone up to two fifths seem to be left."""
    weight = np.maximum(first[lesion], 0)
    return float((weight * second[lesion]).sum() / max(float((weight**2).sum()), 1e-6))


def form_left(lesion: Mask, around: Mask, first: Field, second: Field, search: Search) -> float:
    """Share of the excess with which `lesion` still has its form at the follow-up, 0 where nothing of it is left.

    `first` and `second` are the contrasts of baseline and follow-up. What they differ by has the lesion's form and not
    that of the marrow, which is as uneven at both visits. Of a lesion that has gone the follow-up shows marrow alone,
    which has no such form; of one that has faded, a slope of the follow-up on that difference remains. Fitted within
    the lesion and the bone of `around` up to 10 mm from it, each slice about its own means. A lesion that fills its
    bone, so that less than half as much is left around it, shows no form: 0.
    """
    near = np.zeros_like(lesion)
    for k in np.flatnonzero(lesion.any((0, 1))):
        near[:, :, k] = ndi.distance_transform_edt(~lesion[:, :, k], search.pixel_mm) <= _AROUND_MM
    if (near & around).sum() < _ENOUGH * lesion.sum():
        return 0.0
    where = np.nonzero(near & (lesion | around))
    lost, shown = (_about_its_mean(field[where], where[2]) for field in (first - second, second))
    slope = float((lost * shown).sum() / max(float((lost**2).sum()), 1e-6))
    return slope / (1 + slope) if slope > 0 else 0.0


def _about_its_mean(values: Field, slices: np.ndarray) -> Field:
    means = np.bincount(slices, values) / np.maximum(np.bincount(slices), 1)
    return np.asarray(values - means[slices], np.float32)
