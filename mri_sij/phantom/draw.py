"""Draw scanners and positions as they are met in studies of the sacroiliac joints.

Slices of 3-5 mm with a gap of 0-20 %, 14-30 of them, 0.4-1.1 mm in the plane; TE 28-85 ms, TI 140-175 ms at 1.5 T and
200-240 ms at 3 T (ASAS-SPARTAN protocol, Lambert 2024; radiopaedia and imaios for TI).
"""

from __future__ import annotations

import numpy as np

from mri_sij.phantom.scan import Matrix, Position, Scanner
from mri_sij.phantom.tissue import Sequence


def draw_scanner(rng: np.random.Generator, *, physics: bool | None = None) -> Scanner:
    """Sequences and faults of one visit; T1 with it."""
    field = 1.5 if rng.random() < 0.6 else 3.0
    if rng.random() < 0.85:
        time = rng.uniform(140, 175) if field == 1.5 else rng.uniform(200, 240)
        stir = Sequence(rng.uniform(3000, 6500), rng.uniform(28, 85), float(time), field)
    else:
        stir = Sequence(rng.uniform(3000, 5500), rng.uniform(45, 80), None, field, float(rng.uniform(0.02, 0.15)))
    t1 = Sequence(rng.uniform(420, 750), rng.uniform(8, 18), None, field)
    by_physics = bool(rng.random() < 0.6) if physics is None else physics
    return Scanner(
        stir,
        t1,
        float(np.exp(rng.uniform(np.log(12), np.log(70)))),
        float(rng.uniform(25, 90)),
        float(rng.uniform(0, 3)),
        float(rng.uniform(0, 0.45)),
        float(rng.uniform(0.1, 0.5)),
        by_physics,
    )


def draw_position(rng: np.random.Generator) -> Position:
    """Slices along the sacrum as technicians place them, and less well."""
    tilt = float(np.clip(rng.normal(38, 13), 0, 62))
    return Position(
        tilt,
        float(rng.normal(0, 4)),
        float(rng.normal(0, 3)),
        (float(rng.normal(0, 5)), float(rng.normal(0, 9)), float(rng.normal(0, 4))),
    )


def draw_matrix(rng: np.random.Generator) -> Matrix:
    """Sampling of a clinical scan."""
    thickness = float(rng.uniform(3, 4.6))
    spacing = thickness * float(rng.uniform(1.0, 1.2))
    pixel, field_of_view = float(rng.uniform(0.45, 1.0)), float(rng.uniform(190, 290))
    size = round(field_of_view / pixel)
    slices = int(np.clip(round(rng.uniform(70, 92) / spacing), 14, 30))
    return Matrix((size, size), pixel, slices, spacing, thickness)
