"""People drawn from the shape model, cropped by a field of view: labels with axes left, back, up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri_sij.anatomy.labels import NAMES
from mri_sij.geometry import Grid
from mri_sij.pelvis.mesh import Lattice, fill_mesh
from mri_sij.pelvis.model import load_model
from mri_sij.volume import LabelMap

SPACING_MM = (2.0, 4.0, 2.0)
SHAPE = (112, 22, 112)
"""A field of view of 22 x 22 cm and 9 cm of slices: it crops both hips."""


def person(seed: int, tilt_deg: float) -> list[NDArray[np.float64]]:
    """Vertices of sacrum, left and right hip, placed in the field of view."""
    rng = np.random.default_rng(seed)
    model = load_model()
    vertices = model.mean + np.tensordot(rng.normal(0, 1, len(model.modes)).clip(-2, 2), model.modes, 1)
    a = np.radians(tilt_deg)
    turn = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    middle = (np.array(SHAPE) - 1) * SPACING_MM / 2
    placed = vertices @ turn.T
    return list(placed - placed[0].mean(0) + middle + rng.normal(0, 4, 3))


def labels_of(bones: list[NDArray[np.float64]]) -> NDArray[np.uint8]:
    """1 sacrum, 2 left, 3 right hip."""
    lattice = Lattice((0.0, 0.0, 0.0), 2.0, (SHAPE[0], 2 * SHAPE[1] - 1, SHAPE[2]))
    out = np.zeros(SHAPE, np.uint8)
    for label, (vertices, faces) in enumerate(zip(bones, load_model().faces, strict=True), start=1):
        out[fill_mesh(vertices, faces, lattice)[:, ::2]] = label
    return out


def scanned(seed: int, tilt_deg: float) -> LabelMap:
    """The person's bones in the reading frame: to the left, up, and backwards."""
    labels = np.ascontiguousarray(labels_of(person(seed, tilt_deg)).transpose(0, 2, 1))
    left, back, up = SPACING_MM
    affine = np.array([[-left, 0, 0, 0], [0, 0, -back, 0], [0, up, 0, 0], [0, 0, 0, 1.0]])
    return LabelMap(labels, Grid((labels.shape[0], labels.shape[1], labels.shape[2]), affine), NAMES)
