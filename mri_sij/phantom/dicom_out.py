"""Write a simulated visit as classic DICOM: a STIR and a T1 series of MR Image Storage, one file a slice.

Names, numbers and dates are made up and say so; UIDs follow from a key, so that the same visit gives the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage, RLELossless

from mri_sij.geometry import LPS_TO_RAS
from mri_sij.phantom.scan import Scanner, SimulatedVisit
from mri_sij.phantom.tissue import Sequence
from mri_sij.volume import Volume

_MAKER = "SIMULATED"


@dataclass(frozen=True)
class Header:
    """What the files say beside the pictures. `key` decides all UIDs (equal `person` in it: equal patient)."""

    key: str
    patient_id: str
    sex: str
    age_years: int
    date: str
    scanner: Scanner
    thickness_mm: float


@dataclass(frozen=True)
class _Series:
    number: int
    description: str
    sequence: Sequence


def write_dicom(visit: SimulatedVisit, header: Header, out: Path, *, compress: bool = False) -> None:
    """Write `visit` into the new folders `out`/stir and `out`/t1; `compress` stores pixels as RLE lossless.

    `visit` lies in the reading frame (axis 0 to the patient's left, axis 1 up the image).
    """
    stir, t1 = header.scanner.stir, header.scanner.t1
    name = "STIR" if stir.inversion_time_ms else "T2 TSE fs"
    kinds = (
        (_Series(2, f"oblique coronal {name}", stir), visit.stir, "stir"),
        (_Series(3, "oblique coronal T1 TSE", t1), visit.t1, "t1"),
    )
    for series, volume, folder in kinds:
        (out / folder).mkdir(parents=True)
        for k in range(volume.grid.shape[2]):
            dataset = _slice(volume, k, series, header)
            if compress:
                dataset.compress(RLELossless, generate_instance_uid=False)
            dataset.save_as(out / folder / f"{k + 1:04d}.dcm", enforce_file_format=True)


def uid(*parts: object) -> str:
    """A UID that follows from `parts`, under the root for UUIDs (PS3.5 B.2)."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def _slice(volume: Volume, k: int, series: _Series, header: Header) -> FileDataset:
    instance = uid(header.key, series.number, k)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = UID(instance)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(uid("mri_sij", "phantom"))
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, instance
    _who(dataset, header)
    _how(dataset, series, header)
    _where(dataset, volume, k, header)
    _pixels(dataset, volume, k)
    return dataset


def _who(dataset: Dataset, header: Header) -> None:
    dataset.PatientName = f"SIMULATED^{header.patient_id}"
    dataset.PatientID = header.patient_id
    dataset.PatientBirthDate = ""
    dataset.PatientSex = header.sex
    dataset.PatientAge = f"{header.age_years:03d}Y"
    dataset.PatientPosition = "HFS"
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "simulated: no such person"
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = header.date
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = "120000"
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""
    dataset.StudyID = "1"
    dataset.StudyDescription = "MRI SACROILIAC JOINTS (SIMULATED)"
    dataset.StudyInstanceUID = uid(header.key, "study")
    dataset.FrameOfReferenceUID = uid(header.key, "frame")


def _how(dataset: Dataset, series: _Series, header: Header) -> None:
    sequence = series.sequence
    dataset.Modality = "MR"
    dataset.Manufacturer = _MAKER
    dataset.ManufacturerModelName = "mri_sij phantom"
    dataset.BodyPartExamined = "PELVIS"
    dataset.SeriesInstanceUID = uid(header.key, series.number)
    dataset.SeriesNumber = dataset.AcquisitionNumber = series.number
    dataset.SeriesDescription = dataset.ProtocolName = series.description
    inversion = sequence.inversion_time_ms
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "SE"]
    dataset.ScanningSequence = ["SE", "IR"] if inversion else "SE"
    dataset.SequenceVariant = "SK"
    dataset.ScanOptions = "" if inversion or sequence.fat_left >= 1 else "FS"
    dataset.MRAcquisitionType = "2D"
    dataset.RepetitionTime = round(sequence.repetition_time_ms, 1)
    dataset.EchoTime = round(sequence.echo_time_ms, 1)
    dataset.InversionTime = round(inversion, 1) if inversion else None
    dataset.EchoTrainLength = 12
    dataset.FlipAngle = 150
    dataset.MagneticFieldStrength = sequence.field_strength_t
    dataset.SliceThickness = round(header.thickness_mm, 3)


def _where(dataset: Dataset, volume: Volume, k: int, header: Header) -> None:
    """Rows run down the picture, columns to the patient's left: row r, column c is voxel (c, last - r, k)."""
    grid = volume.grid
    lps = LPS_TO_RAS[:3, :3]
    across, down = lps @ grid.directions[:, 0], -(lps @ grid.directions[:, 1])
    corner = lps @ grid.world(np.array([0, grid.shape[1] - 1, k]))
    dataset.ImageOrientationPatient = [_decimal(v) for v in (*across, *down)]
    dataset.ImagePositionPatient = [_decimal(v) for v in corner]
    dataset.PixelSpacing = [_decimal(grid.spacing_mm[1]), _decimal(grid.spacing_mm[0])]
    dataset.SpacingBetweenSlices = _decimal(grid.spacing_mm[2])
    dataset.SliceLocation = _decimal(float(corner @ (lps @ grid.directions[:, 2])))
    dataset.InstanceNumber = k + 1
    dataset.PositionReferenceIndicator = ""


def _decimal(value: float) -> str:
    """A decimal string of at most 16 characters (PS3.5 6.2)."""
    return f"{value:.9f}"[:16] if abs(value) < 1e5 else f"{value:.6g}"


def _pixels(dataset: Dataset, volume: Volume, k: int) -> None:
    values: NDArray[np.uint16] = np.clip(np.round(volume.values[:, :, k]), 0, 65535).astype(np.uint16)
    rows = np.ascontiguousarray(values.T[::-1])
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = rows.shape
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 0
    middle = float(np.median(rows))
    dataset.WindowCenter, dataset.WindowWidth = round(2 * middle + 1), round(4 * middle + 2)
    dataset.PixelData = rows.tobytes()
