"""Real visits against themselves moved, tilted, resliced and re-noised, with their oedema faded by known amounts.

    python pipelines/validation/moved.py [--data ../shared/data/sij_nifti] [--cases 1003 1013] [--csv FILE]

Each case is a folder with stir.nii.gz, t1.nii.gz, bone_reader.nii.gz (all bone) and oedema_readerR_readT.nii.gz
(readers' outlines). Truth comes from the outlines, not from the program: fading lowers the brightness of oedema
against normal marrow around it by a known amount, and a reading still holds as oedema what stays as bright as the
faintest quarter of its own outline. The SPARCC that a reading implies before and after, on the program's levels, gives
the class to be found. Where four readings imply more than one class, each counts as right; the table shows them all.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.spatial.transform import Rotation

from mri_sij.compare import levels
from mri_sij.compare.outcome import classify
from mri_sij.compare.visit import Visit, of_result
from mri_sij.compare.visits import compare_visits
from mri_sij.config import Settings
from mri_sij.errors import RefusedError
from mri_sij.geometry import Floats, Grid
from mri_sij.ingest.nifti import read_volume, write_nifti
from mri_sij.resample import resample
from mri_sij.scoring.sparcc import score_sparcc
from mri_sij.volume import Volume
from mri_sij.workflow import score_visit

Mask = NDArray[np.bool_]
Field = NDArray[np.float32]
Row = dict[str, Any]
READINGS = [f"oedema_reader{r}_read{t}.nii.gz" for r in (1, 2) for t in (1, 2)]
FAINTEST = 25
"""Percentile of brightness in an outline down to which faded oedema is still held to be oedema by its reader."""


@dataclass(frozen=True)
class Move:
    """Another visit: the person turned (degrees about RAS axes) and shifted (mm), slices tilted further and resampled,
    another gain, noise (share of marrow's signal), oedema faded (share of its excess over marrow that is gone)."""

    name: str
    turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tilt_deg: float = 0.0
    spacing_mm: float | None = None
    gain: float = 1.0
    noise: float = 0.03
    faded: float = 0.0


TILTED = Move("tilted", (4, -3, 5), (12, -8, 6), 8, 4.0, 1.7, 0.04)
MOVES = (
    Move("noise only"),
    Move("resliced to 3 mm", (-3, 2, -4), (-9, 10, 4), -6, 3.0, 0.6, 0.04),
    TILTED,
    Move("tilted, 5 mm", (3, 4, -3), (6, 12, -10), 12, 5.0, 1.3, 0.03),
    Move("faded 60 % in place", faded=0.6),
    Move("faded 100 % in place", faded=1.0),
    replace(TILTED, name="tilted, faded 60 %", faded=0.6),
    replace(TILTED, name="tilted, faded 100 %", faded=1.0),
)


@dataclass(frozen=True, eq=False)
class Case:
    """One real visit, axes in the reading frame: images, outlines, and normal marrow's signal at every voxel."""

    name: str
    stir: Volume
    t1: Volume
    outlines: tuple[Mask, ...]
    marrow: Field
    marrow_noise: float


def read_case(folder: Path) -> Case:
    """Read a case and work out what normal marrow around each voxel shines like."""
    order = read_volume(folder / "stir.nii.gz").grid.reading_order
    stir, t1, bone, *outlines = (
        read_volume(folder / name).reordered(order)
        for name in ("stir.nii.gz", "t1.nii.gz", "bone_reader.nii.gz", *READINGS)
    )
    masks = tuple(np.asarray(outline.values > 0.5) for outline in outlines)
    marrow, noise = marrow_of(stir, bone.values > 0.5, np.any(masks, axis=0))
    return Case(folder.name, stir, t1, masks, marrow, noise)


def marrow_of(stir: Volume, bone: Mask, oedema: Mask) -> tuple[Field, float]:
    """Signal of normal marrow carried from bone without oedema to every voxel (Gaussian, 15 mm), and its noise."""
    rounds = round(4 / stir.grid.spacing_mm[0])
    inner = ndi.binary_erosion(bone, np.ones((3, 3, 1)), 3) & ~ndi.binary_dilation(oedema, np.ones((3, 3, 1)), rounds)
    level = np.median(stir.values[inner])
    normal = (inner & (stir.values < 1.4 * level) & (stir.values > 0.4 * level)).astype(np.float32)
    wide = [15.0 / s for s in stir.grid.spacing_mm]
    total, weight = (ndi.gaussian_filter(field, wide) for field in (normal * stir.values, normal))
    marrow = np.where(weight > 1e-4, total / np.maximum(weight, 1e-4), level).astype(np.float32)
    own = stir.values[normal > 0] / marrow[normal > 0]
    return marrow, float(1.4826 * np.median(np.abs(own - np.median(own))))


def fade(case: Case, share: float, rng: np.random.Generator) -> Volume:
    """The STIR with `share` (0-1) of what any reading's oedema exceeds marrow by taken away, soft at its border."""
    if share == 0:
        return case.stir
    pixel = case.stir.grid.spacing_mm[0]
    union = ndi.binary_dilation(np.any(case.outlines, axis=0), np.ones((3, 3, 1)), round(2 / pixel))
    weight = ndi.gaussian_filter(union.astype(np.float32), (1 / pixel, 1 / pixel, 0))
    target = case.marrow * (1 + case.marrow_noise * rng.standard_normal(case.marrow.shape))
    excess = np.maximum(case.stir.values - target, 0)
    return Volume((case.stir.values - share * weight * excess).astype(np.float32), case.stir.grid)


def person_motion(move: Move, centre: Floats) -> Floats:
    """4x4 motion of the person about `centre` (RAS mm)."""
    motion = np.eye(4)
    motion[:3, :3] = Rotation.from_rotvec(move.turn_deg, degrees=True).as_matrix()
    motion[:3, 3] = centre - motion[:3, :3] @ centre + move.shift_mm
    return motion


def followup_grid(move: Move, own: Grid) -> Grid:
    """Slices through the same middle, tilted by `tilt_deg` about the patient's left-right axis and respaced."""
    middle = (np.array(own.shape) - 1) / 2
    if move.spacing_mm is None:
        return own
    turn = Rotation.from_rotvec(move.tilt_deg * own.directions[:, 0], degrees=True).as_matrix()
    slices = round(own.shape[2] * own.spacing_mm[2] / move.spacing_mm)
    affine = np.eye(4)
    affine[:3, :3] = turn @ own.directions * (*own.spacing_mm[:2], move.spacing_mm)
    shape = (own.shape[0], own.shape[1], slices)
    affine[:3, 3] = own.world(middle) - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def rescan(volume: Volume, move: Move, level: float, rng: np.random.Generator) -> Volume:
    """`volume` as another visit shows it: slices averaged through their thickness, gain, Rician noise, moved person."""
    target = followup_grid(move, volume.grid)
    parts = []
    for offset in (-0.3, 0.0, 0.3):
        affine = np.array(target.affine)
        affine[:3, 3] += offset * affine[:3, 2]
        parts.append(resample(volume, Grid(target.shape, affine)).values)
    signal = np.mean(parts, axis=0) if move.spacing_mm else volume.values
    noise = move.noise * level * rng.standard_normal((2, *signal.shape))
    noisy = move.gain * np.hypot(signal + noise[0], noise[1])
    motion = person_motion(move, volume.grid.world((np.array(volume.grid.shape) - 1) / 2))
    return Volume(noisy.astype(np.float32), Grid(target.shape, motion @ target.affine))


def true_totals(case: Case, baseline: Visit, faded: float, settings: Settings) -> list[tuple[int, int]]:
    """The SPARCC (without the intensity item) that each reading implies on the baseline's levels, before and after."""
    search = levels.search_of(baseline, settings.lesions)
    wide = [settings.lesions.smoothing_mm / s for s in case.stir.grid.spacing_mm[:2]]
    ratio = ndi.gaussian_filter(case.stir.values, (*wide, 0)) / case.marrow
    found = []
    for outline in case.outlines:
        limit = np.percentile(ratio[outline], FAINTEST)
        totals = []
        for mask in (outline, outline & (1 + (ratio - 1) * (1 - faded) >= limit) if faded else outline):
            evidence = levels.read_mask(search, mask[search.box] & (search.code > 0), None, baseline, settings.lesions)
            totals.append(score_sparcc(evidence, settings.scoring).total)
        found.append((totals[0], totals[1]))
    return found


def score(stir: Volume, t1: Volume, settings: Settings) -> Visit | tuple[Any, ...]:
    """Write the images as files, as a user has them, and score them."""
    with tempfile.TemporaryDirectory() as folder:
        write_nifti(stir, Path(folder) / "stir.nii.gz")
        write_nifti(t1, Path(folder) / "t1.nii.gz")
        return of_result(score_visit(Path(folder), settings))


def compare_moves(case: Case, settings: Settings, moves: tuple[Move, ...] = MOVES) -> list[Row]:
    """One row a move, and one with the visits swapped for each that fades."""
    baseline = score(case.stir, case.t1, settings)
    if not isinstance(baseline, Visit):
        return [{"case": case.name, "move": "baseline", "class": "not_scorable", "right": False}]
    rows = []
    for number, move in enumerate(moves):
        rng = np.random.default_rng(1000 + number)
        level = float(np.median(case.marrow))
        stir = rescan(fade(case, move.faded, rng), move, level, rng)
        t1 = rescan(case.t1, move, float(np.median(case.t1.values[case.t1.values > 0])), rng)
        followup = score(stir, t1, settings)
        truth = true_totals(case, baseline, move.faded, settings)
        rows.append(judged(case, move.name, [baseline, followup], truth, settings))
        if move.faded:
            back = [(after, before) for before, after in truth]
            rows.append(judged(case, f"{move.name}, swapped", [followup, baseline], back, settings))
    return rows


def judged(case: Case, name: str, visits: list[Any], truth: list[tuple[int, int]], settings: Settings) -> Row:
    """Compare, and hold the class against those that the readings imply."""
    followup = compare_visits(visits, settings).followups[0]
    expected = {str(classify(*totals, settings.compare)) for totals in truth}
    row: Row = {
        "case": case.name,
        "move": name,
        "readings": " ".join(f"{a}>{b}" for a, b in truth),
        "expected": "/".join(sorted(expected)),
        "class": str(followup.change_class),
        "right": str(followup.change_class) in expected,
        "reasons": " ".join(reason.code for reason in followup.reasons),
        "joint_mm": None if followup.alignment is None else round(followup.alignment.joint_mm, 2),
    }
    if followup.change is not None:
        outcome, volume = followup.change.outcome, followup.change.volume
        row["sparcc"] = f"{outcome.baseline:g}>{outcome.followup:g}"
        row["ml"] = f"{volume.baseline_ml:.2f}>{volume.followup_ml:.2f}"
    return row


COLUMNS = ("case", "move", "readings", "expected", "class", "right", "sparcc", "ml", "joint_mm", "reasons")


def main() -> None:
    """Run all cases, print a line each and the share of classes that are right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/sij_nifti"))
    parser.add_argument("--cases", nargs="*", help="names of cases; all by default")
    parser.add_argument("--csv", type=Path, help="also write the table here")
    given = parser.parse_args()
    settings = Settings()
    folders = sorted(f for f in given.data.iterdir() if (f / READINGS[0]).is_file())
    if not folders:
        raise RefusedError(f"No case with {READINGS[0]} is here.")
    rows: list[Row] = []
    print("\t".join(COLUMNS))
    for folder in folders:
        if given.cases and folder.name not in given.cases:
            continue
        for row in compare_moves(read_case(folder), settings):
            rows.append(row)
            print("\t".join(str(row.get(column, "")) for column in COLUMNS), flush=True)
    print(json.dumps({"comparisons": len(rows), "class_right": sum(row["right"] for row in rows)}))
    if given.csv:
        with given.csv.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
