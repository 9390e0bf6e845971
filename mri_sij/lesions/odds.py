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
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.lesions.search import Search

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]

MODEL_FILE = "odds.json"
FINE_MM, MIDDLE_MM, COARSE_MM = 0.6, 1.5, 4.0
"""Standard deviations of the Gaussians, in the plane, over which brightness is averaged."""


def measures(search: Search) -> dict[str, Field]:
    """Named measures of every voxel of the search box, each of its shape; those of T1 where there is T1.

    Averages are over bone only, so that what lies beyond the cortex does not colour them. `search.oedema` is the
    network's probability; ValueError without it.
    """
    if search.oedema is None:
        raise ValueError("the weighed measures need the network's maps")
    bone, pixel_mm = search.bone, search.pixel_mm
    fine = np.log(np.clip(search.ratio, 0.2, 5.0))
    middle, coarse = (_average(fine, bone, pixel_mm, mm) for mm in (MIDDLE_MM, COARSE_MM))
    beside = _beside(middle, bone)
    shallow = np.minimum(search.depth_mm, 60.0)
    likely = np.clip(search.oedema, 0.002, 0.998)
    logit = np.log(likely / (1 - likely))
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
        dark = _average(np.log(np.clip(search.t1_ratio, 0.1, 4.0)), bone, pixel_mm, MIDDLE_MM)
        found |= {"t1": dark, "t1_over": np.maximum(dark, 0)}
    return found


def probability(found: dict[str, Field]) -> Field:
    """Probability (0-1) of oedema at every voxel, from `measures`."""
    weights = coefficients()["with_t1" if "t1" in found else "without_t1"]
    total = np.full(found["fine"].shape, weights["constant"], np.float32)
    for name, weight in weights.items():
        if name != "constant":
            total += np.float32(weight) * found[name]
    return np.asarray(1 / (1 + np.exp(-np.clip(total, -30, 30))), np.float32)


@lru_cache(maxsize=1)
def coefficients() -> dict[str, dict[str, float]]:
    """The fitted coefficients by set and measure."""
    stored: dict[str, Any] = json.loads((files("mri_sij.lesions") / MODEL_FILE).read_text(encoding="utf-8"))
    return {name: dict(stored[name]) for name in ("with_t1", "without_t1")}


def _average(values: Field, bone: Mask, pixel_mm: tuple[float, float], scale_mm: float) -> Field:
    """Gaussian average over bone in the plane; coarse averages are worked out on a coarser lattice."""
    step = max(1, int(scale_mm / (2.0 * pixel_mm[0])))
    weight = _binned(bone.astype(np.float32), step)
    total = _binned(np.where(bone, values, 0).astype(np.float32), step)
    sigma = (scale_mm / (pixel_mm[0] * step), scale_mm / (pixel_mm[1] * step), 0.0)
    smooth, share = (ndi.gaussian_filter(a, sigma, truncate=3.0) for a in (total, weight))
    mean: Field = np.asarray(smooth / np.maximum(share, 1e-3), np.float32)
    return mean if step == 1 else _spread(mean, step, values.shape)


def _binned(values: Field, step: int) -> Field:
    """Means of squares of `step` voxels in the plane; the ends are filled up with 0."""
    if step == 1:
        return values
    x, y = (-n % step for n in values.shape[:2])
    full = np.pad(values, ((0, x), (0, y), (0, 0)))
    shape = (full.shape[0] // step, step, full.shape[1] // step, step, full.shape[2])
    return np.asarray(full.reshape(shape).mean((1, 3)), np.float32)


def _spread(coarse: Field, step: int, shape: tuple[int, ...]) -> Field:
    """Linear interpolation of squares' means back to voxels."""
    for axis in (0, 1):
        n = coarse.shape[axis]
        at = np.clip((np.arange(shape[axis]) + 0.5) / step - 0.5, 0, n - 1)
        below = np.minimum(at.astype(int), max(n - 2, 0))
        part = (at - below).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        above = np.minimum(below + 1, n - 1)
        coarse = np.take(coarse, below, axis) * (1 - part) + np.take(coarse, above, axis) * part
    return coarse


def _beside(values: Field, bone: Mask) -> Field:
    """Mean of the same place on the slices before and after, where that is bone; the value itself where neither is."""
    total, count = np.zeros_like(values), np.zeros(values.shape, np.float32)
    for here, there in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
        total[:, :, here] += np.where(bone[:, :, there], values[:, :, there], 0)
        count[:, :, here] += bone[:, :, there]
    return np.where(count > 0, total / np.maximum(count, 1), values).astype(np.float32)
