"""Simulate scans for training: `python simulate.py OUT FIRST_SEED PEOPLE [SCANS_A_PERSON]`.

Writes one `.npz` a scan at the network's own pixel (1.2 mm): STIR and T1 (int16), labels, oedema (2 = faint), fluid
(uint8).
A scan that is there already is passed over, so that the command can be repeated or run several times side by side.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from mri_sij.network.prepare import PIXEL_MM
from mri_sij.phantom.body import draw_person
from mri_sij.phantom.draw import draw_matrix, draw_position, draw_scanner
from mri_sij.phantom.lesion import draw_lesions
from mri_sij.phantom.scan import Matrix, acquire, grid_of


def main() -> None:
    """Draw people and scans from their seeds and store them."""
    out, first, people = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    scans = int(sys.argv[4]) if len(sys.argv) > 4 else 4
    out.mkdir(parents=True, exist_ok=True)
    for seed in range(first, first + people):
        if (out / f"{seed:06d}_{scans - 1}.npz").exists():
            continue
        person = draw_person(np.random.default_rng([seed, 0]))
        for scan in range(scans):
            rng = np.random.default_rng([seed, 1 + scan])
            clinical = draw_matrix(rng)
            size = (int(rng.integers(160, 200)), int(rng.integers(160, 200)))
            matrix = Matrix(size, PIXEL_MM, clinical.slices, clinical.spacing_mm, clinical.thickness_mm)
            grid = grid_of(person, draw_position(rng), matrix)
            visit = acquire(person, draw_lesions(rng), draw_scanner(rng), grid, rng, thickness_mm=matrix.thickness_mm)
            labels = visit.labels.data.copy()
            labels[labels == 3] = 2
            labels[visit.labels.data == 4] = 3
            temporary = out / f".{seed}_{scan}.npz"
            np.savez(
                temporary,
                stir=visit.stir.data.clip(0, 32000).astype(np.int16),
                t1=visit.t1.data.clip(0, 32000).astype(np.int16),
                labels=labels,
                oedema=(visit.oedema + 2 * visit.faint).astype(np.uint8),
                fluid=visit.fluid.astype(np.uint8),
                spacing_mm=matrix.spacing_mm,
            )
            temporary.replace(out / f"{seed:06d}_{scan}.npz")


if __name__ == "__main__":
    main()
