"""Simulated pairs of visits with known change: is the class right, how far off the change, how well are bones aligned?

    python pipelines/validation/pairs.py [--pairs 200] [--start 0] [--workers 1] [--json FILE]

Each pair is one person in two positions (tilt 0-20 degrees apart, other slices, gain and noise, another scanner), with
oedema that goes, fades, stays, brightens or comes. Truth is worked out from the simulation alone, on the baseline's
levels. The grey zone is a true change of 1 to 3 points, or a true follow-up next to the remission threshold (1 or 2).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mri_sij.compare.outcome import classify
from mri_sij.compare.rigid import move
from mri_sij.config import Settings
from mri_sij.phantom.dicom_out import Header, write_dicom
from mri_sij.phantom.study import INTENSE_RATIO, total_of
from mri_sij.phantom.truth import true_form, true_slices
from mri_sij.phantom.visits import Session, draw_courses, draw_sessions, person_of, scan
from mri_sij.workflow import compare_paths

Plain = dict[str, Any]


def one(seed: int) -> Plain:
    """Simulate a pair, write it as DICOM, score and compare it from there, and hold it against its truth."""
    settings = Settings()
    person, courses, sessions = person_of(seed), draw_courses(seed, 2), same_sequence(draw_sessions(seed, 2))
    pictures = [scan(person, seed, c, s) for c, s in zip(courses, sessions, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"visit-{n}" for n in (1, 2)]
        for path, picture, session in zip(paths, pictures, sessions, strict=True):
            who = Header(path.name, f"PAIR{seed}", "O", 30, "20200101", session.scanner, session.matrix.thickness_mm)
            write_dicom(picture, who, path)
        comparison = compare_paths(paths, settings)
    followup = comparison.followups[0]
    found: Plain = {
        "seed": seed,
        "class": str(followup.change_class),
        "reasons": [reason.code for reason in followup.reasons],
    }
    if comparison.baseline is None or followup.change is None or followup.alignment is None:
        return found
    slices = comparison.baseline.slices
    on_levels = (pictures[0], scan(person, seed, courses[1], sessions[0]))
    truth = [total_of(true_form(v, slices, INTENSE_RATIO)) for v in on_levels]
    outcome = followup.change.outcome
    return found | {
        "true_class": str(classify(truth[0], truth[1], settings.compare)),
        "true": truth,
        "found": [outcome.baseline, outcome.followup],
        "same_slices": true_slices(pictures[0]) == slices,
        "alignment_mm": alignment_error(pictures[0], np.array(sessions[1].room), followup.alignment.bones),
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


def summary(rows: list[Plain]) -> Plain:
    """The figures of the requirement, and what was not compared."""
    compared = [row for row in rows if "true" in row]
    changes = np.array([[row["true"][1] - row["true"][0], row["found"][1] - row["found"][0]] for row in compared])
    grey = [1 <= abs(row["true"][1] - row["true"][0]) <= 3 or row["true"][1] in (1, 2) for row in compared]
    right = [row["class"] == row["true_class"] for row in compared]
    clear = [ok for ok, unsure in zip(right, grey, strict=True) if not unsure]
    return {
        "pairs": len(rows),
        "compared": len(compared),
        "not_compared": {str(row["seed"]): row["reasons"] for row in rows if "true" not in row},
        "class_right_all": float(np.mean(right)) if right else None,
        "class_right_outside_grey_zone": float(np.mean(clear)) if clear else None,
        "outside_grey_zone": len(clear),
        "change_mean_absolute_error": float(np.abs(changes[:, 1] - changes[:, 0]).mean()) if len(changes) else None,
        "alignment_mm_mean": float(np.mean([row["alignment_mm"] for row in compared])) if compared else None,
        "alignment_mm_most": float(np.max([row["alignment_mm"] for row in compared])) if compared else None,
    }


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", type=Path, help="also write every pair here")
    given = parser.parse_args()
    seeds = range(50_000 + given.start, 50_000 + given.start + given.pairs)
    rows = []
    with ProcessPoolExecutor(given.workers) as pool:
        for row in pool.map(one, seeds):
            rows.append(row)
            print(json.dumps(row), flush=True)
    print(json.dumps(summary(rows), indent=2))
    if given.json:
        given.json.write_text(json.dumps({"summary": summary(rows), "pairs": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
