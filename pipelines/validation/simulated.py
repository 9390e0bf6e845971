#!/usr/bin/env python3
"""Score simulated patients end to end and hold the result against their true forms.

usage: simulated.py FIRST_SEED LAST_SEED [--noise-free] [--eroded] [--true-anatomy] [--config SETTINGS.toml]
                    [--table OUT.csv]

Each seed is one visit of one simulated person: clinical sampling, noise, coil, mimics and, in two of three, oedema.
With --noise-free there is no noise, marrow and the suppression of fat are even and there are no mimics: lesions, coil
and sampling stay as they are. With --eroded every joint that has oedema has inflamed erosions too. With
--true-anatomy the bones and where cartilage ends are not looked for but given.
The visit is written as NIfTI and scored as any other. Printed: ICC(2,1) of the total, bias, limits of agreement,
kappa of quadrants, intensity and depth items on the slices that both forms hold, how often the interval holds the
truth, and how often no oedema gives 0. Visits that are not scorable are counted apart, never as 0. Simulated
results say nothing about patients by themselves.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mri_sij.config import Settings, load_settings
from mri_sij.errors import RefusedError
from mri_sij.evidence import Evidence
from mri_sij.ingest.nifti import write_nifti
from mri_sij.phantom.lesion import draw_erosions
from mri_sij.phantom.scan import SimulatedVisit
from mri_sij.phantom.study import INTENSE_RATIO, total_of
from mri_sij.phantom.truth import true_form, true_slices
from mri_sij.phantom.visits import draw_courses, draw_sessions, person_of, scan
from mri_sij.scoring.agreement import bland_altman, cohen_kappa, icc_2_1
from mri_sij.volume import LabelMap
from mri_sij.workflow import score_visit

Pairs = list[tuple[bool, bool]]
_CARTILAGE, _BETWEEN_MM = 5, 2.0
"""Number of the joint's cartilage in the true masks, after the simulation's bones, and how far from the midline it is
marked."""


@dataclass(frozen=True)
class Compared:
    """One visit: true and measured total, the interval, and (true, measured) items on common slices."""

    seed: int
    truth: int
    total: int
    low: int
    high: int
    quadrants: Pairs
    intense: Pairs
    deep: Pairs


def simulate(seed: int, *, noise_free: bool = False, eroded: bool = False) -> SimulatedVisit:
    """The visit that `seed` stands for."""
    person, session, lesions = person_of(seed), draw_sessions(seed, 1)[0], draw_courses(seed, 1)[0]
    if eroded:
        lesions = (*lesions, *draw_erosions(np.random.default_rng([seed, 4]), lesions))
    if noise_free:
        even = np.zeros(person.lattice.shape, np.float32)
        person = replace(person, fattiness=even, grain=even, disc=even, fibre=even + 1, mimics=False)
        session = replace(session, scanner=replace(session.scanner, snr=np.inf, fat_fault=0.0))
    return scan(person, seed, lesions, session)


def compare(visit: SimulatedVisit, seed: int, settings: Settings, folder: Path) -> Compared | str:
    """Score one visit; a string says why it has no score."""
    slices = true_slices(visit)
    if slices is None:
        return "truth: fewer than six slices"
    truth = true_form(visit, slices, INTENSE_RATIO)
    folder.mkdir()
    write_nifti(visit.stir, folder / "stir.nii.gz")
    write_nifti(visit.t1, folder / "t1.nii.gz")
    try:
        result = score_visit(folder, settings)
    except RefusedError as error:
        return f"refused: {error.message}"
    if result.findings is None or result.sheet is None:
        return "not scorable: " + ", ".join(reason.code for reason in result.reasons)
    found = result.findings.evidence
    interval = result.findings.interval
    return Compared(
        seed, total_of(truth), result.sheet.sparcc.total, interval.low, interval.high, *_items(truth, found)
    )


def _given_bones(visit: SimulatedVisit, settings: Settings, folder: Path) -> Settings:
    """Settings that take the true bones and the true extent of cartilage, written to `folder`."""
    folder.mkdir()
    labels = visit.labels.data.copy()
    between = (labels == 0) & (np.abs(visit.joint_mm) < _BETWEEN_MM)
    labels[between & visit.cartilaginous] = _CARTILAGE
    names = {**visit.labels.names, _CARTILAGE: "cartilage"}
    write_nifti(LabelMap(labels, visit.labels.grid, names), folder / "bones.nii.gz")
    numbers = {**settings.anatomy.mask_labels, "cartilage": [_CARTILAGE]}
    anatomy = settings.anatomy.model_copy(update={"mask_labels": numbers})
    return settings.model_copy(update={"anatomy": anatomy}).with_segmenter(f"masks:{folder / 'bones.nii.gz'}")


def _items(truth: Evidence, found: Evidence) -> tuple[Pairs, Pairs, Pairs]:
    true = {(joint.slice_number, joint.side): joint for joint in truth.joints}
    quadrants: Pairs = []
    intense: Pairs = []
    deep: Pairs = []
    for joint in found.joints:
        other = true.get((joint.slice_number, joint.side))
        if other is None or not other.quadrants or not joint.quadrants:
            continue
        marked = {q.quadrant: q.oedema for q in other.quadrants}
        quadrants += [(marked[q.quadrant], q.oedema) for q in joint.quadrants if q.quadrant in marked]
        intense.append((other.intense, joint.intense))
        deep.append((other.deep, joint.deep))
    return quadrants, intense, deep


def report(found: list[Compared], left_out: list[str]) -> str:
    """The figures as text."""
    truth, total = (np.array([getattr(one, name) for one in found], float) for name in ("truth", "total"))
    limits = bland_altman(truth, total)
    held = np.mean([one.low <= one.truth <= one.high for one in found])
    clean, off = total[truth == 0], np.abs(total - truth)
    lines = [
        f"visits {len(found)}, without a score {len(left_out)}",
        f"total: ICC(2,1) {_icc(truth, total):.3f}",
        f"bias {limits.bias:+.2f}, limits of agreement {limits.low:.1f} to {limits.high:.1f}",
        f"off by {off.mean():.1f} on average, exact in {np.sum(off == 0)}, within 2 points in {np.sum(off <= 2)}",
        *(f"{name}: kappa {_kappa(found, name):.3f}" for name in ("quadrants", "intense", "deep")),
        f"the interval holds the truth in {held:.0%}",
        f"no oedema: total 0 in {np.mean(clean == 0):.0%} of {len(clean)}" if len(clean) else "no visit without oedema",
    ]
    return "\n".join(lines)


def _icc(truth: np.ndarray, total: np.ndarray) -> float:
    return float(icc_2_1(np.stack([truth, total], 1)))


def _kappa(found: list[Compared], name: str) -> float:
    pairs: Pairs = [pair for one in found for pair in getattr(one, name)]
    return cohen_kappa([a for a, _ in pairs], [b for _, b in pairs])


def _arguments() -> Namespace:
    parser = ArgumentParser(description="Score simulated patients end to end.")
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    parser.add_argument("--noise-free", action="store_true")
    parser.add_argument("--eroded", action="store_true")
    parser.add_argument("--true-anatomy", action="store_true")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--table", type=Path)
    return parser.parse_args()


def main() -> None:
    asked = _arguments()
    settings = load_settings(asked.config)
    found: list[Compared] = []
    left_out: list[str] = []
    for seed in range(asked.first, asked.last + 1):
        visit = simulate(seed, noise_free=asked.noise_free, eroded=asked.eroded)
        with tempfile.TemporaryDirectory() as folder:
            if asked.true_anatomy:
                settings = _given_bones(visit, settings, Path(folder) / "bones")
            one = compare(visit, seed, settings, Path(folder) / "visit")
        print(f"{seed}: {one if isinstance(one, str) else f'{one.truth} {one.total}'}", file=sys.stderr, flush=True)
        if isinstance(one, str):
            left_out.append(one)
        else:
            found.append(one)
    if asked.table:
        with asked.table.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(("seed", "truth", "total", "low", "high"))
            rows.writerows((one.seed, one.truth, one.total, one.low, one.high) for one in found)
    print(report(found, left_out))


if __name__ == "__main__":
    main()
