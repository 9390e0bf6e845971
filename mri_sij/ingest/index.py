"""What a folder holds: patients, their visits, series and volumes. Records only; hashes and numbers, never names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mri_sij.errors import RefusedError
from mri_sij.evidence import Reason
from mri_sij.geometry import Grid
from mri_sij.ingest.frame import Protocol
from mri_sij.ingest.stack import Stack


@dataclass(frozen=True)
class FileVolume:
    """One volume of a NIfTI, NRRD or MetaImage file; `number` counts from 0."""

    path: Path
    name: str
    format: str
    number: int
    grid: Grid


@dataclass(frozen=True)
class SeriesVolume:
    """One true stack of a series: where to read it, or why it cannot be. `number` counts from 1."""

    number: int
    protocol: Protocol
    source: Stack | FileVolume | None
    refused: RefusedError | None = None
    distinct: str = ""

    @property
    def grid(self) -> Grid | None:
        """The grid, None for a volume that is refused."""
        return self.source.grid if self.source else None


@dataclass(frozen=True)
class Owner:
    """Whose an image says it is: hashes of the name and of the date of birth, "" where the header is silent.

    Only held against one another, to see two people under one ID or one person under two; never written.
    """

    name: str = ""
    birth: str = ""


def are_apart(words: frozenset[str], other: frozenset[str]) -> bool:
    """Whether each of two names has a word that the other has not."""
    return not (words <= other or other <= words)


@dataclass(frozen=True)
class Series:
    """One series, numbered from 1 over the whole index. `place` is its folder or file, relative to the index's root.

    `paths` are all of its files, those of refused volumes too. `name_words` are the words of a file's name that say
    neither sequence nor plane, so may say whose it is; none where BIDS labels or DICOM say that. Only held against
    one another, never written.
    """

    number: int
    format: str
    files: int
    place: str
    volumes: tuple[SeriesVolume, ...]
    frame_of_reference: str = ""
    cautions: tuple[Reason, ...] = ()
    paths: tuple[Path, ...] = ()
    owner: Owner = Owner()
    name_words: frozenset[str] = frozenset()

    def is_named_apart(self, other: Series) -> bool:
        """Whether the two names differ by more than words that only one of them has ("smith" and "smith tse")."""
        return are_apart(self.name_words, other.name_words)


@dataclass(frozen=True)
class Visit:
    """One visit (study) of a patient. `day` counts from the patient's first visit, None where no date is known.

    `fixed_day` counts from one fixed day, for intervals between visits that were indexed apart; it is never written.
    """

    number: int
    day: int | None
    format: str
    series: tuple[Series, ...]
    fixed_day: int | None = None


@dataclass(frozen=True)
class Patient:
    """One patient, numbered from 1."""

    number: int
    visits: tuple[Visit, ...]


@dataclass(frozen=True)
class RefusedFile:
    """A file that was not read, and why."""

    name: str
    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Index:
    """Everything found under `root`."""

    root: Path
    files: int
    patients: tuple[Patient, ...]
    refused: tuple[RefusedFile, ...]

    @property
    def visits(self) -> tuple[Visit, ...]:
        """All visits of all patients."""
        return tuple(visit for patient in self.patients for visit in patient.visits)

    @property
    def series(self) -> tuple[Series, ...]:
        """All series, in the order of their numbers."""
        return tuple(sorted((s for visit in self.visits for s in visit.series), key=lambda s: s.number))
