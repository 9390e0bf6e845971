"""One volume of a series, whatever it is stored as."""

from __future__ import annotations

from mri_sij.errors import RefusedError
from mri_sij.evidence import Reason
from mri_sij.ingest.image_files import read_file_volume
from mri_sij.ingest.index import SeriesVolume
from mri_sij.ingest.pixels import read_stack
from mri_sij.ingest.stack import Stack
from mri_sij.volume import Volume


def read_series_volume(volume: SeriesVolume) -> tuple[Volume, tuple[Reason, ...]]:
    """The voxels and what is to be said of them; raises the refusal of a volume that is refused."""
    if volume.refused is not None:
        raise volume.refused
    if isinstance(volume.source, Stack):
        return read_stack(volume.source)
    if volume.source is None:
        raise RefusedError("The volume has no source.")
    return read_file_volume(volume.source), ()
