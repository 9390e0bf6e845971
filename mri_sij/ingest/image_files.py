"""NIfTI, NRRD and MetaImage files: one file a series, grouped into visits by BIDS names, else by folder."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path, PurePath

from mri_sij.errors import RefusedError
from mri_sij.ingest import itk_formats, nifti
from mri_sij.ingest.frame import Protocol
from mri_sij.ingest.index import FileVolume, RefusedFile, Series, SeriesVolume, Visit, are_apart
from mri_sij.ingest.sidecar import protocol_of_file, stem
from mri_sij.ingest.words import concepts, plain_text
from mri_sij.volume import Volume

_IMAGE_NAMES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm", ".ima")

_ARCHIVE_NAMES = (".zip", ".gz", ".tgz")


@dataclass(frozen=True)
class FoundImage:
    """An image file whose header could be read."""

    name: str
    volumes: tuple[FileVolume, ...]
    protocol: Protocol


def inspect_other(path: Path, name: str, kind: str) -> FoundImage | RefusedFile:
    """The volumes of one file that is no DICOM, from its header; refuses as the reader of its format does."""
    if kind == "empty":
        return RefusedFile(name, "empty_file", "The file is empty.", "Copy or export it again.")
    if kind in ("", "archive"):
        return _refused_by_name(name, kind)
    if kind == "nifti":
        header = nifti.read_header(path)
        grids, description = [header.grid] * header.volumes, header.description
    else:
        grids, description = [itk_formats.read_grid(path, kind)], ""
    volumes = tuple(FileVolume(path, name, kind, n, grid) for n, grid in enumerate(grids))
    return FoundImage(name, volumes, protocol_of_file(path, description))


def read_file_volume(source: FileVolume) -> Volume:
    """The voxels of one volume of an image file; a refusal names the file."""
    try:
        if source.format == "nifti":
            return nifti.read_volume(source.path, volume=source.number)
        return itk_formats.read_volume(source.path, source.format)
    except RefusedError as error:
        error.files = error.files or (source.name,)
        raise


def _refused_by_name(name: str, kind: str) -> RefusedFile:
    """Why a file that is no image is refused: damaged where its name promises one, packed where it is an archive."""
    # Text documents and tables are zip archives, too, and are told from images by their names.
    if kind == "archive" and name.lower().endswith(_ARCHIVE_NAMES):
        return RefusedFile(name, "archive", "The file is packed; nothing in it was read.", "Unpack it.")
    if name.lower().endswith(_IMAGE_NAMES):
        return RefusedFile(name, "damaged_header", "The name promises an image; the content is none.", "Copy it again.")
    return RefusedFile(name, "not_an_image", "No image of a known format.")


def sidecar_name(image: FoundImage) -> str:
    """The name, relative to the root, of the side-car that belongs to an image."""
    name = PurePath(image.name)
    return str(name.with_name(stem(Path(image.name)) + ".json"))


def patients(images: list[FoundImage]) -> list[list[Visit]]:
    """Visits of each patient. BIDS names (sub-, ses-) say who and when; otherwise a folder is one visit.

    A folder with several subjects' files ("a_stir", "a_t1", "b_stir", "b_t1") is parted by what is left of the names
    (`_subjects`); files that say baseline and follow-up are two visits of one patient.
    """
    grouped: dict[tuple[str, str], dict[tuple[int, str], list[FoundImage]]] = defaultdict(lambda: defaultdict(list))
    for folder, members in _by_folder(images).items():
        subjects = _subjects(members)
        for image in members:
            subject, session = _bids(image.name)
            if subject:
                grouped[("bids", subject)][(0, session)].append(image)
            else:
                time = 1 if "followup" in image.protocol.words else 0
                grouped[(folder, subjects.get(image.name, ""))][(time, "")].append(image)
    return [[_visit(visits[key]) for key in sorted(visits)] for _, visits in sorted(grouped.items())]


def _by_folder(images: list[FoundImage]) -> dict[str, list[FoundImage]]:
    folders: dict[str, list[FoundImage]] = defaultdict(list)
    for image in images:
        folders[str(PurePath(image.name).parent)].append(image)
    return folders


def _bids(name: str) -> tuple[str, str]:
    subject = re.search(r"(?:^|[/_])(sub-[0-9A-Za-z]+)(?=[/_.])", name)
    session = re.search(r"(?:^|[/_])(ses-[0-9A-Za-z]+)(?=[/_.])", name)
    return (subject.group(1) if subject else ""), (session.group(1) if session else "")


def _subjects(members: list[FoundImage]) -> dict[str, str]:
    """Whose each file of a folder is by its name; {} where names do not say.

    Names part a folder where what is left of each without the words for sequence and plane has a fluid-sensitive image
    of its own; and, for a damaged file must not join strangers, where two such names are unlike and a T1 shares one.
    """
    words = {image.name: _name_words(image.name) for image in members}
    fluid = {words[image.name] for image in members if _is_fluid(image)}
    if len(set(words.values())) > 1 and fluid == set(words.values()):
        return {name: _joined(own) for name, own in words.items()}
    # "smith_t1_tse" is of "smith", who has a STIR.
    by_length = sorted(fluid, key=lambda one: (len(one), _joined(one)), reverse=True)
    homes = {name: next((one for one in by_length if one <= own), own) for name, own in words.items()}
    t1 = [image.name for image in members if "t1" in image.protocol.words and not _is_fluid(image)]
    if any(homes[name] in fluid for name in t1) and any(are_apart(*two) for two in combinations(by_length, 2)):
        return {name: _joined(home) for name, home in homes.items()}
    return {}


def _is_fluid(image: FoundImage) -> bool:
    return bool(image.protocol.words & {"stir", "fat_suppressed"}) and "mask" not in image.protocol.words


def _name_words(name: str) -> frozenset[str]:
    """What is left of a file's name without the words for sequence, plane and the like."""
    parts = re.split(r"[\W_]+", plain_text(stem(Path(name))))
    return frozenset(part for part in parts if part and not concepts(part))


def _joined(words: frozenset[str]) -> str:
    return "_".join(sorted(words))


def _visit(images: list[FoundImage]) -> Visit:
    series = tuple(
        Series(
            number=0,
            format=image.volumes[0].format,
            files=1,
            place=image.name,
            volumes=tuple(
                SeriesVolume(n, image.protocol, volume, None, f"volume {n}" if len(image.volumes) > 1 else "")
                for n, volume in enumerate(image.volumes, 1)
            ),
            paths=(image.volumes[0].path,),
            name_words=frozenset() if _bids(image.name)[0] else _name_words(image.name),
        )
        for image in sorted(images, key=lambda image: image.name)
    )
    return Visit(0, None, series[0].format, series)
