"""`visit.json`: a visit as plain values, key by key from an allow-list, so that nothing of a header slips in."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from mri_sij.anatomy.find import Anatomy
from mri_sij.anatomy.quality import Quality
from mri_sij.evidence import Reason
from mri_sij.ingest.acquisition import Acquisition
from mri_sij.ingest.candidate import SeriesChoice
from mri_sij.lesions.records import Candidate, Findings, Reference
from mri_sij.report.dictionary import SCHEMA
from mri_sij.report.provenance import provenance_dict
from mri_sij.result import Reading, VisitResult
from mri_sij.scoring.asas import Asas

Plain = dict[str, Any]

_NO_SUM = dict.fromkeys(("total", "quadrants", "intensity", "depth", "sacrum", "ilium", "quadrants_scored"))
_NO_SPARCC: Plain = {**_NO_SUM, "left": _NO_SUM, "right": _NO_SUM, "slices": []}
"""A visit without a score keeps the keys of one with a score; its totals are null, never 0."""

_NO_ASAS: Plain = dict.fromkeys(Asas.__dataclass_fields__)

_BURDEN_FIELDS = (
    "volume_ml",
    "periarticular_ml",
    "periarticular_oedema_ml",
    "fraction",
    "volume_times_contrast_ml",
    "mean_contrast",
)
_CANDIDATE_NUMBERS = (
    "volume_ml",
    "depth_mm",
    "contact_mm",
    "contrast",
    "peak_contrast",
    "probability",
    "t1_ratio",
    "cartilaginous_fraction",
    "thickness_mm",
)
_ACQUISITION_FIELDS = (
    "kind",
    "kind_from",
    "repetition_time_ms",
    "echo_time_ms",
    "inversion_time_ms",
    "flip_angle_deg",
    "field_strength_t",
    "slice_thickness_mm",
    "spacing_between_slices_mm",
    "in_plane_mm",
    "matrix",
    "manufacturer",
    "fat_suppressed",
    "contrast_agent",
)
_MARROW_FIELDS = ("level", "spread", "field_range", "marrow_ml", "muscle_ml", "inlier_fraction")


def visit_json(result: VisitResult) -> str:
    """The text of `visit.json`; the same result gives the same bytes."""
    return json.dumps(visit_dict(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def visit_dict(result: VisitResult) -> Plain:
    """Every key of `dictionary.VISIT_KEYS`; numbers rounded to six significant digits."""
    sheet = result.sheet.to_dict() if result.sheet else {"sparcc": _NO_SPARCC, "asas": _NO_ASAS, "berlin": None}
    plain = {
        "schema": SCHEMA,
        "status": result.status,
        "reasons": _reasons(result.reasons),
        "cautions": _reasons(result.cautions),
        "sparcc": sheet["sparcc"],
        "interval": _interval(result.findings),
        "asas": sheet["asas"],
        "berlin": sheet["berlin"],
        "oedema": _oedema(result.findings),
        "lesions": _lesions(result),
        "rejected": _rejected(result),
        "references": None if result.findings is None else _references(result.findings.reference),
        "anatomy": None if result.anatomy is None else _anatomy(result.anatomy, result),
        "quality": _quality(result.quality),
        "series": _series(result),
        "reader": None if result.reading is None else _reader(result.reading),
        "settings": result.settings.shown(),
        "provenance": provenance_dict(result),
    }
    return {key: plain_value(value) for key, value in plain.items()}


def plain_value(value: Any) -> Any:
    """JSON's own types only: enums as text, tuples as lists, floats to six significant digits, no NaN."""
    if isinstance(value, dict):
        return {str(key): plain_value(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(member) for member in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return str(value) if isinstance(value, str) else value


def _fields(record: object, names: Iterable[str]) -> Plain:
    return {name: getattr(record, name) for name in names}


def _reasons(reasons: Iterable[Reason]) -> list[Plain]:
    return [asdict(reason) for reason in reasons]


def _interval(findings: Findings | None) -> Plain | None:
    if findings is None:
        return None
    interval = findings.interval
    shares = [{"total": total, "probability": share} for total, share in interval.probabilities]
    return {"low": interval.low, "high": interval.high, "level": interval.level, "probabilities": shares}


def _oedema(findings: Findings | None) -> Plain:
    names = ("volume_ml", "volume_times_contrast_ml", "fraction", "bilateral", "symmetric", "asymmetry")
    if findings is None:
        return {**dict.fromkeys(names), "extensive": [], "bones": [], "muscle": []}
    measures = findings.measures
    return {
        **_fields(measures, names),
        "extensive": [f"{side} {bone}" for side, bone in measures.extensive],
        "bones": [{"side": b.side, "bone": b.bone, **_fields(b, _BURDEN_FIELDS)} for b in measures.burdens],
        "muscle": [_fields(sign, ("side", "ratio", "bright_fraction", "bright")) for sign in measures.muscle],
    }


def _candidate(found: Candidate, result: VisitResult) -> Plain:
    numbers = sorted(result.native_slice(k) for k in found.slices)
    return {"side": found.side, "bone": found.bone, "slices": numbers, **_fields(found, _CANDIDATE_NUMBERS)}


def _lesions(result: VisitResult) -> list[Plain]:
    found = result.findings.lesions if result.findings else ()
    return [
        {"number": n.number, **_candidate(n.found, result), "in_joint_space": n.in_joint_space, "reason": n.reason}
        for n in found
    ]


def _rejected(result: VisitResult) -> list[Plain]:
    found = result.findings.rejected if result.findings else ()
    return [{**_candidate(r.found, result), "code": r.reason.code, "reason": r.reason.message} for r in found]


def _references(reference: Reference) -> Plain:
    return {
        "marrow": _fields(reference.marrow, _MARROW_FIELDS),
        "fluid": _fields(reference.fluid, ("kind", "ratio", "volume_ml")),
    }


def _anatomy(anatomy: Anatomy, result: VisitResult) -> Plain:
    choice = anatomy.slice_choice
    return {
        "segmenter": anatomy.segmentation.source,
        "agreement": anatomy.segmentation.agreement,
        "slices": [result.native_slice(k) for k in choice.numbers],
        "transitional_slice": result.native_slice(choice.transitional),
        "slice_reason": choice.reason,
        "obliquity_deg": choice.obliquity_deg,
    }


def _quality(quality: Quality | None) -> list[Plain]:
    checks = () if quality is None else quality.checks
    names = ("name", "value", "unit", "passed", "meaning")
    return [{**_fields(check, names), "limit_low": check.low, "limit_high": check.high} for check in checks]


def _acquisition(acquisition: Acquisition | None) -> Plain | None:
    if acquisition is None:
        return None
    return {**_fields(acquisition, _ACQUISITION_FIELDS), "manufacturer": acquisition.manufacturer or None}


def _series(result: VisitResult) -> Plain:
    images = result.images
    return {
        "stir": _acquisition(images.stir_acquisition),
        "t1": _acquisition(images.t1_acquisition),
        "orientation": images.orientation,
        "tilt_deg": images.tilt_deg,
        "shape": images.stir.grid.shape,
        "spacing_mm": images.stir.grid.spacing_mm,
        "considered": [_choice(choice) for choice in images.series_considered],
    }


def _choice(choice: SeriesChoice) -> Plain:
    return _fields(choice, ("series", "volume", "use", "kind", "plane", "tilt_deg", "reason"))


def _reader(reading: Reading) -> Plain:
    sheet = reading.sheet.to_dict()
    return {"changes": reading.overruled.changes_dict(), "sparcc": sheet["sparcc"], "asas": sheet["asas"]}
