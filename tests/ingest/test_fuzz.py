"""Mutated headers and files: never an uncaught exception, never more than a second of work.

MRI_SIJ_FUZZ_HEADERS and MRI_SIJ_FUZZ_FILES set how many (`make fuzz`: 100,000 and 10,000).
"""

from __future__ import annotations

import contextlib
import io
import os
import time
import warnings
from pathlib import Path

import awkward as a
import numpy as np
import pytest

from mri_sij.errors import RefusedError
from mri_sij.geometry import Grid
from mri_sij.ingest.discover import index, inspect
from mri_sij.ingest.headers import read_frames
from mri_sij.ingest.nifti import write_nifti
from mri_sij.ingest.read import read_series_volume
from mri_sij.ingest.split import stacks
from mri_sij.ingest.tree import FoundFile
from mri_sij.volume import Volume

HEADERS = int(os.environ.get("MRI_SIJ_FUZZ_HEADERS", "1500"))
FILES = int(os.environ.get("MRI_SIJ_FUZZ_FILES", "150"))
MOST_SECONDS = 1.0

pytestmark = pytest.mark.filterwarnings("ignore")


def mutated(content: bytes, rng: np.random.Generator, reach: int) -> bytes:
    """One to six bytes changed, cut, doubled or moved within the first `reach` bytes."""
    out = bytearray(content)
    for _ in range(int(rng.integers(1, 7))):
        at = int(rng.integers(0, max(1, min(reach, len(out)))))
        kind = int(rng.integers(0, 6))
        if kind == 0:
            out[at] = int(rng.integers(0, 256))
        elif kind == 1:
            out[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 2:
            del out[at : at + int(rng.integers(1, 40))]
        elif kind == 3:
            out[at:at] = out[at : at + int(rng.integers(1, 40))]
        elif kind == 4:
            out[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\1\0\0\0"])
        else:
            out[at : at + 8] = rng.bytes(8)
        if not out:
            out = bytearray(b"\0")
    return bytes(out)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """One small file of each kind: five DICOM syntaxes, enhanced, NIfTI plain and packed, NRRD, MetaImage."""
    import SimpleITK as sitk  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("seeds")
    one = a.slice_set()[0]
    a.write(one, folder / "explicit")
    a.write(one, folder / "implicit", a.ImplicitVRLittleEndian)
    a.write(one, folder / "big", a.ExplicitVRBigEndian)
    a.write(one, folder / "deflated", a.DeflatedExplicitVRLittleEndian)
    a.write(one, folder / "bare")
    a.without_preamble(folder / "bare")
    frames = [a.frame_group(a.oblique(), k) for k in range(3)]
    a.write(a.enhanced(a.voxels().transpose(2, 1, 0)[:3], frames), folder / "enhanced")
    volume = Volume(a.voxels(), Grid((a.COLUMNS, a.ROWS, a.SLICES), a.oblique()))
    write_nifti(volume, folder / "plain.nii")
    write_nifti(volume, folder / "packed.nii.gz")
    image = sitk.GetImageFromArray(a.voxels().T.copy())
    sitk.WriteImage(image, str(folder / "x.nrrd"))
    sitk.WriteImage(image, str(folder / "x.mha"))
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def test_mutated_headers(seeds: list[bytes], tmp_path: Path) -> None:
    """DICOM headers through reading, splitting and arranging, in memory; the other formats through their own reader."""
    rng = np.random.default_rng(20_260_101)
    warnings.simplefilter("ignore")
    slow = []
    path = tmp_path / "mutated"
    dicom = [seed for seed in seeds if seed[128:132] == b"DICM" or seed[:2] == b"\x08\0"]
    for n in range(HEADERS):
        every = seeds if n % 10 == 0 else dicom
        content = mutated(every[n % len(every)], rng, 1800)
        start = time.process_time()
        if n % 10 == 0:
            path.write_bytes(content)
            inspect(FoundFile(path, "mutated"))
        else:
            try:
                frames = read_frames(path, "mutated", io.BytesIO(content))
                stacks(frames + frames[:1])
            except RefusedError:
                pass
        took = time.process_time() - start
        if took > MOST_SECONDS:
            slow.append((n, round(took, 2)))
    assert not slow


def test_mutated_files(seeds: list[bytes], tmp_path: Path) -> None:
    """A series with one mutated file, indexed and read to the last voxel."""
    rng = np.random.default_rng(20_260_102)
    warnings.simplefilter("ignore")
    a.write_all(a.slice_set()[:3], tmp_path)
    slow = []
    for n in range(FILES):
        content = seeds[n % len(seeds)]
        (tmp_path / "mutated").write_bytes(mutated(content, rng, len(content)))
        start = time.process_time()
        for series in index(tmp_path).series:
            for volume in series.volumes:
                with contextlib.suppress(RefusedError):
                    read_series_volume(volume)
        took = time.process_time() - start
        if took > MOST_SECONDS:
            slow.append((n, round(took, 2)))
    assert not slow
