"""How an image was taken, from a DICOM data set or a BIDS side-car."""

from __future__ import annotations

import re
from functools import lru_cache

from mri_sij.ingest import element
from mri_sij.ingest.element import Elements
from mri_sij.ingest.frame import Protocol
from mri_sij.ingest.words import concepts

VENDORS = ("siemens", "philips", "canon", "toshiba", "hitachi", "fujifilm", "united imaging", "esaote", "neusoft",
           "paramed", "bruker", "ge")  # fmt: skip
_OTHER_PARTS = frozenset(
    "BRAIN HEAD SKULL NECK CSPINE TSPINE CHEST THORAX BREAST HEART ABDOMEN LIVER KNEE SHOULDER ELBOW WRIST HAND ANKLE "
    "FOOT CERVIX PROSTATE EYE ORBIT".split()
)
_PELVIC_PARTS = frozenset("PELVIS SIJOINT SIJOINTS SSPINE SACRUM SIJ SI HIP HIPS SACROILIAC BECKEN ILIUM".split())
_ECHOES = {"SPIN": ("SE",), "GRADIENT": ("GR",), "BOTH": ("SE", "GR")}
"""Echo Pulse Sequence of an enhanced image as the Scanning Sequence of a classic one."""


def read_protocol(ds: Elements) -> Protocol:
    """The protocol of a classic image, or what an enhanced one says outside its functional groups.

    Those are Echo Pulse Sequence and Spectrally Selected Suppression (PS3.3 C.8.13.4, MR Pulse Sequence module).
    """
    sequence_name = element.text(ds, 0x00180024)
    sequence = element.texts(ds, 0x00180020) or _ECHOES.get(element.text(ds, 0x00189008), ())
    options = element.texts(ds, 0x00180022)
    # FAT_AND_WATER does not count: oedema, which is water, would be dark.
    spectral = True if element.text(ds, 0x00189025) == "FAT" else None
    described = (
        element.free_text(ds, 0x0008103E),
        element.free_text(ds, 0x00181030),
        # The asterisk and underscores of a vendor's sequence name part its words: *tir2d1rs13.
        re.sub(r"\d+.*$", "", sequence_name.lstrip("*_")) if sequence_name else "",
    )
    words = _cached_concepts(described)
    agent = element.raw_bytes(ds, 0x00180010).strip(b" \0")
    return _interned(
        Protocol(
            modality=element.text(ds, 0x00080060),
            vendor=vendor(element.text(ds, 0x00080070)),
            scanning_sequence=sequence,
            image_type=element.texts(ds, 0x00080008),
            repetition_time_ms=element.decimal(ds, 0x00180080),
            echo_time_ms=element.decimal(ds, 0x00180081),
            inversion_time_ms=element.decimal(ds, 0x00180082),
            flip_angle_deg=element.decimal(ds, 0x00181314),
            field_strength_t=field_strength(element.decimal(ds, 0x00180087)),
            slice_thickness_mm=element.decimal(ds, 0x00180050),
            spacing_between_slices_mm=element.decimal(ds, 0x00180088),
            inversion_recovery=True if "IR" in sequence else None,
            fat_suppressed=fat_suppressed(options) or spectral,
            contrast_agent=True if agent else None,
            body_part=body_part(element.text(ds, 0x00180015)),
            words=words,
            study_words=_cached_concepts((element.free_text(ds, 0x00081030),)),
        )
    )


def fat_suppressed(options: tuple[str, ...]) -> bool | None:
    """True where scan options name a way of suppressing fat (FS, and the vendors' own words), else unknown."""
    known = {"FS", "FAT_SAT", "FATSAT", "SFS", "SPIR", "SPAIR", "FAT_SUP", "WE", "FS_FREQ_SELECTIVE", "CHEMSAT", "FSS"}
    return True if any(option.replace(" ", "_") in known for option in options) else None


def vendor(name: str) -> str:
    """The maker, from a fixed list; "other" for one that is not on it, "" for none."""
    lower = name.lower()
    if not lower:
        return ""
    return next((known for known in VENDORS if lower.startswith(known) or f" {known}" in f" {lower}"), "other")


def body_part(part: str) -> str:
    """ "pelvis", "other" or "" (not said, or a word that decides nothing)."""
    upper = re.sub("[^A-Z]", "", part.upper())
    return "pelvis" if upper in _PELVIC_PARTS else "other" if upper in _OTHER_PARTS else ""


def field_strength(value: float | None) -> float | None:
    """Tesla; some exports give gauss."""
    if value is None or value <= 0:
        return None
    return value / 10_000 if value > 100 else value


@lru_cache(maxsize=4096)
def _cached_concepts(texts: tuple[str, ...]) -> frozenset[str]:
    return concepts(*texts)


@lru_cache(maxsize=4096)
def _interned(protocol: Protocol) -> Protocol:
    """One object for equal protocols: a thousand series of twenty files keep a thousand."""
    return protocol
