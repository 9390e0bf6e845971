"""Simulated pairs of visits with known change: is the class right, how far off the change, how well are bones aligned?

    python pipelines/validation/pairs.py --csv pairs.csv [--pairs 200] [--start 0] [--workers 1] [--json FILE]

Each pair is one person in two positions (tilt 0-20 degrees apart, other slices, gain and noise, another scanner), with
oedema that goes, fades, stays, brightens or comes. Truth is worked out from the simulation alone, on the baseline's
levels. A pair lies in the grey zone when its true change is below the smallest detectable one (3.4 points; van den
Berg 2015) without being 0. Pairs already in the CSV are not run again, so ranges of seeds can be run one by one or
a run taken up where it stopped; running figures are printed after each pair.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mri_sij.compare.outcome import classify
from mri_sij.compare.rigid import move
from mri_sij.config import CompareSettings, Settings
from mri_sij.errors import UsageError
from mri_sij.models import models_sha256
from mri_sij.phantom.dicom_out import Header, write_dicom
from mri_sij.phantom.study import INTENSE_RATIO, total_of
from mri_sij.phantom.truth import true_form, true_slices
from mri_sij.phantom.visits import Session, draw_courses, draw_sessions, person_of, scan
from mri_sij.workflow import compare_paths

Row = dict[str, str]
FIRST_SEED = 50_000
COLUMNS = (
    "seed", "class", "true_class", "true_baseline", "true_followup", "found_baseline", "found_followup", "own_followup",
    "same_slices", "alignment_mm", "surface_mm", "seconds", "reasons", "made_by",
)  # fmt: skip


def made_by() -> str:
    """Names models and settings, so that rows of different ones are never mixed."""
    return hashlib.sha256((models_sha256() + Settings().sha256).encode()).hexdigest()[:12]


def one(seed: int) -> Row:
    """Simulate a pair, write it as DICOM, score and compare it from there, and hold it against its truth."""
    settings, start = Settings(), time.monotonic()
    person, courses, sessions = person_of(seed), draw_courses(seed, 2), same_sequence(draw_sessions(seed, 2))
    pictures = [scan(person, seed, c, s) for c, s in zip(courses, sessions, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"visit-{n}" for n in (1, 2)]
        for path, picture, session in zip(paths, pictures, sessions, strict=True):
            who = Header(path.name, f"PAIR{seed}", "O", 30, "20200101", session.scanner, session.matrix.thickness_mm)
            write_dicom(picture, who, path)
        comparison = compare_paths(paths, settings)
    followup = comparison.followups[0]
    row = dict.fromkeys(COLUMNS, "") | {
        "seed": str(seed),
        "class": str(followup.change_class),
        "reasons": " ".join(reason.code for reason in followup.reasons),
        "seconds": f"{time.monotonic() - start:.0f}",
        "made_by": made_by(),
    }
    if comparison.baseline is None or followup.change is None or followup.alignment is None or followup.visit is None:
        return row
    slices = comparison.baseline.slices
    on_levels = (pictures[0], scan(person, seed, courses[1], sessions[0]))
    truth = [total_of(true_form(v, slices, INTENSE_RATIO)) for v in on_levels]
    outcome = followup.change.outcome
    aligned = alignment_error(pictures[0], np.array(sessions[1].room), followup.alignment.bones)
    return row | {
        "true_class": str(classify(truth[0], truth[1], settings.compare)),
        "true_baseline": str(truth[0]),
        "true_followup": str(truth[1]),
        "found_baseline": f"{outcome.baseline:g}",
        "found_followup": f"{outcome.followup:g}",
        "own_followup": str(followup.visit.form.total),
        "same_slices": str(true_slices(pictures[0]) == slices),
        "alignment_mm": f"{aligned:.3f}",
        "surface_mm": f"{followup.alignment.joint_mm:.3f}",
    }


def same_sequence(sessions: tuple[Session, ...]) -> tuple[Session, ...]:
    """Follow-ups by the baseline's sequences (others are refused, rightly); noise, coil and all else are their own."""
    first = sessions[0].scanner
    later = [replace(s, scanner=replace(s.scanner, stir=first.stir, t1=first.t1)) for s in sessions[1:]]
    return (sessions[0], *later)


def alignment_error(baseline: Any, room: Any, bones: Any) -> float:
    """Mean distance (mm) from where a point of the joints is in the follow-up to where its bone's motion puts it."""
    near = (np.abs(baseline.joint_mm) < 2) & baseline.cartilaginous
    points = baseline.stir.grid.world(np.argwhere(near)[::11])
    left = points[:, 0] < 0
    errors = []
    for bone, own in bones.items():
        mine = points if bone == 1 else points[left == (bone == 2)]
        errors.append(np.linalg.norm(move(own.motion, mine) - move(room, mine), axis=1).mean())
    return float(np.mean(errors))


def is_grey(row: Row) -> bool:
    """Whether the true change is there, but below the smallest detectable one."""
    change = abs(int(row["true_followup"]) - int(row["true_baseline"]))
    return 0 < change < CompareSettings().smallest_detectable_change


def is_near_remission(row: Row) -> bool:
    """Whether the true follow-up lies next to the remission threshold (below 2), where one point decides."""
    return row["true_followup"] in ("1", "2")


def summary(rows: list[Row]) -> dict[str, Any]:
    """The figures of the requirement, and what was not compared."""
    compared = [row for row in rows if row["true_class"]]
    clear = [row for row in compared if not is_grey(row)]
    clearest = [row for row in clear if not is_near_remission(row)]
    errors = [_change(row, "found") - _change(row, "true") for row in compared]

    def right(chosen: list[Row]) -> float | None:
        return float(np.mean([row["class"] == row["true_class"] for row in chosen])) if chosen else None

    def mean(column: str) -> float | None:
        return float(np.mean([float(row[column]) for row in compared])) if compared else None

    return {
        "pairs": len(rows),
        "compared": len(compared),
        "not_compared": {row["seed"]: row["reasons"] for row in rows if not row["true_class"]},
        "class_right": right(compared),
        "class_right_outside_grey_zone": right(clear),
        "outside_grey_zone": len(clear),
        "class_right_outside_grey_zone_and_not_next_to_remission": right(clearest),
        "outside_grey_zone_and_not_next_to_remission": len(clearest),
        "change_mean_absolute_error": float(np.mean(np.abs(errors))) if errors else None,
        "change_mean_error": float(np.mean(errors)) if errors else None,
        "alignment_mm_mean": mean("alignment_mm"),
        "alignment_mm_most": max((float(row["alignment_mm"]) for row in compared), default=None),
        "joint_surfaces_apart_mm_mean": mean("surface_mm"),
    }


def _change(row: Row, which: str) -> float:
    return float(row[f"{which}_followup"]) - float(row[f"{which}_baseline"])


def read_rows(path: Path) -> list[Row]:
    """Rows of an earlier run; UsageError when other models or settings made them."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if any(row["made_by"] != made_by() for row in rows):
        raise UsageError(f"{path.name} was made with other models or settings.", hint="Name a new file.")
    return rows


def main() -> None:
    """Parse, run what is not yet in the CSV, print running figures and the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--csv", type=Path, required=True, help="one row a pair, added to; pairs in it are not run again"
    )
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--start", type=int, default=0, help="first pair of the range")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", type=Path, help="also write the summary here")
    given = parser.parse_args()
    seeds = range(FIRST_SEED + given.start, FIRST_SEED + given.start + given.pairs)
    rows = read_rows(given.csv)
    left = sorted(set(seeds) - {int(row["seed"]) for row in rows})
    with given.csv.open("a", encoding="utf-8", newline="") as stream, ProcessPoolExecutor(given.workers) as pool:
        writer = csv.DictWriter(stream, COLUMNS)
        if not rows:
            writer.writeheader()
        for row in pool.map(one, left):
            writer.writerow(row)
            stream.flush()
            rows.append(row)
            print(running(row, rows), flush=True)
    rows = [row for row in rows if int(row["seed"]) in seeds]
    print(json.dumps(summary(rows), indent=2))
    if given.json:
        given.json.write_text(json.dumps(summary(rows), indent=2) + "\n", encoding="utf-8")


def running(row: Row, rows: list[Row]) -> str:
    """A pair in a line, with the figures so far."""
    so_far = summary(rows)
    if row["true_class"]:
        truth, found = (f"{row[f'{w}_baseline']}>{row[f'{w}_followup']}" for w in ("true", "found"))
        told = f"{row['class']} (true {row['true_class']}), SPARCC {found} (true {truth}), {row['alignment_mm']} mm"
    else:
        told = f"not compared: {row['reasons']}"
    figures = ("class_right_outside_grey_zone", "change_mean_absolute_error", "alignment_mm_mean")
    shares = ", ".join("-" if so_far[name] is None else f"{so_far[name]:.2f}" for name in figures)
    return f"{row['seed']}: {told}; {row['seconds']} s | {so_far['pairs']} pairs: {shares}"


if __name__ == "__main__":
    main()
