#!/usr/bin/env python3
"""What the segmenter makes of scans that show no pair of sacroiliac joints, and of scans that do.

usage: refusals.py [--seeds 10] [--real FOLDER] [--model NETWORK.onnx]

Simulated, each seed on STIR with T1 and on STIR alone: knees (one, both), left and right halves of a pelvis, its lower
third, sagittal slices, noise, random structures; all of them must be refused. `--real` adds every DICOM or NIfTI
volume of a folder that is no STIR of the sacroiliac joints by its header (they go to the network all the same, and
must be refused) and every one that is (which must not be). A line a scan says what was measured; exit status 5 when
anything was not as it must be.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import other_parts

from mri_sij.anatomy.find import Anatomy, Unusable, find_anatomy
from mri_sij.anatomy.segment import segment
from mri_sij.config import Settings
from mri_sij.errors import RefusedError
from mri_sij.ingest.discover import index
from mri_sij.ingest.read import read_series_volume
from mri_sij.ingest.visit import load_visit
from mri_sij.network.run import predict
from mri_sij.resample import resample
from mri_sij.volume import Volume

Case = tuple[str, bool, Volume, Volume | None]
"""Name, whether it shows a pair of sacroiliac joints, STIR and T1 in the reading frame."""


def look(stir: Volume, t1: Volume | None, model: bytes | None = None) -> Anatomy | Unusable:
    """Bones, joints and quality of a volume in the reading frame, by the shipped network or another."""
    settings = Settings().anatomy
    return find_anatomy(stir, segment(predict(stir, t1, model), settings), settings, t1)


def simulated(seeds: int) -> Iterator[Case]:
    """Simulated scans that must be refused."""
    for seed in range(1, seeds + 1):
        made = {
            "knee": other_parts.knee(seed),
            "knees": other_parts.knee(seed, both=True),
            "left half": other_parts.half_pelvis(seed, "left"),
            "right half": other_parts.half_pelvis(seed, "right"),
            "lower third": other_parts.below_the_joints(seed),
            "sagittal": other_parts.sagittal(seed),
            "noise": other_parts.only_noise(seed),
            "structures": other_parts.blobs(seed),
        }
        for name, (stir, t1) in made.items():
            yield f"{name} {seed} with T1", False, stir, t1
            yield f"{name} {seed}", False, stir, None


def real_others(folder: Path) -> Iterator[Case]:
    """Volumes that hold no sacroiliac joint: everything below `folder`/dicom_geometry."""
    for series in index(folder / "dicom_geometry").series:
        for number, one in enumerate(series.volumes, start=1):
            try:
                volume, _ = read_series_volume(one)
            except RefusedError:
                continue
            yield f"{series.place} volume {number}", False, volume.reordered(volume.grid.reading_order), None


def real_joints(folder: Path) -> Iterator[Case]:
    """The STIRs of sacroiliac joints in `folder`, with their T1 and alone."""
    for place in sorted([*(folder / "sij_nifti").glob("*/"), *(folder / "sij_dicom").glob("*/")]):
        images = load_visit(place)
        stir = images.stir.reordered(images.stir.grid.reading_order)
        if images.t1 is not None:
            yield f"{place.name} with T1", True, stir, resample(images.t1, stir.grid)
        yield place.name, True, stir, None


def main() -> None:
    """Look at every case and count."""
    ask = ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--seeds", type=int, default=10)
    ask.add_argument("--real", type=Path)
    ask.add_argument("--model", type=Path)
    told = ask.parse_args()
    model = told.model.read_bytes() if told.model else None
    right, wrong = Counter[str](), Counter[str]()
    for cases in (simulated(told.seeds), *((real_others(told.real), real_joints(told.real)) if told.real else ())):
        for name, is_joint, stir, t1 in cases:
            found = look(stir, t1, model)
            accepted = isinstance(found, Anatomy)
            kind = "joints accepted" if is_joint else "others refused"
            (right if accepted is is_joint else wrong)[kind] += 1
            reasons = "" if accepted else ", ".join(reason.code for reason in found.why.reasons)
            print(f"{'' if accepted is is_joint else 'WRONG '}{name}: {reasons or 'accepted'}", flush=True)
    for kind in sorted(right | wrong):
        print(f"{kind}: {right[kind]} of {right[kind] + wrong[kind]}")
    sys.exit(5 if wrong else 0)


if __name__ == "__main__":
    main()
