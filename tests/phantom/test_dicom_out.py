"""Simulated visits as DICOM: what was written is what is read, at the same place; nobody is named; the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from mri_sij.config import IngestSettings
from mri_sij.geometry import Grid
from mri_sij.ingest.visit import load_visit
from mri_sij.phantom.dicom_out import Header, uid, write_dicom
from mri_sij.phantom.scan import Scanner, SimulatedVisit
from mri_sij.phantom.tissue import Sequence
from mri_sij.volume import LabelMap, Volume

SHAPE = (60, 52, 12)
TILTED = np.array([[-4.0, 0, 0.4, 118], [0.1, 2.9, -3.1, 20], [0.0, 2.7, 3.3, -70], [0, 0, 0, 1]])
SCANNER = Scanner(Sequence(4800, 60, 155, 1.5), Sequence(560, 12, None, 1.5), 30, 50, 1, 0.1, 0.2)


def visit() -> SimulatedVisit:
    """Gradients and noise on an oblique grid whose axes are square."""
    u, _, v = np.linalg.svd(TILTED[:3, :3])
    affine = TILTED.copy()
    affine[:3, :3] = (u @ v) * (4.0, 4.0, 4.5)
    grid = Grid(SHAPE, affine)
    rng = np.random.default_rng(3)
    stir, t1 = (np.round(400 + 300 * rng.random(SHAPE) + 5 * np.indices(SHAPE)[n]).astype(np.float32) for n in (0, 1))
    none, flat = np.zeros(SHAPE, bool), np.zeros(SHAPE, np.float32)
    labels = LabelMap(np.zeros(SHAPE, np.uint8), grid)
    return SimulatedVisit(Volume(stir, grid), Volume(t1, grid), labels, none, none, none, flat, none, flat)


@pytest.fixture(params=[False, True], ids=["plain", "RLE"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    header = Header("test", "SIM1", "F", 36, "20200101", SCANNER, 4.0)
    write_dicom(visit(), header, tmp_path / "visit", compress=request.param)
    return tmp_path / "visit"


def test_what_is_read_is_what_was_written(written: Path) -> None:
    found, made = load_visit(written, settings=IngestSettings()), visit()
    for read, own in ((found.stir, made.stir), (found.t1, made.t1)):
        assert read is not None
        back = read.reordered(read.grid.reading_order)
        assert back.grid.same_as(own.grid.reordered(own.grid.reading_order), tolerance_mm=1e-3)
        assert np.array_equal(back.data, own.reordered(own.grid.reading_order).data)
    assert found.stir_acquisition.kind == "stir"
    assert found.stir_acquisition.inversion_time_ms == 155
    assert found.stir_acquisition.field_strength_t == 1.5


def test_identifying_tags_are_obviously_made_up(written: Path) -> None:
    first = pydicom.dcmread(written / "stir" / "0001.dcm", stop_before_pixels=True)
    assert str(first.PatientName).startswith("SIMULATED")
    assert first.PatientBirthDate == first.AccessionNumber == first.ReferringPhysicianName == ""
    assert first.Manufacturer == "SIMULATED"


def test_uids_are_valid_differ_and_follow_from_the_key(written: Path) -> None:
    files = sorted(written.rglob("*.dcm"))
    read = [pydicom.dcmread(f, stop_before_pixels=True) for f in files]
    assert len({d.SOPInstanceUID for d in read}) == len(files) == 2 * SHAPE[2]
    assert len({d.SeriesInstanceUID for d in read}) == 2
    assert len({d.StudyInstanceUID for d in read}) == len({d.FrameOfReferenceUID for d in read}) == 1
    assert all(pydicom.uid.UID(d.SOPInstanceUID).is_valid for d in read)
    assert uid("a", 1) == uid("a", 1) != uid("a", 2)


def test_the_same_visit_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    compressed = "RLE" in str(pydicom.dcmread(written / "stir" / "0001.dcm").file_meta.TransferSyntaxUID.name)
    header = Header("test", "SIM1", "F", 36, "20200101", SCANNER, 4.0)
    write_dicom(visit(), header, tmp_path / "again", compress=compressed)
    for file in sorted(written.rglob("*.dcm")):
        assert file.read_bytes() == (tmp_path / "again" / file.relative_to(written)).read_bytes()
