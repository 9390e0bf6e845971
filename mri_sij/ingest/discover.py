"""Everything that a folder tree holds, from headers alone."""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from mri_sij.errors import RefusedError
from mri_sij.evidence import Reason
from mri_sij.ingest import image_files
from mri_sij.ingest.frame import Frame
from mri_sij.ingest.headers import read_frames
from mri_sij.ingest.index import Index, Owner, Patient, RefusedFile, Series, SeriesVolume, Visit
from mri_sij.ingest.split import missing_at_an_end, stacks
from mri_sij.ingest.stack import RefusedStack, Stack
from mri_sij.ingest.tree import FoundFile, UnreadableEntry, kind_of, walk

PARALLEL_FROM_FILES = 4000
"""Below this, starting a process and importing pydicom in it costs more than it saves (measured)."""

_CHUNK = 512

Found = list[Frame] | image_files.FoundImage | RefusedFile


def index(path: Path, *, workers: int = 1) -> Index:
    """All patients, visits, series and stacks under `path`, and every file that was refused.

    Reads headers only, in `workers` processes where the tree is large. The same tree gives the same index. Raises
    RefusedError when there is nothing at `path`.
    """
    if not path.exists():
        raise RefusedError("There is nothing at that path.", hint="Check the path.")
    return index_files(path, walk(path), workers=workers)


def index_files(root: Path, entries: Iterable[FoundFile | UnreadableEntry], *, workers: int = 1) -> Index:
    """The same of some of the files under `root`, as `walk` gives them."""
    entries = list(entries)
    found: list[Found] = [
        RefusedFile(entry.name, "unreadable", f"Cannot be opened: {entry.reason}.")
        for entry in entries
        if isinstance(entry, UnreadableEntry)
    ]
    files = [entry for entry in entries if isinstance(entry, FoundFile)]
    found.extend(_inspect_all(files, workers))
    frames = [frame for item in found if isinstance(item, list) for frame in item]
    images = [item for item in found if isinstance(item, image_files.FoundImage)]
    sidecars = {image_files.sidecar_name(image) for image in images}
    refused = [item for item in found if isinstance(item, RefusedFile) and item.name not in sidecars]
    patients = [*_dicom_patients(frames), *image_files.patients(images)]
    return Index(root, len(files), _numbered(patients), tuple(sorted(refused, key=lambda item: item.name)))


def inspect(file: FoundFile) -> Found:
    """What one file holds: DICOM frames, an image of another format, or the reason why it is refused."""
    try:
        with file.path.open("rb") as stream:
            kind = kind_of(stream)
            if kind == "dicom":
                return read_frames(file.path, file.name, stream)
        return image_files.inspect_other(file.path, file.name, kind)
    except RefusedError as error:
        return RefusedFile(file.name, error.code, error.message, error.hint)
    except MemoryError:
        return RefusedFile(file.name, "too_large", "The header needs more memory than there is.")
    except OSError as error:
        return RefusedFile(file.name, "unreadable", f"Cannot be read: {error.strerror or 'input error'}.")


def _inspect_all(files: list[FoundFile], workers: int) -> Iterable[Found]:
    if workers < 2 or len(files) < PARALLEL_FROM_FILES:
        return [inspect(file) for file in files]
    count = min(workers, os.cpu_count() or 1)
    context = get_context("spawn")
    # What pydicom warns of quotes header values, and nobody reads it there.
    with ProcessPoolExecutor(count, context, initializer=warnings.simplefilter, initargs=("ignore",)) as pool:
        return list(pool.map(inspect, files, chunksize=_CHUNK))


def _dicom_patients(frames: list[Frame]) -> list[list[Visit]]:
    tree: dict[str, dict[str, dict[str, list[Frame]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for frame in frames:
        # Without an identifier a file belongs to its folder, so that strangers are never joined.
        home = str(frame.path.parent)
        patient, study = frame.key_patient or frame.key_study or home, frame.key_study or home
        tree[patient][study][frame.key_series or home].append(frame)
    found = []
    for studies in tree.values():
        visits = [_visit(list(series.values())) for series in studies.values()]
        visits.sort(key=lambda visit: (visit.day is None, visit.day or 0, visit.series[0].place))
        found.append(visits)
    return sorted(found, key=lambda visits: visits[0].series[0].place)


def _visit(all_series: list[list[Frame]]) -> Visit:
    days = [frame.day for frames in all_series for frame in frames if frame.day is not None]
    series = [_series(frames) for frames in all_series]
    ordered = sorted(
        zip(series, all_series, strict=True), key=lambda pair: (pair[1][0].series_number or 0, pair[0].place)
    )
    day = min(days) if days else None
    return Visit(0, day, "dicom", tuple(one for one, _ in ordered), fixed_day=day)


def _series(frames: list[Frame]) -> Series:
    found = stacks(frames)
    volumes = tuple(
        SeriesVolume(n, stack.frames[0].protocol, stack, None, stack.distinct)
        if isinstance(stack, Stack)
        else SeriesVolume(n, stack.frames[0].protocol, None, stack.error, stack.distinct)
        for n, stack in enumerate(found, 1)
    )
    missing = missing_at_an_end(frames) if len(volumes) == 1 and volumes[0].source else _refused_beside(found)
    folders = {str(Path(frame.name).parent) for frame in frames}
    return Series(
        number=0,
        format="dicom",
        files=len({frame.name for frame in frames}),
        place=min(folders),
        volumes=volumes,
        frame_of_reference=frames[0].key_frame_of_reference,
        cautions=(missing,) if missing else (),
        paths=tuple(sorted({frame.path for frame in frames})),
        owner=Owner(only(frame.key_name for frame in frames), only(frame.key_birth for frame in frames)),
    )


def _refused_beside(found: list[Stack | RefusedStack]) -> Reason | None:
    """A few images that were refused beside a stack: of a slice missing at its end, geometry would not tell."""
    whole = max((len(one.frames) for one in found if isinstance(one, Stack)), default=0)
    refused = [len(one.frames) for one in found if isinstance(one, RefusedStack) and not one.distinct]
    few = sum(count for count in refused if count < whole)
    if not few:
        return None
    message = f"Of {few + whole} images of the series {few} cannot be used."
    return Reason("end_slices_may_be_missing", message + " A slice may be missing at an end of the stack.")


def only(keys: Iterable[str]) -> str:
    """The one key that all share, "" where they differ or have none."""
    found = set(keys)
    return found.pop() if len(found) == 1 else ""


def _numbered(patients: list[list[Visit]]) -> tuple[Patient, ...]:
    count, result = 0, []
    for number, visits in enumerate(patients, 1):
        first = next((visit.day for visit in visits if visit.day is not None), None)
        numbered = []
        for n, visit in enumerate(visits, 1):
            series = []
            for one in visit.series:
                count += 1
                series.append(replace(one, number=count))
            day = None if visit.day is None or first is None else visit.day - first
            numbered.append(replace(visit, number=n, day=day, series=tuple(series)))
        result.append(Patient(number, tuple(numbered)))
    return tuple(result)
