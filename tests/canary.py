"""Visits with canaries in every element that names a person, place or device, in private ones and in file names."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

WORD = "Zwitscherkanari"
DIGITS = "7313370133731"
BORN = "19130307"
MARKS = tuple(mark.encode() for mark in (WORD, WORD.upper(), WORD.lower(), DIGITS, BORN, "1913-03-07"))

_TEXTS = (
    "PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName", "ReferringPhysicianName",
    "PerformingPhysicianName", "OperatorsName", "NameOfPhysiciansReadingStudy", "RequestingPhysician", "PatientID",
    "OtherPatientIDs", "IssuerOfPatientID", "AccessionNumber", "StudyID", "InstitutionName", "InstitutionAddress",
    "InstitutionalDepartmentName", "StationName", "DeviceSerialNumber", "ManufacturerModelName", "Manufacturer",
    "PatientAddress", "PatientTelephoneNumbers", "PatientComments", "AdditionalPatientHistory", "Occupation",
    "EthnicGroup", "MedicalRecordLocator", "MilitaryRank", "PatientInsurancePlanCodeSequence", "ImageComments",
    "StudyComments", "StudyDescription", "RequestedProcedureDescription", "PerformedProcedureStepDescription",
    "PerformedProcedureStepID", "DerivationDescription", "DeidentificationMethod", "SoftwareVersions", "SequenceName",
    "PositionReferenceIndicator", "ReasonForTheRequestedProcedure", "AdmissionID", "CurrentPatientLocation",
)  # fmt: skip
_WORDED = ("SeriesDescription", "ProtocolName")
"""Free text that helps to choose a series, so its own words stay."""
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")


def dicom_visit(source: Path, folder: Path) -> Path:
    """A copy of the DICOM visit in `source` with canaries in headers, file names and folder names."""
    for n, path in enumerate(sorted(p for p in source.rglob("*") if p.is_file())):
        target = folder / f"{WORD} {source.name}" / f"{WORD}-{BORN}-{n}.dcm"
        target.parent.mkdir(parents=True, exist_ok=True)
        ds = pydicom.dcmread(path)
        _sing(ds)
        ds.save_as(target)
    return folder / f"{WORD} {source.name}"


def _sing(ds: Dataset) -> None:
    for name in _TEXTS:
        if name.endswith("Sequence"):
            item = Dataset()
            item.CodeMeaning = WORD
            setattr(ds, name, Sequence([item]))
        else:
            setattr(ds, name, WORD)
    for name in _WORDED:
        setattr(ds, name, f"{WORD} {getattr(ds, name)}")
    for name in _UIDS:
        tail = str(getattr(ds, name)).rsplit(".", 1)[1]
        setattr(ds, name, f"1.2.{DIGITS}.{tail[-20:].lstrip('0')}")
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.PatientBirthDate = BORN
    request = Dataset()
    request.RequestedProcedureDescription = request.ScheduledProcedureStepDescription = WORD
    ds.RequestAttributesSequence = Sequence([request])
    for group in (0x0009, 0x0019, 0x0029, 0x0051):
        block = ds.private_block(group, WORD, create=True)
        block.add_new(1, "LO", WORD)
        block.add_new(2, "UN", WORD.encode())
        block.add_new(3, "PN", f"{WORD}^{WORD}")


def nifti_sidecar(path: Path) -> None:
    """Put canaries into a side-car, beside what it says already, and into the header of the image beside it."""
    import nibabel as nib  # noqa: PLC0415

    told = json.loads(path.read_text(encoding="utf-8"))
    names = ("PatientName", "PatientID", "InstitutionName", "SeriesInstanceUID", "ProcedureStepDescription", WORD)
    path.write_text(json.dumps({**told, **dict.fromkeys(names, f"{WORD} {DIGITS}")}), encoding="utf-8")
    image_path = path.with_suffix(".nii.gz")
    image = nib.load(image_path)
    header = image.header.copy()
    for field in ("descrip", "aux_file", "intent_name", "db_name"):
        header[field] = WORD[: header[field].dtype.itemsize]
    header.extensions.append(nib.nifti1.Nifti1Extension("comment", WORD.encode()))
    nib.save(nib.Nifti1Image(image.get_fdata(), image.affine, header), image_path)


def hits(folder: Path) -> list[str]:
    """Files under `folder` whose name or content, hidden files included, has a canary."""
    found = []
    for root, folders, names in os.walk(folder):
        found += [n for n in (*folders, *names) if any(mark in n.encode() for mark in MARKS)]
        for name in names:
            content = _unpacked(Path(root) / name)
            found += [name] if any(mark in content for mark in MARKS) else []
    return found


def _unpacked(path: Path) -> bytes:
    import gzip  # noqa: PLC0415

    content = path.read_bytes()
    return content + gzip.decompress(content) if path.suffix == ".gz" and content[:2] == b"\x1f\x8b" else content
