"""Real joints traced by eye: is the cartilaginous part found where it was traced, and do the six slices end there?

    python pipelines/validation/traced.py [--data ../shared/data/sij_nifti] [--without-t1]

DATA holds a folder a case with stir.nii.gz and t1.nii.gz (or, where `joints.json` gives an affine of its own, DICOM),
and joints.json: of each case `joints` by side and slice, each with `points` (x, y) in voxels of the image array from
the lower to the upper end of the cartilaginous part. Prints a line a case: the share of rows of the joint told right on
traced slices, how far the ends are off, and how many slices behind the last one whose traced joints both have half of
their height the scored slices end. One annotator; the tracing repeats its ends to 1.7 mm.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mri_sij.anatomy.before import usable_t1
from mri_sij.anatomy.find import Anatomy
from mri_sij.anatomy.slices import by_slice, high_on_both
from mri_sij.config import Settings
from mri_sij.evidence import Side
from mri_sij.geometry import Floats, Grid
from mri_sij.ingest.nifti import read_volume
from mri_sij.ingest.visit import load_visit
from mri_sij.volume import Volume
from mri_sij.workflow import find


@dataclass(frozen=True)
class Against:
    """Of one case: share of rows told right, distances (mm) of upper and lower ends, slices too far behind."""

    rows_right: float
    upper_mm: float
    lower_mm: float
    slices_behind: int


def images_of(folder: Path) -> tuple[Volume, Volume | None, Floats]:
    """STIR and T1 in the reading frame, and the affine of the STIR's array as it is stored."""
    if (folder / "stir.nii.gz").is_file():
        stir, t1 = read_volume(folder / "stir.nii.gz"), read_volume(folder / "t1.nii.gz")
    else:
        visit = load_visit(folder, settings=Settings().ingest)
        stir, t1 = visit.stir, visit.t1
    there = stir.reordered(stir.grid.reading_order)
    return there, usable_t1(t1, there)[0], stir.grid.affine


def rows_of(traced: dict[str, Any], affine: Floats, grid: Grid) -> dict[Side, dict[int, tuple[float, float]]]:
    """Lowest and highest traced row of each side's joint by slice, in the reading frame."""
    found: dict[Side, dict[int, tuple[float, float]]] = {}
    for side in Side:
        found[side] = {}
        for z, entry in traced["joints"][str(side)].items():
            points = np.array([(x, y, int(z), 1.0) for x, y in entry["points"]])
            index = grid.index((points @ affine.T)[:, :3])
            found[side][round(float(index[0, 2]))] = float(index[:, 1].min()), float(index[:, 1].max())
    return found


def against(anatomy: Anatomy, traced: dict[Side, dict[int, tuple[float, float]]]) -> Against:
    """The joints found held against those traced."""
    grid = anatomy.joints.grid
    right, upper, lower = [], [], []
    for side, slices in traced.items():
        for k, (low, high) in slices.items():
            there = anatomy.joints.of(side).slices.get(k)
            if there is None:
                continue
            rows, cartilage = there.midline[:, 1], there.midline[there.cartilaginous, 1]
            covered = (rows >= cartilage.min()) & (rows <= cartilage.max()) if len(cartilage) else rows < 0
            right.append(float((covered == ((rows >= low - 0.5) & (rows <= high + 0.5))).mean()))
            if len(cartilage):
                upper.append(abs(float(cartilage.max()) - high) * grid.spacing_mm[1])
                lower.append(abs(float(cartilage.min()) - low) * grid.spacing_mm[1])
    behind = anatomy.slice_choice.transitional - _last(traced, grid)
    return Against(float(np.mean(right)), float(np.mean(upper)), float(np.mean(lower)), behind)


def _last(traced: dict[Side, dict[int, tuple[float, float]]], grid: Grid) -> int:
    """The last slice on which both traced joints have half of their greatest height, by the program's own rule."""
    heights = [
        by_slice({k: high - low for k, (low, high) in slices.items()}, grid.shape[2]) for slices in traced.values()
    ]
    return int(np.flatnonzero(high_on_both(heights, Settings().anatomy)).max())


def hold(folder: Path, traced: dict[str, Any], *, with_t1: bool = True) -> Against | None:
    """Find the joints of a case and hold them against the traced ones; None where it is not scorable."""
    stir, t1, affine = images_of(folder)
    _, _, anatomy, _ = find(stir, t1 if with_t1 else None, Settings())
    own = np.array(traced["affine_RAS"]) if "affine_RAS" in traced else affine
    return against(anatomy, rows_of(traced, own, stir.grid)) if isinstance(anatomy, Anatomy) else None


def main(arguments: Sequence[str] | None = None) -> None:
    """Hold all cases and print the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/sij_nifti"))
    parser.add_argument("--without-t1", action="store_true", help="find the joints on STIR alone")
    given = parser.parse_args(arguments)
    held = []
    for name, traced in json.loads((given.data / "joints.json").read_text(encoding="utf-8")).items():
        found = hold(given.data / name, traced, with_t1=not given.without_t1)
        if found is None:
            print(f"{name}: not scorable", flush=True)
            continue
        held.append(found)
        print(
            f"{name}: rows right {found.rows_right:.2f}, upper end {found.upper_mm:.1f} mm off, lower end "
            f"{found.lower_mm:.1f} mm off, slices end {found.slices_behind} behind",
            flush=True,
        )
    means = {n: round(float(np.mean([getattr(h, n) for h in held])), 2) for n in ("rows_right", "upper_mm", "lower_mm")}
    print(json.dumps(means | {"slices_behind": [h.slices_behind for h in held]}))


if __name__ == "__main__":
    main()
