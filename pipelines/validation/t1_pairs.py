"""Real patients' T1 before and after treatment: are the two visits' bones and joints laid on one another?

    python pipelines/validation/t1_pairs.py [--data ../shared/data/sij_t1_pairs] [--pictures FOLDER]

Each pair is a folder with baseline_t1.nii.gz and followup_t1.nii.gz. No STIR of these visits exists, so the network is
given the T1 in its place: enough for bones (it was trained on altered contrast), not for oedema. Prints, by bone, the
overlap and the mean distance of the two visits' surfaces and of those that face the joint. One sequence is too few to
refine on (three opinions are asked for), so the surfaces alone align here. `--pictures` gets a picture a pair: the
baseline's T1 with its own bones (yellow) and the follow-up's (blue), and the follow-up's T1 at the same places.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.segment import segment
from mri_sij.compare.align import BONES, Alignment, align
from mri_sij.config import Settings
from mri_sij.geometry import Floats
from mri_sij.ingest.nifti import read_volume
from mri_sij.network.run import predict
from mri_sij.volume import LabelMap, Volume

LEVELS = 4
"""Slices shown of each pair, through the middle half of the joints."""


def bones_of(t1: Volume, settings: Settings) -> LabelMap:
    """Sacrum and ilia of a visit that has only a T1."""
    return segment(predict(t1, t1), settings.anatomy).labels


def carried(values: NDArray[np.float32], source: Volume, target: Volume, motion: Floats, k: int) -> NDArray[np.float32]:
    """`values` of the follow-up's grid at slice `k` of the baseline's, through one bone's motion."""
    matrix = np.linalg.inv(source.grid.affine) @ motion @ target.grid.affine
    i, j = np.meshgrid(*(np.arange(n) for n in target.grid.shape[:2]), indexing="ij")
    index = matrix[:3, :3] @ np.stack([i, j, np.full(i.shape, k)]).reshape(3, -1) + matrix[:3, 3:]
    return np.asarray(ndi.map_coordinates(values, index, order=1).reshape(i.shape), np.float32)


def draw(images: tuple[Volume, Volume], labels: tuple[LabelMap, LabelMap], found: Alignment, path: Path) -> None:
    """One column a level: baseline above, follow-up below, both with the bones of both visits."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    first, second = images
    counts = np.flatnonzero((labels[0].data > 1).any((0, 1)))
    slices = np.linspace(*np.percentile(counts, (25, 75)), LEVELS).round().astype(int)
    figure = Figure((5 * LEVELS, 8), layout="constrained")
    axes = figure.subplots(2, LEVELS)
    for column, k in enumerate(slices):
        there = carried(second.values, second, first, found.bones[1].motion, int(k))
        for row, plane in enumerate((first.values[:, :, k], there)):
            axes[row, column].imshow(plane.T, cmap="gray", origin="lower", vmax=float(np.percentile(plane, 99.5)))
            for bone in BONES:
                other = (labels[1].data == bone).astype(np.float32)
                masks = (labels[0].data[:, :, k] == bone).astype(np.float32), carried(
                    other, second, first, found.bones[bone].motion, int(k)
                )  # fmt: skip
                for mask, colour in zip(masks, ("#ffd54a", "#56b4e9"), strict=True):
                    if mask.max() > 0.5:
                        axes[row, column].contour(mask.T, [0.5], colors=colour, linewidths=0.9)
            axes[row, column].set_aspect(first.grid.spacing_mm[1] / first.grid.spacing_mm[0])
            axes[row, column].set_axis_off()
    figure.savefig(path, dpi=70)


def compare(folder: Path, settings: Settings, pictures: Path | None) -> float:
    """Align one pair, print its figures, and give the mean distance (mm) of its joints' surfaces."""
    loaded = (read_volume(folder / f"{visit}_t1.nii.gz") for visit in ("baseline", "followup"))
    first, second = (volume.reordered(volume.grid.reading_order) for volume in loaded)
    labels = bones_of(first, settings), bones_of(second, settings)
    found = align(*labels, settings.compare)
    if not found.bones:
        print(f"{folder.name}: {' '.join(reason.message for reason in found.failures)}")
        return float("nan")
    told = "; ".join(
        f"{own.name} Dice {own.overlap:.2f}, surface {own.surface_mm:.2f}, joint {own.joint_mm:.2f} mm"
        for own in found.bones.values()
    )
    refused = "; refused: " + " ".join(reason.code for reason in found.failures) if found.failures else ""
    print(
        f"{folder.name}: joint surfaces {found.joint_mm:.2f} mm apart, pelvis turned {found.turn_deg:.1f} degrees; "
        f"{told}{refused}",
        flush=True,
    )
    if pictures is not None:
        draw((first, second), labels, found, pictures / f"{folder.name}.png")
    return found.joint_mm


def main(arguments: Sequence[str] | None = None) -> None:
    """Run all pairs and print the mean."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/sij_t1_pairs"))
    parser.add_argument("--pictures", type=Path, help="folder for a picture of each pair")
    given = parser.parse_args(arguments)
    if given.pictures:
        given.pictures.mkdir(parents=True, exist_ok=True)
    folders = sorted(f for f in given.data.iterdir() if (f / "followup_t1.nii.gz").is_file())
    found = [compare(folder, Settings(), given.pictures) for folder in folders]
    print(json.dumps({"pairs": len(found), "joint_surfaces_mm_mean": round(float(np.nanmean(found)), 3)}))


if __name__ == "__main__":
    main()
