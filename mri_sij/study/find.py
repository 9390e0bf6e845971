"""Find the visits of a study: DICOM by patient and study date, BIDS by its labels, or as a manifest says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from mri_sij.errors import RefusedError
from mri_sij.ingest.discover import index, only
from mri_sij.ingest.index import Index, Owner, RefusedFile, Series, Visit
from mri_sij.ingest.sidecar import stem
from mri_sij.ingest.visit import only_visit
from mri_sij.study.manifest import ManifestRow
from mri_sij.study.plan import Note, Plan, PlannedVisit
from mri_sij.study.state import glance_at

_BIDS = re.compile(r"(?:^|/)sub-([A-Za-z0-9]+)(?:/ses-([A-Za-z0-9]+))?(?:/|_|$)")
_NOBODY = Owner()


@dataclass(frozen=True)
class _Draft:
    """A visit before its patient's others are known; `fixed_day` and `owner` are never written."""

    planned: PlannedVisit
    fixed_day: int | None = None
    owner: Owner = _NOBODY
    role: str = ""


def find_visits(study: Path, workers: int = 1) -> Plan:
    """The plan of a folder tree. RefusedError where it holds no image at all."""
    found = index(study, workers=workers)
    drafts = [*_drafts(found, study), *_unreadable(found)]
    if not drafts:
        raise RefusedError(
            f"No image was found in {found.files} files.", hint="`mri-sij scan` says why each file was refused."
        )
    lost = [item for item in found.refused if item.code != "not_an_image" and not _bids(item.name)[0]]
    notes = (*_twofold(drafts), *_lost(lost))
    return Plan(tuple(_ordered(_with_own_labels(drafts))), notes)


def find_listed(study: Path, rows: Iterable[ManifestRow]) -> Plan:
    """The plan that a manifest gives; a path that holds no single visit becomes a visit that is refused."""
    drafts = [_listed(study, row) for row in rows]
    return Plan(tuple(_ordered(drafts)), _twofold(drafts))


def _drafts(found: Index, study: Path) -> list[_Draft]:
    width = max(3, len(str(len(found.patients))))
    taken = {_bids(series.place)[0] for series in found.series}
    drafts = []
    for patient in found.patients:
        number = f"{patient.number:0{width}d}"
        number = f"x{number}" if number in taken else number
        for visit in patient.visits:
            named = _labels(visit, study)
            if len(named) > 1:
                drafts += _in_dispute(named)
                continue
            (labels,) = named or [(number, f"{visit.number:02d}")]
            planned = _with_files(PlannedVisit(*labels, None, False, numbered=not named), visit, study)
            drafts.append(_Draft(planned, visit.fixed_day, _owner(visit.series)))
    return drafts


def _labels(visit: Visit, study: Path) -> list[tuple[str, str]]:
    """The BIDS labels that a visit's files lie under, identical copies too: more than one where an export gave two
    scans one StudyInstanceUID, or a folder was copied."""
    folders = {path.parent if visit.format == "dicom" else path for one in visit.series for path in one.paths}
    found = {_bids(folder.relative_to(study).as_posix()) for folder in folders}
    return sorted((name, session or "01") for name, session in found if name)


def _in_dispute(named: list[tuple[str, str]]) -> list[_Draft]:
    """A refused visit for each label of one study: whose the scan is, nothing says."""
    keys = ", ".join(f"sub-{name}_ses-{session}" for name, session in named)
    told = (
        f"Files of one study (the same StudyInstanceUID) lie under the labels {keys}. Give every visit identifiers of "
        "its own, or take copies away."
    )
    return [_Draft(PlannedVisit(*labels, None, False, code="one_study_many_labels", message=told)) for labels in named]


def _bids(place: str) -> tuple[str, str]:
    found = _BIDS.search(place)
    return (found[1], found[2] or _session(place)) if found else ("", "")


def _session(place: str) -> str:
    found = re.search(r"[/_]ses-([A-Za-z0-9]+)", place)
    return found[1] if found else ""


def _unreadable(found: Index) -> list[_Draft]:
    """BIDS visits all of whose images were refused: they have no series, and still a row."""
    seen = {_bids(series.place) for series in found.series}
    lost: dict[tuple[str, str], RefusedFile] = {}
    for item in found.refused:
        labels = _bids(item.name)
        if labels[0] and labels not in seen and item.code != "not_an_image":
            lost.setdefault(labels, item)
    return [
        _Draft(PlannedVisit(name, session or "01", None, False, code=item.code, message=item.message))
        for (name, session), item in lost.items()
    ]


def _listed(study: Path, row: ManifestRow) -> _Draft:
    planned = PlannedVisit(row.patient, row.visit, None, False, root=row.path)
    path = study / row.path
    if not path.exists():
        told = "There is nothing at the path that the manifest names."
        return _Draft(replace(planned, code="not_there", message=told), role=row.role)
    found = index(path)
    damaged = [item for item in found.refused if item.code != "not_an_image"]
    if not found.visits and damaged:
        return _Draft(replace(planned, code=damaged[0].code, message=damaged[0].message), role=row.role)
    try:
        visit = only_visit(found)
    except RefusedError as error:
        return _Draft(replace(planned, code=error.code, message=error.message), role=row.role)
    planned = _with_files(planned, visit, path if path.is_dir() else path.parent)
    return _Draft(planned, visit.fixed_day, _owner(visit.series), row.role)


def _with_files(planned: PlannedVisit, visit: Visit, root: Path) -> PlannedVisit:
    """The visit with every file that it is read from: images, and what lies beside an image under its name."""
    paths = {path for series in visit.series for path in series.paths}
    if visit.format != "dicom":
        starts = {(path.parent, f"{stem(path)}.") for path in paths}
        paths |= {p for folder, start in starts for p in folder.iterdir() if p.name.startswith(start)}
    files = sorted(str(path.relative_to(root)) for path in paths if path.is_file())
    return replace(planned, files=tuple(files), files_sha256=glance_at(root / name for name in files))


def _owner(all_series: Iterable[Series]) -> Owner:
    owners = [series.owner for series in all_series]
    return Owner(only(owner.name for owner in owners), only(owner.birth for owner in owners))


def _with_own_labels(drafts: list[_Draft]) -> list[_Draft]:
    """Every visit under a label of its own: of several under one, none can be told to be the right one."""
    count: dict[tuple[str, str], int] = {}
    for draft in drafts:
        label = (draft.planned.patient.lower(), draft.planned.visit.lower())
        count[label] = count.get(label, 0) + 1
    told: dict[tuple[str, str], int] = {}
    kept = []
    for draft in drafts:
        label = (draft.planned.patient.lower(), draft.planned.visit.lower())
        if count[label] > 1:
            told[label] = told.get(label, 0) + 1
            message = f"{count[label]} visits have the label {draft.planned.key}. Name them apart in a manifest."
            visit = f"{draft.planned.visit}x{told[label]}"
            draft = replace(  # noqa: PLW2901
                draft, planned=replace(draft.planned, visit=visit, code="one_label_twice", message=message)
            )
        kept.append(draft)
    return kept


def _ordered(drafts: list[_Draft]) -> list[PlannedVisit]:
    """Patient by patient, each patient's baseline first, the rest in order of time, else of label."""
    patients: dict[str, list[_Draft]] = {}
    for draft in drafts:
        patients.setdefault(draft.planned.patient, []).append(draft)
    return [visit for own in patients.values() for visit in _of_one_patient(own)]


def _of_one_patient(own: list[_Draft]) -> list[PlannedVisit]:
    listed = any(draft.role for draft in own)
    if not listed:
        own = sorted(own, key=lambda d: (d.fixed_day is None, d.fixed_day or 0, d.planned.visit))
    base = next((d for d in own if d.role == "baseline"), own[0])
    days = [d.fixed_day for d in own if d.fixed_day is not None]
    first = min(days) if days else 0
    visits = []
    for draft in [base, *(d for d in own if d is not base)]:
        day = None if draft.fixed_day is None else draft.fixed_day - first
        pair = ("", "") if draft is base else _not_a_pair(base, draft)
        visits.append(replace(draft.planned, day=day, baseline=draft is base, pair_code=pair[0], pair_message=pair[1]))
    return visits


def _not_a_pair(base: _Draft, later: _Draft) -> tuple[str, str]:
    """Why headers say that a follow-up is not to be compared with its baseline: code and message, empty for nothing."""
    if base.owner.birth and later.owner.birth and base.owner.birth != later.owner.birth:
        return "two_people", "The two visits have different dates of birth: two people under one label."
    unsure = not (base.owner.birth and later.owner.birth)
    if unsure and base.owner.name and later.owner.name and base.owner.name != later.owner.name:
        return "two_people", "The two visits have different names and no date of birth to say that they are one person."
    if base.fixed_day is not None and later.fixed_day is not None and later.fixed_day < base.fixed_day:
        days = base.fixed_day - later.fixed_day
        return "wrong_order", f"The baseline was scanned {days} days after the follow-up."
    return "", ""


def _twofold(drafts: list[_Draft]) -> tuple[Note, ...]:
    """Labels that name and date of birth say are one person."""
    people: dict[tuple[str, str], list[str]] = {}
    for draft in drafts:
        if draft.owner.name and draft.owner.birth:
            labels = people.setdefault((draft.owner.name, draft.owner.birth), [])
            if draft.planned.patient not in labels:
                labels.append(draft.planned.patient)
    return tuple(
        Note(
            "one_person_twice",
            f"{' and '.join(f'sub-{label}' for label in labels)} have the same name and date of birth. If they are one "
            "person, say so in a manifest.",
        )
        for labels in people.values()
        if len(labels) > 1
    )


def _lost(refused: list[RefusedFile]) -> tuple[Note, ...]:
    counts: dict[str, int] = {}
    for item in refused:
        counts[item.code] = counts.get(item.code, 0) + 1
    if not counts:
        return ()
    listed = ", ".join(f"{count} {code}" for code, count in sorted(counts.items()))
    return (Note("files_refused", f"Files that could not be read: {listed}. `mri-sij scan` names them."),)
