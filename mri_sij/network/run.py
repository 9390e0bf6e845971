"""Run the shipped network on a STIR, with the T1 that goes with it where there is one."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from scipy import ndimage as ndi

from mri_sij.interpolate import along
from mri_sij.network.maps import Maps
from mri_sij.network.prepare import PIXEL_MM, Field, neighbours, normalize, slice_by_slice
from mri_sij.volume import Volume, require_same_grid

MODEL_FILE = "mri_sij.onnx"
SLICE_MM = 3.6
"""Slices closer together than in any scan that the network was trained for are looked at this far apart."""


def predict(stir: Volume, t1: Volume | None, model: bytes | None = None) -> Maps:
    """Maps of bone, oedema and fluid on the STIR's grid.

    `stir` must be in the reading frame (`Grid.reading_order`) and `t1` on the same grid (GeometryError otherwise).
    Two passes, as is and mirrored left-right, are averaged. One thread, so that the result is the same bit by bit on
    every run; `model` is another network of the same inputs and outputs.
    """
    if t1 is not None:
        require_same_grid(stir, t1)
    grid = stir.grid
    session, sha256 = _session(model)
    small = [None if v is None else normalize(_to_pixel(v.values, grid.spacing_mm)) for v in (stir, t1)]
    assert small[0] is not None
    stride = max(1, round(SLICE_MM / grid.spacing_mm[2])) if grid.spacing_mm[2] < SLICE_MM / 1.5 else 1
    first = _forward(session, small[0], small[1], stride)
    second = _forward(session, small[0][::-1], None if small[1] is None else small[1][::-1], stride)[:, ::-1]
    maps = [_resized(np.ascontiguousarray(m), grid.shape) for m in (first + second) / 2]
    return Maps(grid, maps[0], maps[1], maps[2], maps[3], maps[4], maps[5], _agreement(first, second), sha256)


@lru_cache(maxsize=2)
def _session(model: bytes | None) -> tuple[Any, str]:
    import onnxruntime as ort  # noqa: PLC0415 - slow to import; commands without the network do not need it

    stored = model if model is not None else (files("mri_sij.network") / MODEL_FILE).read_bytes()
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(stored, options, providers=["CPUExecutionProvider"]), hashlib.sha256(stored).hexdigest()


def _forward(session: Any, stir: Field, t1: Field | None, stride: int) -> Field:
    """Probabilities (6, x, y, slices) of one pass."""
    nx, ny, slices = stir.shape
    stir, t1 = slice_by_slice(stir), None if t1 is None else slice_by_slice(t1)
    out = np.empty((6, slices, nx, ny), np.float32)
    for z in range(slices):  # one by one: what a slice needs stays in the processor's cache
        logits = session.run(None, {"image": neighbours(stir, t1, z, stride)[None]})[0][0, :, :nx, :ny]
        bones = np.exp(logits[:4] - logits[:4].max(0))
        out[:4, z] = bones / bones.sum(0)
        out[4:, z] = 1 / (1 + np.exp(-np.clip(logits[4:], -30, 30)))
    return np.moveaxis(out, 1, 3)


def _to_pixel(signal: Field, spacing_mm: tuple[float, float, float]) -> Field:
    """Resample in the plane to the network's pixel, smoothed first where pixels are smaller."""
    ratio = [PIXEL_MM / s for s in spacing_mm[:2]]
    sigma = [0.4 * np.sqrt(max(r**2 - 1, 0)) for r in ratio]
    smooth = ndi.gaussian_filter(signal, (*sigma, 0), truncate=3.0) if max(sigma) > 0.1 else signal
    size = [max(1, round(n / r)) for n, r in zip(signal.shape, ratio, strict=False)]
    return _resized(smooth, (size[0], size[1], signal.shape[2]))


def _resized(array: Field, shape: tuple[int, int, int]) -> Field:
    """Linear interpolation in the plane to `shape`, the edges of the field of view kept in place."""
    for axis in (0, 1):
        n, m = array.shape[axis], shape[axis]
        if n != m:
            array = along(array, axis, (np.arange(m) + 0.5) * n / m - 0.5)
    return array


def _agreement(first: Field, second: Field) -> float:
    """Mean Dice of sacrum and ilium between the two passes; 0 where neither finds any."""
    found = []
    for label in (1, 2):
        a, b = first[:4].argmax(0) == label, second[:4].argmax(0) == label
        total = int(a.sum() + b.sum())
        found.append(2 * int((a & b).sum()) / total if total else 0.0)
    return float(np.mean(found))
