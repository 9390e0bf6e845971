"""What makes starting again quick: `OUT/.state` remembers files' sizes and times of change.

It is no part of the output and can be deleted at any time: without it, inputs are read again to see that they are the
same. It holds no name of a file: files are numbers in the listing of the study, which must be the same to be used.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mri_sij import __version__
from mri_sij.ingest.tree import FoundFile, walk
from mri_sij.study.manifest import ManifestRow
from mri_sij.study.plan import Plan, PlannedVisit, from_plain, to_plain
from mri_sij.whole import write_whole

FOLDER = ".state"


@dataclass(frozen=True)
class Listing:
    """Every file of a study: its place (root, name relative to it). `digest` tells sizes and times of change, too."""

    places: tuple[tuple[str, str], ...]
    digest: str


def list_files(study: Path, rows: Sequence[ManifestRow] | None) -> Listing:
    """The listing of a study, or of what its manifest names. A file that goes away meanwhile is left out."""
    digest = hashlib.sha256(__version__.encode())
    for row in rows or ():
        digest.update(repr(row).encode("utf-8", "surrogateescape"))
    places = []
    for root in [""] if rows is None else [row.path for row in rows]:
        path = study / root
        base = path if path.is_dir() else path.parent
        for found in walk(path) if path.exists() else ():
            if isinstance(found, FoundFile):
                name = os.path.relpath(found.path, base)
                places.append((root, name))
                digest.update(f"{root}\0{name}\0{stamp_of(found.path)}\0".encode("utf-8", "surrogateescape"))
    return Listing(tuple(places), digest.hexdigest())


def stamp_of(path: Path) -> str:
    """Size and time of change of a file, "" where it cannot be seen."""
    try:
        about = path.stat()
    except OSError:
        return ""
    return f"{about.st_size}-{about.st_mtime_ns}"


def remembered_plan(out: Path, listing: Listing) -> Plan | None:
    """The plan of the last run, when not a file of the study has changed since."""
    try:
        kept = json.loads((out / FOLDER / "plan.json").read_text(encoding="utf-8"))
        if kept["listing"] != listing.digest:
            return None
        plan = from_plain(kept["plan"])
        visits = []
        for visit, numbers in zip(plan.visits, kept["files"], strict=True):
            places = [listing.places[n] for n in numbers]
            root = places[0][0] if places else ""
            visits.append(replace(visit, root=root, files=tuple(name for _, name in places)))
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None
    return Plan(tuple(visits), plan.notes)


def remember_plan(out: Path, listing: Listing, plan: Plan) -> None:
    """Keep a plan for the next run."""
    number = {place: n for n, place in enumerate(listing.places)}
    try:
        files = [[number[visit.root, name] for name in visit.files] for visit in plan.visits]
    except KeyError:  # a file came after the listing was made: the next run lists again
        return
    kept = {"listing": listing.digest, "plan": to_plain(plan), "files": files}
    write_whole(out / FOLDER / "plan.json", json.dumps(kept))


def seen_of(study: Path, visit: PlannedVisit) -> str:
    """Hash of the names, sizes and times of change of a visit's files."""
    digest = hashlib.sha256()
    for name, path in paths_of(study, visit):
        digest.update(f"{name}\0{stamp_of(path)}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def content_of(study: Path, visit: PlannedVisit) -> str:
    """Hash of the names and contents of a visit's files; OSError where one cannot be read."""
    digest = hashlib.sha256()
    for name, path in paths_of(study, visit):
        with path.open("rb") as stream:
            own = hashlib.file_digest(stream, "sha256").hexdigest()
        digest.update(f"{name}\0{own}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


_GLANCE = 4096


def glance_at(paths: Iterable[Path]) -> str:
    """Hash of the files' lengths and of what stands at their beginning and in their middle: quick to make, the same
    whatever they are called and whenever they were written, and another one for another scan."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            length = stream.seek(0, os.SEEK_END)
            digest.update(f"{length}\0".encode())
            for place in (0, length // 2):
                stream.seek(place)
                digest.update(stream.read(_GLANCE))
    return digest.hexdigest()


def paths_of(study: Path, visit: PlannedVisit) -> Iterable[tuple[str, Path]]:
    """Each file of a visit: its name in the plan and its path."""
    root = root_of(study, visit)
    return ((name, root / name) for name in visit.files)


def root_of(study: Path, visit: PlannedVisit) -> Path:
    """The folder that a visit's files are relative to."""
    root = study / visit.root
    return root.parent if visit.root and root.is_file() else root


def remembered_input(out: Path, key: str, seen: str) -> str:
    """The hash of a visit's content when it was last read, if its files look the same since; else ""."""
    try:
        kept = json.loads((out / FOLDER / f"{key}.json").read_text(encoding="utf-8"))
        return str(kept["content"]) if kept["seen"] == seen else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def remember_input(out: Path, key: str, seen: str, content: str) -> None:
    """Keep what a visit's files looked like when they had this content."""
    write_whole(out / FOLDER / f"{key}.json", json.dumps({"seen": seen, "content": content}))
