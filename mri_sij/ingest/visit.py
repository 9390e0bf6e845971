"""The images of one visit: discovered, chosen, read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mri_sij.config import IngestSettings
from mri_sij.errors import RefusedError
from mri_sij.evidence import Reason
from mri_sij.ingest.acquisition import Acquisition, acquisition_of
from mri_sij.ingest.candidate import Candidate, Choice, NoStirError, SeriesChoice
from mri_sij.ingest.choose import choose
from mri_sij.ingest.contrast import kind_by_contrast, looks_like_labels
from mri_sij.ingest.discover import index
from mri_sij.ingest.index import Index, Visit
from mri_sij.ingest.plane import plane_of
from mri_sij.ingest.read import read_series_volume
from mri_sij.ingest.sequence import SHORT_ECHO_MS
from mri_sij.volume import Volume


class VisitError(RefusedError):
    """A path that is not the folder of one visit."""

    code = "not_one_visit"


@dataclass(frozen=True)
class VisitImages:
    """The STIR and the T1 of one visit, each on its own grid, with how they were found.

    `orientation` is the STIR's plane by name, `tilt_deg` its angle from coronal; `input_sha256` is a hash of the
    voxels and grids that were read. `day` counts from one fixed day: for intervals, never to be written out.
    """

    stir: Volume
    t1: Volume | None
    stir_acquisition: Acquisition
    t1_acquisition: Acquisition | None
    orientation: str
    cautions: tuple[Reason, ...]
    series_considered: tuple[SeriesChoice, ...]
    input_sha256: str
    tilt_deg: float = 0.0
    day: int | None = None


def load_visit(path: Path, *, series: int | None = None, settings: IngestSettings | None = None) -> VisitImages:
    """Find, choose and read the STIR and T1 under `path`, which must hold one visit.

    `series` names the STIR by its number in `mri-sij scan` of the same path. Raises RefusedError (VisitError,
    NoStirError, StackError, ...) where nothing can be read without guessing.
    """
    found = index(path)
    visit = only_visit(found)
    return read_visit(visit, choose(visit, settings or IngestSettings(), series))


def only_visit(found: Index) -> Visit:
    """The one visit of an index. NIfTI files beside DICOM of one visit are its copies or results and passed over."""
    visits = found.visits
    dicom = [visit for visit in visits if visit.format == "dicom"]
    if len(dicom) == 1:
        return dicom[0]
    if len(visits) == 1:
        return visits[0]
    if not visits:
        refused = [item for item in found.refused if item.code != "not_an_image"]
        seen = f" {refused[0].name}: {refused[0].message}" if refused else ""
        hint = (refused[0].hint if refused else "") or "`mri-sij scan` says why each file was refused."
        raise VisitError(f"No image was found in {found.files} files.{seen}", hint=hint)
    raise VisitError(
        f"{len(visits)} visits are here (patients: {len(found.patients)}), expected one.",
        hint="Name the folder of one visit; `mri-sij scan` lists them, `mri-sij run` takes a whole study.",
    )


def read_visit(visit: Visit, choice: Choice) -> VisitImages:
    """Read the volumes that were chosen; raises the choice's refusal where there is none."""
    refusal = choice.refusal
    if refusal or choice.stir is None:
        raise refusal or RefusedError("Nothing was chosen.")
    stir, cautions = _read(choice.stir)
    t1, t1_cautions = _read(choice.t1) if choice.t1 else (None, ())
    cautions += _told_by_pictures(choice.stir, stir)
    if t1 is not None and t1.grid.same_as(stir.grid) and np.array_equal(t1.values, stir.values):
        text = "The T1 is the STIR once more, voxel by voxel: one image under two names. The T1 was left out."
        t1, t1_cautions = None, (Reason("t1_is_stir", text),)
    plane = plane_of(stir.grid)
    return VisitImages(
        stir=stir,
        t1=t1,
        stir_acquisition=_acquisition(choice.stir),
        t1_acquisition=_acquisition(choice.t1) if choice.t1 and t1 is not None else None,
        orientation=plane.name,
        cautions=tuple(dict.fromkeys((*choice.cautions, *cautions, *t1_cautions))),
        series_considered=choice.considered,
        input_sha256=hash_of(stir, t1),
        tilt_deg=round(plane.tilt_deg, 1),
        day=visit.fixed_day,
    )


def _told_by_pictures(named: Candidate, stir: Volume) -> tuple[Reason, ...]:
    """A caution where an image that is a STIR by words alone does not look like one, NoStirError where its echo time is
    a T1's too: a T1 under the name of a STIR shows no oedema, and was scored 0. Looks alone refuse nothing: the gain of
    a surface coil makes a T1 look like a STIR, and the other way round."""
    if named.sequence.decided_by != "words" or kind_by_contrast(stir) != "t1":
        return ()
    echo_ms = named.volume.protocol.echo_time_ms
    if echo_ms is not None and echo_ms <= SHORT_ECHO_MS:
        raise NoStirError(
            f"The image named as STIR looks like a T1, and its echo time ({echo_ms:g} ms) is that of one.",
            hint="Look at it; if it is a STIR all the same, name it with --series.",
        )
    text = (
        "What is a STIR by its words alone looks like a T1 (fat is bright, or bright signal is cut off): to be looked "
        "at, for a T1 shows no oedema."
    )
    return (Reason("stir_like_t1", text),)


def hash_of(*volumes: Volume | None) -> str:
    """SHA-256 of voxels (float32) and affines (to a micrometre), the same for one image in any file format."""
    digest = hashlib.sha256()
    for volume in volumes:
        if volume is None:
            digest.update(b"none")
            continue
        digest.update(repr(volume.grid.shape).encode())
        digest.update((np.round(volume.grid.affine, 3) + 0.0).tobytes())
        digest.update(np.ascontiguousarray(volume.values).tobytes())
    return digest.hexdigest()


def _read(candidate: Candidate) -> tuple[Volume, tuple[Reason, ...]]:
    volume, cautions = read_series_volume(candidate.volume)
    if looks_like_labels(volume):
        raise RefusedError(
            f"Series {candidate.series.number} holds a few whole numbers: a mask, not signal.",
            hint="Name the signal image with --series.",
        )
    return volume, cautions


def _acquisition(candidate: Candidate) -> Acquisition:
    sequence = candidate.sequence
    return acquisition_of(sequence.kind, sequence.decided_by, candidate.volume.protocol, candidate.grid)
