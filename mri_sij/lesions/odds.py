"""How likely each voxel of bone is oedema, from named measures: a logistic model fitted on simulated patients.

Brightness over normal marrow at three scales and on the slices beside, T1, depth, and the network's own log odds,
weighed by coefficients that `pipelines/fit_oedema` fits and stores in `odds.json` (one set with T1 and one
without). A bare threshold sees one voxel at a time; a reader, and this model, sees whether its surroundings are
bright too.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from mri_sij.anatomy.span import Mask
from mri_sij.lesions.average import average_over_bone
from mri_sij.lesions.search import Field, Search, log_odds_of

MODEL_FILE = "odds.json"
MIDDLE_MM, COARSE_MM = 1.5, 4.0
"""Standard deviations of the Gaussians, in the plane, over which brightness is averaged; the finest scale is that of
`Search.ratio` itself."""


def measures(search: Search) -> dict[str, Field]:
    """Named measures of every voxel of the search box, each of its shape; those of T1 where there is T1.

    Averages are over bone only, so that what lies beyond the cortex does not colour them. `search.oedema` is the
    network's probability; ValueError without it.
    """
    if search.oedema is None:
        raise ValueError("the weighed measures need the network's maps")
    bone, pixel_mm = search.bone, search.pixel_mm
    fine = np.log(np.clip(search.ratio, 0.2, 5.0))
    middle, coarse = (average_over_bone(fine, bone, pixel_mm, mm) for mm in (MIDDLE_MM, COARSE_MM))
    beside = _beside(middle, bone)
    shallow = np.minimum(search.depth_mm, 60.0)
    logit = log_odds_of(search.oedema)
    found = {
        "fine": fine,
        "middle": middle,
        "coarse": coarse,
        "beside": beside,
        "least": np.minimum(middle, beside),
        "over_15": np.maximum(middle - np.float32(0.15), 0),
        "over_35": np.maximum(middle - np.float32(0.35), 0),
        "near_4": np.exp(-shallow / 4),
        "near_15": np.exp(-shallow / 15),
        "network": logit,
        "network_over": np.maximum(logit, 0),
        "network_bright": logit * middle,
    }
    if search.t1_ratio is not None:
        dark = average_over_bone(np.log(np.clip(search.t1_ratio, 0.1, 4.0)), bone, pixel_mm, MIDDLE_MM)
        found |= {"t1": dark, "t1_over": np.maximum(dark, 0)}
    return found


def log_odds(found: dict[str, Field]) -> Field:
    """Log odds of oedema at every voxel, from `measures`, within 30 of 0."""
    weights = coefficients()["with_t1" if "t1" in found else "without_t1"]
    total = np.full(found["fine"].shape, weights["constant"], np.float32)
    for name, weight in weights.items():
        if name != "constant":
            total += np.float32(weight) * found[name]
    return np.asarray(np.clip(total, -30, 30), np.float32)


@lru_cache(maxsize=1)
def coefficients() -> dict[str, dict[str, float]]:
    """The fitted coefficients by set and measure."""
    stored: dict[str, Any] = json.loads((files("mri_sij.lesions") / MODEL_FILE).read_text(encoding="utf-8"))
    return {name: dict(stored[name]) for name in ("with_t1", "without_t1")}


def _beside(values: Field, bone: Mask) -> Field:
    """Mean of the same place on the slices before and after, where that is bone; the value itself where neither is."""
    total, count = np.zeros_like(values), np.zeros(values.shape, np.float32)
    for here, there in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
        total[:, :, here] += np.where(bone[:, :, there], values[:, :, there], 0)
        count[:, :, here] += bone[:, :, there]
    return np.where(count > 0, total / np.maximum(count, 1), values).astype(np.float32)
