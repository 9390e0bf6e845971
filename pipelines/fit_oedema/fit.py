#!/usr/bin/env python3
"""Fit the voxel model of `mri_sij.lesions.odds` on simulated patients and write its coefficients.

usage: fit.py FIRST_SEED LAST_SEED OUT.json

Simulates one visit a seed, finds its bones with the shipped network (a model that has only seen true bones is led
astray by found ones), measures every voxel within 45 mm of a joint where oedema is looked for, and fits a
ridge-penalized logistic regression by Newton's method, once with T1 and once without. Every visit gives at most 15,000
voxels, so that large lesions do not outvote small ones. Takes about 20 s a seed on one core; the shipped coefficients
are those of `fit.py 20001 20160`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri_sij.anatomy.backends import segment_visit
from mri_sij.anatomy.find import Anatomy, find_anatomy
from mri_sij.config import Settings
from mri_sij.evidence import NotScorable
from mri_sij.lesions import odds
from mri_sij.lesions.assess import find_marrow, search_region
from mri_sij.network.run import predict
from mri_sij.phantom.scan import SimulatedVisit
from mri_sij.phantom.visits import draw_courses, draw_sessions, person_of, scan

VOXELS_A_VISIT, REACH_MM, RIDGE = 15000, 45.0, 1e-3
T1_MEASURES = ("t1", "t1_over")

Sample = tuple[tuple[str, ...], NDArray[np.float64], NDArray[np.bool_]]


def sample(visit: SimulatedVisit, rng: np.random.Generator) -> Sample | None:
    """Measures of some voxels of bone and whether each is oedema; None where the anatomy cannot be used."""
    settings = Settings()
    maps = predict(visit.stir, visit.t1)
    bones = segment_visit(visit.stir, visit.t1, maps, settings.anatomy)
    anatomy = find_anatomy(visit.stir, bones, settings.anatomy, visit.t1)
    if not isinstance(anatomy, Anatomy):
        return None
    marrow = find_marrow(visit.stir, visit.t1, anatomy, maps, settings.lesions)
    if isinstance(marrow, NotScorable):
        return None
    search = search_region(visit.stir, anatomy, maps, marrow, settings.lesions)
    found = odds.measures(search)
    usable = np.flatnonzero((search.code > 0) & (search.depth_mm < REACH_MM))
    at = rng.choice(usable, min(VOXELS_A_VISIT, len(usable)), replace=False)
    table = np.stack([values.ravel()[at] for values in found.values()], 1).astype(float)
    return tuple(found), table, visit.oedema[search.box].ravel()[at]


def fit(samples: list[Sample], *, with_t1: bool) -> dict[str, float]:
    """Coefficients by measure, with the constant."""
    names = samples[0][0]
    columns = [n for n, name in enumerate(names) if with_t1 or name not in T1_MEASURES]
    table = np.concatenate([s[1][:, columns] for s in samples])
    truth = np.concatenate([s[2] for s in samples]).astype(float)
    middle, spread = table.mean(0), table.std(0) + 1e-6
    design = np.concatenate([np.ones((len(table), 1)), (table - middle) / spread], 1)
    solution = _newton(design, truth, np.concatenate([_weights(s[2]) for s in samples]))
    weights = solution[1:] / spread
    constant = float(solution[0] - weights @ middle)
    return {"constant": round(constant, 5)} | {
        names[n]: round(float(w), 5) for n, w in zip(columns, weights, strict=True)
    }


def _weights(oedema: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Oedema of a visit weighs more (up to 10 times) the less of it there is: small lesions are as much a finding."""
    return np.where(oedema, np.clip(1500 / max(int(oedema.sum()), 1), 1.0, 10.0), 1.0)


def _newton(
    design: NDArray[np.float64], truth: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    solution = np.zeros(design.shape[1])
    for _ in range(40):
        chance = 1 / (1 + np.exp(-np.clip(design @ solution, -30, 30)))
        slope = design.T @ (weight * (chance - truth)) / weight.sum() + RIDGE * np.r_[0, solution[1:]]
        curve = (design * (weight * chance * (1 - chance))[:, None]).T @ design / weight.sum()
        step = np.linalg.solve(curve + RIDGE * np.eye(len(solution)), slope)
        solution -= step
        if np.abs(step).max() < 1e-6:
            break
    return solution


def main() -> None:
    first, last, out = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    rng = np.random.default_rng(0)
    samples: list[Sample] = []
    for seed in range(first, last + 1):
        session, lesions = draw_sessions(seed, 1)[0], draw_courses(seed, 1)[0]
        visit = scan(person_of(seed), seed, lesions, session)
        found = sample(visit, rng)
        if found is not None:
            samples.append(found)
        print(f"{seed}: {'left out' if found is None else 'measured'}", file=sys.stderr, flush=True)
    write(samples, out)


def write(samples: list[Sample], out: Path) -> None:
    """Fit both sets of coefficients and store them with how many visits they rest on."""
    fitted = {"visits": len(samples), "with_t1": fit(samples, with_t1=True), "without_t1": fit(samples, with_t1=False)}
    out.write_text(json.dumps(fitted, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
