"""What a study holds: which visits there are, whose they are, in what order, and what each is compared with."""

from __future__ import annotations

import csv
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from mri_sij.errors import RefusedError, UsageError
from mri_sij.ingest.discover import index
from mri_sij.ingest.index import Index, Visit
from mri_sij.ingest.stack import Stack

MANIFEST_COLUMNS = ("patient", "visit", "path", "role")
ROLES = ("", "baseline", "followup")
_LABEL = re.compile(r"[A-Za-z0-9]{1,32}")
_BIDS = re.compile(r"(?:^|/)sub-([A-Za-z0-9]+)(?:/ses-([A-Za-z0-9]+))?(?:/|$)")


@dataclass(frozen=True)
class PlannedVisit:
    """One visit to score. `patient` and `visit` are labels that identify nobody; `day` counts from the patient's first
    visit; `found` is None where a manifest names a path that holds no single visit, and then `problem` says why."""

    patient: str
    visit: str
    day: int | None
    baseline: bool
    found: Visit | None
    fingerprint: str
    problem: str = ""
    code: str = ""

    @property
    def key(self) -> str:
        """Name of the visit in every output: `sub-<patient>_ses-<visit>`."""
        return f"sub-{self.patient}_ses-{self.visit}"


@dataclass(frozen=True)
class Plan:
    """All visits, patient by patient, each patient's baseline first."""

    visits: tuple[PlannedVisit, ...]

    def followups(self) -> tuple[tuple[PlannedVisit, PlannedVisit], ...]:
        """Every follow-up with its baseline."""
        pairs = []
        for patient in dict.fromkeys(v.patient for v in self.visits):
            own = [v for v in self.visits if v.patient == patient]
            base = next((v for v in own if v.baseline), None)
            pairs += [(base, v) for v in own if base is not None and v is not base]
        return tuple(pairs)


def plan_study(study: Path, manifest: Path | None) -> Plan:
    """Visits of a folder tree (DICOM by patient and study date, or BIDS `sub-*/ses-*`), or of a manifest.

    Labels are those of the manifest or of BIDS; otherwise patients and visits are numbered as `mri-sij scan` numbers
    them, so that no name from a header or a folder enters an output. RefusedError where there is nothing to score.
    """
    if not study.is_dir():
        raise RefusedError(f"{study.name} is not a folder.", hint="Name the folder of the study.")
    if manifest is not None:
        return _from_manifest(study, manifest)
    found = index(study)
    if not found.visits:
        raise RefusedError(f"No image was found in {found.files} files.", hint="`mri-sij scan` says why.")
    planned: list[PlannedVisit] = []
    for patient in found.patients:
        labels = [_labels(visit, patient.number) for visit in patient.visits]
        for visit, (name, session) in zip(patient.visits, labels, strict=True):
            planned.append(
                PlannedVisit(name, session, visit.day, visit is patient.visits[0], visit, _fingerprint(visit))
            )
    return Plan(tuple(_unique(planned)))


def _labels(visit: Visit, patient_number: int) -> tuple[str, str]:
    bids = _BIDS.search(visit.series[0].place)
    if bids:
        return bids[1], bids[2] or f"{visit.number:02d}"
    return f"{patient_number:03d}", f"{visit.number:02d}"


def _unique(planned: list[PlannedVisit]) -> list[PlannedVisit]:
    seen: dict[str, int] = {}
    for visit in planned:
        seen[visit.key] = seen.get(visit.key, 0) + 1
    double = sorted(key for key, count in seen.items() if count > 1)
    if double:
        raise RefusedError(
            f"{len(double)} visits have the same label, the first is {double[0]}.",
            hint="Give patients and visits labels of their own with --manifest.",
        )
    return planned


def _from_manifest(study: Path, manifest: Path) -> Plan:
    rows = _manifest_rows(manifest)
    planned = []
    for row in rows:
        path = study / row["path"]
        visit, problem, code = _single_visit(path)
        own = [r for r in rows if r["patient"] == row["patient"]]
        told = [r for r in own if r["role"] == "baseline"]
        if len(told) > 1:
            raise UsageError(f"The manifest names {len(told)} baselines for patient {row['patient']}; expected one.")
        baseline = row is (told[0] if told else own[0])
        fingerprint = _fingerprint(visit) if visit else ""
        planned.append(PlannedVisit(row["patient"], row["visit"], None, baseline, visit, fingerprint, problem, code))
    order = {p.patient: n for n, p in reversed(list(enumerate(planned)))}
    planned.sort(key=lambda p: (order[p.patient], not p.baseline))
    return Plan(tuple(_unique(planned)))


def _manifest_rows(manifest: Path) -> list[dict[str, str]]:
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            columns = tuple(reader.fieldnames or ())
            rows = [{c: (row.get(c) or "").strip() for c in MANIFEST_COLUMNS} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"The manifest {manifest.name} cannot be read: {type(error).__name__}.") from error
    missing = [c for c in MANIFEST_COLUMNS[:3] if c not in columns]
    if missing or not rows:
        raise UsageError(
            f"The manifest {manifest.name} has no {'rows' if not missing else 'column ' + missing[0]}.",
            hint="Its columns are patient, visit, path and, if you like, role (baseline or followup).",
        )
    for number, row in enumerate(rows, start=2):
        for column in ("patient", "visit"):
            if not _LABEL.fullmatch(row[column]):
                raise UsageError(f"Manifest {manifest.name}, line {number}: {column} must be letters and digits only.")
        if row["role"] not in ROLES:
            raise UsageError(f"Manifest {manifest.name}, line {number}: role must be baseline, followup or empty.")
    return rows


def _single_visit(path: Path) -> tuple[Visit | None, str, str]:
    from mri_sij.ingest.visit import only_visit  # noqa: PLC0415

    try:
        found: Index = index(path)
        return only_visit(found), "", ""
    except RefusedError as error:
        return None, error.message, error.code


def _fingerprint(visit: Visit) -> str:
    """Hash of the visit's file names, sizes and times of change: enough to see that an input changed."""
    digest = hashlib.sha256()
    for path in sorted(_files(visit)):
        stat = path.stat()
        digest.update(f"{path.name}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(visit: Visit) -> set[Path]:
    paths: set[Path] = set()
    for series in visit.series:
        for volume in series.volumes:
            if isinstance(volume.source, Stack):
                paths.update(frame.path for frame in volume.source.frames)
            elif volume.source is not None:
                paths.add(volume.source.path)
    return paths
