"""A simulated person's pelvic bones as surfaces, drawn from the shape model of 40 people (`mri_sij.pelvis.model`).

Frame: pelvic millimetres, x to the left, y to the back, z up (LPS), origin at the mean of all vertices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mri_sij.pelvis.model import Floats, Ints, load_model

# Landmarks of the mean sacrum in its mid-sagittal plane (y, z), read off the mean shape; followed through the modes
# by the mean of the nearest corresponding vertices.
_LANDMARKS_YZ = {
    "promontory": (-14.0, 33.0),
    "endplate_back": (9.0, 53.0),
    "canal_top": (38.0, 50.0),
    "s3_front": (41.0, -2.0),
    "s3_back": (57.0, 3.0),
    "spine_tip": (66.0, 22.0),
}


@dataclass(frozen=True, eq=False)
class Pelvis:
    """One person's bones: vertices (3, n, 3) in pelvic mm, triangles per bone, landmarks of the sacrum (3,)."""

    vertices: Floats
    faces: tuple[Ints, Ints, Ints]
    landmarks: dict[str, Floats]


def draw_pelvis(rng: np.random.Generator) -> Pelvis:
    """A new person: modes drawn up to 2.2 standard deviations, mirrored half the time, warped smoothly by 1-3 mm."""
    model = load_model()
    weights = np.clip(rng.normal(0, 0.9, len(model.modes)), -2.2, 2.2)
    vertices = model.mean + np.tensordot(weights, model.modes, 1)
    faces = model.faces
    if rng.random() < 0.5:
        vertices = vertices[[0, 2, 1]] * (-1, 1, 1)
        flipped = [f[:, ::-1] for f in faces]
        faces = (flipped[0], flipped[2], flipped[1])
    vertices = vertices * rng.uniform(0.93, 1.07) + _smooth_warp(vertices, rng)
    return Pelvis(vertices, faces, _landmarks(vertices[0], model.mean[0]))


def _smooth_warp(vertices: Floats, rng: np.random.Generator) -> Floats:
    centres = rng.uniform((-130, -80, -80), (130, 70, 80), (10, 3))
    pushes = rng.normal(0, 1.6, (10, 3))
    widths = rng.uniform(22, 55, 10)
    squared = ((vertices[..., None, :] - centres) ** 2).sum(-1)
    return np.asarray(np.exp(-squared / (2 * widths**2)) @ pushes)


def _landmarks(sacrum: Floats, mean: Floats) -> dict[str, Floats]:
    marks = {}
    for name, (y, z) in _LANDMARKS_YZ.items():
        away = np.linalg.norm(mean - (0.0, y, z), axis=1)
        marks[name] = sacrum[np.argsort(away, kind="stable")[:12]].mean(0)
    return marks
