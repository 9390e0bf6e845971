"""Awkward series of known truth: what scanners, exports and accidents make of one stack of slices.

Each `Case` writes a folder and says what a reader may make of it: `truths`, the volumes that are really there, and
`code`, the refusal that names what is wrong with the rest. A reader that returns any other volume is wrong.
"""

from __future__ import annotations

import copy
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import gdcm
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    RLELossless,
)

COLUMNS, ROWS, SLICES = 24, 20, 12
SPACING = (1.25, 0.9)
STEP_MM = 4.4
ROOT = "1.2.826.0.1.3680043.10.1474"
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass
class Truth:
    """A volume that is really there: data (column, row, slice) and its affine in RAS mm."""

    data: NDArray[np.float64]
    affine: NDArray[np.float64]


@dataclass
class Made:
    """What a case wrote: the true volumes, and the code of the refusal where a part cannot be read."""

    truths: list[Truth] = field(default_factory=list)
    code: str = ""


@dataclass(frozen=True)
class Case:
    """One awkward series."""

    name: str
    make: Callable[[Path], Made]


def voxels(seed: int = 0, high: int = 4000) -> NDArray[np.uint16]:
    """Random voxels (column, row, slice), so that no two slices are alike."""
    return np.random.default_rng(seed).integers(1, high, (COLUMNS, ROWS, SLICES)).astype(np.uint16)


def oblique(tilt_deg: float = 38.0, turn_deg: float = 4.0, origin: tuple[float, float, float] = (-31.0, -12.0, 40.0)):
    """Affine (LPS) of a stack tilted from coronal like a sacrum."""
    t, u = np.radians(tilt_deg), np.radians(turn_deg)
    row = np.array([np.cos(u), np.sin(u), 0.0])
    column = np.array([0.0, np.sin(t), -np.cos(t)])
    column = column - row * (row @ column)
    column /= np.linalg.norm(column)
    return stack_affine(row, column, np.array(origin))


def stack_affine(row, column, origin, step_mm: float = STEP_MM, step=None) -> NDArray[np.float64]:
    """Affine (LPS) from row and column cosines."""
    affine = np.eye(4)
    affine[:3, 0] = row * SPACING[1]
    affine[:3, 1] = column * SPACING[0]
    affine[:3, 2] = (np.cross(row, column) if step is None else step) * step_mm
    affine[:3, 3] = origin
    return affine


def truth(data, affine) -> Truth:
    """The truth of a stack given in LPS."""
    return Truth(np.asarray(data, float), LPS_TO_RAS @ affine)


def slice_set(data=None, affine=None, series: str = "1", start: int = 1, study: str = "1") -> list[Dataset]:
    """Classic MR images of a stack, in order."""
    data = voxels() if data is None else data
    affine = oblique() if affine is None else affine
    return [_slice(data[:, :, k], affine, k, series, start + k, study) for k in range(data.shape[2])]


def _slice(image, affine, k: int, series: str, instance: int, study: str) -> Dataset:
    ds = _common(series, study)
    ds.SOPClassUID = MRImageStorage
    ds.SOPInstanceUID = f"{ROOT}.{study}.{series}.{instance}"
    ds.InstanceNumber = instance
    ds.AcquisitionNumber = 1
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = ["SE", "IR"], "SK", "IR"
    ds.RepetitionTime, ds.EchoTime, ds.InversionTime, ds.EchoNumbers = "4500", "60", "150", "1"
    place(ds, affine, k)
    ds.SliceThickness, ds.SpacingBetweenSlices = "4", str(STEP_MM)
    set_pixels(ds, image.T)
    return ds


def _common(series: str, study: str) -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.Modality, ds.Manufacturer, ds.StudyDate = "MR", "SIEMENS", "20200102"
    ds.PatientID, ds.PatientName = f"P{study}", "Doe^Jane"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{ROOT}.{study}", f"{ROOT}.{study}.{series}"
    ds.FrameOfReferenceUID = f"{ROOT}.{study}.99"
    ds.SeriesNumber, ds.SeriesDescription = series, "STIR COR"
    ds.MagneticFieldStrength = "1.5"
    return ds


def ds_text(value: float) -> str:
    """A DS value, at most 16 characters."""
    return f"{value:.9g}"


def place(ds: Dataset, affine, k: float) -> None:
    """Position, orientation and pixel spacing of slice k."""
    row, column = affine[:3, 0] / np.linalg.norm(affine[:3, 0]), affine[:3, 1] / np.linalg.norm(affine[:3, 1])
    ds.ImagePositionPatient = [ds_text(v) for v in affine[:3, 3] + k * affine[:3, 2]]
    ds.ImageOrientationPatient = [ds_text(v) for v in (*row, *column)]
    ds.PixelSpacing = [ds_text(np.linalg.norm(affine[:3, 1])), ds_text(np.linalg.norm(affine[:3, 0]))]


def set_pixels(ds: Dataset, image, bits_stored: int = 16) -> None:
    """Store a (row, column) image or (frame, row, column) images."""
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = image.shape[-2:]
    ds.BitsAllocated = image.dtype.itemsize * 8
    ds.BitsStored = min(bits_stored, ds.BitsAllocated)
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(image.dtype.kind == "i")
    ds.PixelData = np.ascontiguousarray(image).tobytes()


def write(ds: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> None:
    """Write as a Part 10 file in an uncompressed or deflated syntax."""
    ds = copy.deepcopy(ds)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    if ds.BitsAllocated > 8 and "PixelData" in ds:
        ds["PixelData"].VR = "OW"
        if syntax == ExplicitVRBigEndian:
            ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)


def write_all(slices: list[Dataset], folder: Path, syntax: str = ExplicitVRLittleEndian) -> None:
    """Write a series, one file a slice."""
    for n, ds in enumerate(slices):
        write(ds, folder / f"IM{n:04d}", syntax)


def compress(folder: Path, syntax: gdcm.TransferSyntax) -> None:
    """Encode the pixels of every file of a folder with GDCM; the rest of the header stays as it was."""
    for path in sorted(folder.iterdir()):
        ds = dcmread(path)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(path))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        # GDCM stamps the header with the time of day; only its pixels are wanted.
        encoded = dcmread(path)
        ds.PixelData = encoded.PixelData
        ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
        ds.file_meta.TransferSyntaxUID = encoded.file_meta.TransferSyntaxUID
        ds.save_as(path)


def rle(folder: Path) -> None:
    """Encode every file of a folder as RLE."""
    for path in sorted(folder.iterdir()):
        ds = dcmread(path)
        ds.compress(RLELossless)
        ds.save_as(path)


# --- enhanced -------------------------------------------------------------------------------------------------------


def enhanced(data, frames: list[Dataset], shared: Dataset | None = None, series: str = "1") -> Dataset:
    """An Enhanced MR image: data (frame, row, column) and a per-frame group for each."""
    ds = _common(series, "1")
    ds.SOPClassUID, ds.SOPInstanceUID = EnhancedMRImageStorage, f"{ROOT}.1.{series}.1"
    ds.InstanceNumber, ds.ImageType = 1, ["ORIGINAL", "PRIMARY", "T2", "NONE"]
    ds.NumberOfFrames = len(frames)
    set_pixels(ds, data)
    ds.SharedFunctionalGroupsSequence = Sequence([shared or shared_groups()])
    ds.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return ds


def shared_groups() -> Dataset:
    """Times of a STIR, shared by all frames."""
    group = Dataset()
    timing, echo, modifier, transform = Dataset(), Dataset(), Dataset(), Dataset()
    timing.RepetitionTime, timing.FlipAngle = "4500", "150"
    echo.EffectiveEchoTime = 60.0
    modifier.InversionRecovery, modifier.InversionTimes = "YES", 150.0
    transform.RescaleIntercept, transform.RescaleSlope, transform.RescaleType = "0", "1", "US"
    group.MRTimingAndRelatedParametersSequence = Sequence([timing])
    group.MREchoSequence = Sequence([echo])
    group.MRModifierSequence = Sequence([modifier])
    group.PixelValueTransformationSequence = Sequence([transform])
    return group


def frame_group(affine, k: int, stack: str = "1", time: int = 1, scale: tuple[float, float] | None = None) -> Dataset:
    """The per-frame group of slice k."""
    plain = Dataset()
    place(plain, affine, k)
    group, position, orientation, measures, content = Dataset(), Dataset(), Dataset(), Dataset(), Dataset()
    position.ImagePositionPatient = plain.ImagePositionPatient
    orientation.ImageOrientationPatient = plain.ImageOrientationPatient
    measures.PixelSpacing, measures.SliceThickness = plain.PixelSpacing, "4"
    content.StackID, content.InStackPositionNumber, content.TemporalPositionIndex = stack, k + 1, time
    content.DimensionIndexValues = [int(stack), k + 1, time]
    group.PlanePositionSequence, group.PlaneOrientationSequence = Sequence([position]), Sequence([orientation])
    group.PixelMeasuresSequence, group.FrameContentSequence = Sequence([measures]), Sequence([content])
    if scale:
        transform = Dataset()
        transform.RescaleSlope, transform.RescaleIntercept = ds_text(scale[0]), ds_text(scale[1])
        transform.RescaleType = "US"
        group.PixelValueTransformationSequence = Sequence([transform])
    return group


def without_preamble(path: Path) -> None:
    """Cut the preamble and the file meta information off, as some old exports do."""
    content = path.read_bytes()
    assert content[128:132] == b"DICM"
    length = struct.unpack("<I", content[140:144])[0]
    path.write_bytes(content[144 + length :])


def encapsulated(ds: Dataset, payload: bytes, syntax: str, path: Path) -> None:
    """Write one image whose pixels are `payload` under any transfer syntax."""
    ds = copy.deepcopy(ds)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    ds.PixelData = encapsulate([payload])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)


__all__ = [
    "DeflatedExplicitVRLittleEndian", "ExplicitVRBigEndian", "ImplicitVRLittleEndian",
]  # fmt: skip
