"""What the shipped network says of each voxel of a STIR, in the reading frame (`Grid.reading_order`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri_sij.geometry import Grid

Probability = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Maps:
    """Probabilities (0-1, float32, each of `grid.shape`) on the STIR's grid in the reading frame.

    `sacrum`, `ilium` (both sides: sides come from the affine, never from the network), `lumbar` (L5 and above) and
    `background` sum to 1. `oedema` is bone-marrow oedema of the sacroiliac joint; `fluid` is CSF, vessels and joint
    fluid. `agreement` is the mean Dice of sacrum and ilium between the two passes (as is, and mirrored).
    """

    grid: Grid
    background: Probability
    sacrum: Probability
    ilium: Probability
    lumbar: Probability
    oedema: Probability
    fluid: Probability
    agreement: float
    model_sha256: str
