"""Write the visits of a simulated person to a folder, with the truth beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mri_sij.config import ScoringSettings
from mri_sij.errors import UsageError
from mri_sij.evidence import Evidence
from mri_sij.ingest.nifti import write_nifti
from mri_sij.phantom.dicom_out import Header, write_dicom
from mri_sij.phantom.lesion import Lesion
from mri_sij.phantom.scan import SimulatedVisit
from mri_sij.phantom.truth import true_form, true_slices
from mri_sij.phantom.visits import Session, draw_sessions, person_of, scan
from mri_sij.scoring.sparcc import score_sparcc
from mri_sij.volume import LabelMap

Plain = dict[str, Any]

INTENSE_RATIO = 2.6
"""Oedema this many times as bright as normal marrow counts as intense in the truth: simulated veins are 4-7 times as
bright, of which partial volume takes a third or more; readers compare with vessels on the same slice."""


@dataclass(frozen=True)
class Who:
    """Made-up particulars; `dates` (YYYYMMDD) one a visit."""

    patient_id: str
    sex: str
    age_years: int
    dates: tuple[str, ...]


def write_person(
    out: Path,
    seed: int,
    courses: Sequence[tuple[Lesion, ...]],
    *,
    dicom: bool = True,
    who: Who | None = None,
    sessions: Sequence[Session] | None = None,
) -> Plain:
    """Write visit-1, visit-2, ... and truth.json into the new folder `out`; UsageError where it is not empty."""
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"The folder {out.name} is not empty.", hint="Name a new one.")
    person = person_of(seed)
    sessions = sessions or draw_sessions(seed, len(courses))
    who = who or Who(f"SIM{seed:05d}", "O", 30, tuple(f"{2020 + n}0115" for n in range(len(courses))))
    truth = []
    for n, (lesions, session) in enumerate(zip(courses, sessions, strict=True), start=1):
        visit = scan(person, seed, lesions, session)
        folder = out / f"visit-{n}"
        if dicom:
            key = f"mri_sij phantom/{who.patient_id}/{seed}/{n}"
            header = Header(
                key,
                who.patient_id,
                who.sex,
                who.age_years,
                who.dates[n - 1],
                session.scanner,
                session.matrix.thickness_mm,
            )
            write_dicom(visit, header, folder, compress=True)
        else:
            _write_nifti(visit, folder)
        on_levels = visit if session is sessions[0] else scan(person, seed, lesions, sessions[0])
        truth.append(_truth(visit, session, on_levels, lesions))
    found = {"seed": seed, "visits": truth}
    (out / "truth.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return found


def _write_nifti(visit: SimulatedVisit, folder: Path) -> None:
    folder.mkdir(parents=True)
    write_nifti(visit.stir, folder / "stir.nii.gz")
    write_nifti(visit.t1, folder / "t1.nii.gz")
    write_nifti(visit.labels, folder / "truth_anatomy.nii.gz")
    oedema = LabelMap(visit.oedema.astype(np.uint8), visit.stir.grid, {1: "oedema"})
    write_nifti(oedema, folder / "truth_oedema.nii.gz")


def _truth(visit: SimulatedVisit, session: Session, on_levels: SimulatedVisit, lesions: tuple[Lesion, ...]) -> Plain:
    """The visit's true form on the baseline's levels (`on_levels`: its lesions scanned as the baseline was), and where
    the person lay."""
    slices = true_slices(on_levels)
    return {
        "sparcc_on_baseline_levels": None if slices is None else total_of(true_form(on_levels, slices, INTENSE_RATIO)),
        "oedema_ml": round(float(visit.oedema.sum()) * visit.stir.grid.voxel_ml, 3),
        "room": session.room,
        "tilt_deg": session.position.tilt_deg,
        "lesions": [
            {k: v if isinstance(v, float | bool) else str(v) for k, v in asdict(one).items()} for one in lesions
        ],
    }


def total_of(evidence: Evidence) -> int:
    """SPARCC of a true form."""
    return score_sparcc(evidence, ScoringSettings()).total
