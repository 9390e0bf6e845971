"""The statistical shape model of the pelvic bones of 40 people.

The model (`pelvis_shapes.npz`, made by `pipelines/train_segmenter/make_shapes.py`) holds the mean and the principal
modes of corresponding vertices of sacrum (S1-S3), left and right hip bone, from the pelvis atlas of Han et al. 2019
(doi:10.1088/1361-6560/ab1456, CC BY 4.0). Frame: pelvic millimetres, x to the left, y to the back, z up (LPS), origin
at the mean of all vertices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

BONES = ("sacrum", "left hip", "right hip")


@dataclass(frozen=True, eq=False)
class ShapeModel:
    """Mean vertices (3, n, 3), modes (m, 3, n, 3) scaled to one standard deviation, triangles per bone (t, 3)."""

    mean: Floats
    modes: Floats
    faces: tuple[Ints, Ints, Ints]


@lru_cache(maxsize=1)
def load_model() -> ShapeModel:
    """The shipped shape model."""
    with (files("mri_sij.pelvis") / "pelvis_shapes.npz").open("rb") as stream, np.load(stream) as stored:
        scale = stored["mode_scale"].astype(float)
        modes = stored["modes"].astype(float) * scale[:, None, None, None]
        return ShapeModel(
            stored["mean"].astype(float),
            modes,
            (
                stored["faces_0"].astype(np.int32),
                stored["faces_1"].astype(np.int32),
                stored["faces_2"].astype(np.int32),
            ),
        )
