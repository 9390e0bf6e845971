"""Run the shipped network on a STIR, with the T1 that goes with it where there is one."""

from __future__ import annotations

import numpy as np

from mri_sij.network.maps import Maps
from mri_sij.network.prepare import Field, neighbours, normalize, resized, slice_by_slice, to_pixel
from mri_sij.network.session import Session, load, shipped
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
    session = shipped("mri_sij.network", MODEL_FILE) if model is None else load(model)
    small = [None if v is None else normalize(to_pixel(v.values, grid.spacing_mm)) for v in (stir, t1)]
    assert small[0] is not None
    stride = max(1, round(SLICE_MM / grid.spacing_mm[2])) if grid.spacing_mm[2] < SLICE_MM / 1.5 else 1
    first = _forward(session, small[0], small[1], stride)
    second = _forward(session, small[0][::-1], None if small[1] is None else small[1][::-1], stride)[:, ::-1]
    maps = [resized(np.ascontiguousarray(m), grid.shape) for m in (first + second) / 2]
    return Maps(grid, maps[0], maps[1], maps[2], maps[3], maps[4], maps[5], _agreement(first, second), session.sha256)


def _forward(session: Session, stir: Field, t1: Field | None, stride: int) -> Field:
    """Probabilities (6, x, y, slices) of one pass."""
    nx, ny, slices = stir.shape
    stir, t1 = slice_by_slice(stir), None if t1 is None else slice_by_slice(t1)
    out = np.empty((6, slices, nx, ny), np.float32)
    for z in range(slices):  # one by one: what a slice needs stays in the processor's cache
        logits = session.run(neighbours(stir, t1, z, stride))[:, :nx, :ny]
        bones = np.exp(logits[:4] - logits[:4].max(0))
        out[:4, z] = bones / bones.sum(0)
        out[4:, z] = 1 / (1 + np.exp(-np.clip(logits[4:], -30, 30)))
    return np.moveaxis(out, 1, 3)


def _agreement(first: Field, second: Field) -> float:
    """Mean Dice of sacrum and ilium between the two passes; 0 where neither finds any."""
    found = []
    for label in (1, 2):
        a, b = first[:4].argmax(0) == label, second[:4].argmax(0) == label
        total = int(a.sum() + b.sum())
        found.append(2 * int((a & b).sum()) / total if total else 0.0)
    return float(np.mean(found))
