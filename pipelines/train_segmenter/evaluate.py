"""Hold the segmenter against simulated patients that it has never seen.

usage: python evaluate.py [--patients 50] [--model NETWORK.onnx] [--stir-only] [--first-seed 900000]

Prints a line a patient and then: Dice of sacrum and each ilium, distance from the true joint midline to the found
one (mean and 95th
percentile, mm), how often the six slices are the true ones within one slice, and how often a side was wrong.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy import ndimage as ndi

from mri_sij.anatomy.find import find_anatomy
from mri_sij.anatomy.labels import LEFT_ILIUM, RIGHT_ILIUM, SACRUM
from mri_sij.anatomy.segment import segment
from mri_sij.config import Settings
from mri_sij.evidence import Side
from mri_sij.network.run import predict
from mri_sij.phantom.body import draw_person
from mri_sij.phantom.draw import draw_matrix, draw_position, draw_scanner
from mri_sij.phantom.lesion import draw_lesions
from mri_sij.phantom.scan import SimulatedVisit, acquire, grid_of
from mri_sij.phantom.truth import true_joint, true_slices


def simulate(seed: int) -> SimulatedVisit:
    """A patient that training never drew, with clinical sampling."""
    rng = np.random.default_rng([seed, 77])
    person, matrix = draw_person(rng), draw_matrix(rng)
    grid = grid_of(person, draw_position(rng), matrix)
    return acquire(
        person, draw_lesions(rng), draw_scanner(rng, physics=True), grid, rng, thickness_mm=matrix.thickness_mm
    )


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Overlap; two empty masks agree."""
    total = int(a.sum() + b.sum())
    return 2 * int((a & b).sum()) / total if total else 1.0


def joint_error_mm(visit: SimulatedVisit, labels: np.ndarray) -> np.ndarray:
    """Distance of every true midline voxel from the line half-way between the segmented bones of its slice (at most
    15 mm)."""
    spacing = visit.stir.grid.spacing_mm[:2]
    out: list[np.ndarray] = []
    for side, ilium in ((Side.LEFT, LEFT_ILIUM), (Side.RIGHT, RIGHT_ILIUM)):
        true = true_joint(visit, side)
        for k in np.flatnonzero(true.any((0, 1))):
            a, b = labels[:, :, k] == SACRUM, labels[:, :, k] == ilium
            here = true[:, :, k]
            if not (a.any() and b.any()):
                out.append(np.full(int(here.sum()), 15.0))
                continue
            to_a, to_b = (ndi.distance_transform_edt(~m, spacing) for m in (a, b))
            line = (np.abs(to_a - to_b) < max(spacing)) & (to_a < 8) & (to_b < 8)
            away = ndi.distance_transform_edt(~line, spacing) if line.any() else np.full(here.shape, 15.0)
            out.append(np.minimum(away[here], 15.0))
    return np.concatenate(out) if out else np.array([15.0])


def main() -> None:
    """Simulate, segment, compare."""
    ask = argparse.ArgumentParser()
    ask.add_argument("--patients", type=int, default=50)
    ask.add_argument("--first-seed", type=int, default=900000)
    ask.add_argument("--model", type=Path)
    ask.add_argument("--stir-only", action="store_true")
    told = ask.parse_args()
    model, settings = told.model.read_bytes() if told.model else None, Settings().anatomy
    rows, slices_right, sides_wrong, errors = [], [], 0, []
    for seed in range(told.first_seed, told.first_seed + told.patients):
        visit = simulate(seed)
        found = segment(predict(visit.stir, None if told.stir_only else visit.t1, model), settings)
        labels, truth = found.labels.data, visit.labels.data
        error = joint_error_mm(visit, labels)
        errors.append(error)
        rows.append([dice(labels == n, truth == n) for n in (SACRUM, LEFT_ILIUM, RIGHT_ILIUM)])
        sides_wrong += int(
            ((labels == LEFT_ILIUM) & (truth == RIGHT_ILIUM)).any()
            or ((labels == RIGHT_ILIUM) & (truth == LEFT_ILIUM)).any()
        )
        anatomy, wanted = find_anatomy(visit.stir, found, settings), true_slices(visit)
        got = getattr(anatomy, "slice_choice", None)
        if wanted is not None:
            slices_right.append(got is not None and abs(got.numbers[-1] - wanted[-1]) <= 1)
        print(
            f"{seed} Dice {rows[-1][0]:.3f} {rows[-1][1]:.3f} {rows[-1][2]:.3f} "
            f"joint {error.mean():.2f} mm slices {got.numbers if got else None} true {wanted}",
            flush=True,
        )
    mean, every = np.mean(rows, 0), np.concatenate(errors)
    print(
        f"{told.patients} patients: Dice sacrum {mean[0]:.3f}, left ilium {mean[1]:.3f}, right ilium {mean[2]:.3f}; "
        f"joint {every.mean():.2f} mm (95 % {np.percentile(every, 95):.2f}); "
        f"six slices within one of truth {np.mean(slices_right):.0%}; side wrong in {sides_wrong}"
    )


if __name__ == "__main__":
    main()
