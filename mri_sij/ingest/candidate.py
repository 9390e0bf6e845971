"""The volumes that a visit has to choose from, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass

from mri_sij.errors import RefusedError
from mri_sij.evidence import Reason
from mri_sij.geometry import Grid
from mri_sij.ingest.index import Series, SeriesVolume
from mri_sij.ingest.sequence import Sequence


@dataclass(frozen=True)
class SeriesChoice:
    """What became of one volume of one series: `use` is "stir", "t1" or "", `reason` one sentence."""

    series: int
    volume: int
    use: str
    kind: str
    plane: str
    tilt_deg: float | None
    reason: str


@dataclass(frozen=True)
class Candidate:
    """One readable volume that could serve."""

    series: Series
    volume: SeriesVolume
    sequence: Sequence
    grid: Grid

    @property
    def key(self) -> tuple[int, int]:
        """Series and volume number."""
        return self.series.number, self.volume.number

    @property
    def label(self) -> str:
        """The number of the series, with that of the volume where it holds several."""
        volume = f" (volume {self.volume.number})" if len(self.series.volumes) > 1 else ""
        return f"{self.series.number}{volume}"


@dataclass(frozen=True)
class Choice:
    """The chosen volumes of a visit, with a reason for every other one.

    Reasons are written into results and name no file, for names of files may be names of people; `refused_files` are
    those of volumes that were refused, for the error that the caller sees.
    """

    stir: Candidate | None
    t1: Candidate | None
    considered: tuple[SeriesChoice, ...]
    cautions: tuple[Reason, ...]
    refused_files: tuple[str, ...] = ()

    @property
    def refusal(self) -> RefusedError | None:
        """The error that says what was seen, None where there is a STIR."""
        if self.stir is not None:
            return None
        told = (f"series {one.series}: {one.reason.rstrip('.')}" for one in self.considered)
        seen = "; ".join(list(dict.fromkeys(told))[:12])
        return NoStirError(
            f"No STIR or fat-suppressed T2 of the sacroiliac joints was found among {len(self.considered)} volumes. "
            f"Seen: {seen or 'no image'}.",
            hint="`mri-sij scan` lists everything; --series names the one to use, and `mri-sij convert --series N "
            "--volume K` takes one volume out.",
            files=self.refused_files,
        )


class NoStirError(RefusedError):
    """A visit without a fluid-sensitive series of the sacroiliac joints."""

    code = "no_stir"
