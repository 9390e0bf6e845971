"""The protocol of an image file from its BIDS side-car, its name and its header's short description."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from mri_sij.ingest.frame import Protocol
from mri_sij.ingest.limits import MAX_TEXT_BYTES
from mri_sij.ingest.protocol import body_part, fat_suppressed, field_strength, vendor
from mri_sij.ingest.words import concepts


def stem(path: Path) -> str:
    """The name without .nii, .nii.gz, .nrrd and the like."""
    return re.sub(r"\.(nii\.gz|nii|nrrd|nhdr|mha|mhd)$", "", path.name, flags=re.IGNORECASE)


def read_sidecar(path: Path) -> dict[str, Any]:
    """The JSON object beside an image file; {} where there is none or it cannot be read."""
    beside = path.with_name(stem(path) + ".json")
    try:
        if beside.stat().st_size > MAX_TEXT_BYTES:
            return {}
        loaded = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def protocol_of_file(path: Path, description: str) -> Protocol:
    """What is known of an image file: BIDS says times in seconds; dcm2niix leaves TE (ms) in NIfTI's description."""
    known = read_sidecar(path)
    described = re.search(r"TE=([0-9.]+)", description)
    echo = _milliseconds(known.get("EchoTime"))
    if echo is None and described:
        echo = _number(described.group(1))
    sequence = _strings(known.get("ScanningSequence"))
    texts = [str(known.get(key, "")) for key in ("SeriesDescription", "ProtocolName", "PulseSequenceDetails")]
    agent = known.get("ContrastBolusIngredient") or known.get("ContrastBolusAgent")
    return Protocol(
        modality=str(known.get("Modality", ""))[:2],
        vendor=vendor(str(known.get("Manufacturer", ""))),
        scanning_sequence=sequence,
        image_type=_strings(known.get("ImageType")),
        repetition_time_ms=_milliseconds(known.get("RepetitionTime")),
        echo_time_ms=echo,
        inversion_time_ms=_milliseconds(known.get("InversionTime")),
        flip_angle_deg=_number(known.get("FlipAngle")),
        field_strength_t=field_strength(_number(known.get("MagneticFieldStrength"))),
        slice_thickness_mm=_number(known.get("SliceThickness")),
        spacing_between_slices_mm=_number(known.get("SpacingBetweenSlices")),
        inversion_recovery=True if "IR" in sequence else None,
        fat_suppressed=fat_suppressed(_strings(known.get("ScanOptions"))),
        contrast_agent=True if agent else None,
        body_part=body_part(str(known.get("BodyPartExamined", "") or known.get("BodyPart", ""))),
        words=concepts(stem(path), *texts),
    )


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < 1e7 else None


def _milliseconds(value: object) -> float | None:
    seconds = _number(value)
    return None if seconds is None else round(seconds * 1000, 6)


def _strings(value: object) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else re.split(r"[\\_ ]", value) if isinstance(value, str) else []
    return tuple(str(part).strip().upper() for part in parts if str(part).strip())
