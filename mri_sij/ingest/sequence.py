"""What kind of image a protocol makes: STIR, fat-suppressed T2 or PD, T1, or something of no use here, with the reason.

Times and options decide; words decide only where the times are silent.
"""

from __future__ import annotations

from dataclasses import dataclass

from mri_sij.config import IngestSettings
from mri_sij.ingest.frame import Protocol

SHORT_ECHO_MS = 30.0
"""Where only words say what an image is, a T1 has no longer echo time (our choice; 8-9 ms on real ones, STIR 60)."""


@dataclass(frozen=True)
class Sequence:
    """`kind` is "stir", "t2fs", "pdfs", "t1", "unknown" or "other"; `decided_by` "timing", "words", "contrast",
    "caller" or ""."""

    kind: str
    decided_by: str
    reason: str


def sequence_of(protocol: Protocol, settings: IngestSettings) -> Sequence:
    """The kind of image, and the figures or words that decided it."""
    excluded = _excluded(protocol)
    if excluded:
        return Sequence("other", "", excluded)
    return _by_timing(protocol, settings) or _by_words(protocol)


def is_fluid_sensitive(kind: str) -> bool:
    """Whether oedema is bright in this kind of image."""
    return kind in ("stir", "t2fs", "pdfs")


_EXCLUDING_WORDS = {
    "mask": "a mask by the words of its name, not signal",
    "localizer": "a localizer by its words",
    "diffusion": "diffusion-weighted by its words",
    "derived": "a derived image by its words (subtraction, projection or map)",
    "other_dixon": "an in-phase, opposed-phase or fat image by its words",
}
_EXCLUDING_TYPES = {
    "LOCALIZER": "a localizer", "DERIVED": "a derived image", "ADC": "a diffusion map", "MPR": "a reformatted image",
    "PROJECTION IMAGE": "a projection", "SUBTRACTION": "a subtraction", "P": "a phase image", "PHASE": "a phase image",
    "PHASE MAP": "a phase image", "FAT": "a fat image", "F": "a fat image", "IN_PHASE": "an in-phase image",
    "OUT_PHASE": "an opposed-phase image", "OPP_PHASE": "an opposed-phase image", "DIFFUSION": "diffusion-weighted",
    "R": "a real-part image", "I": "an imaginary-part image", "T2 MAP": "a map", "T1 MAP": "a map",
}  # fmt: skip


def _excluded(protocol: Protocol) -> str:
    named = next((text for key, text in _EXCLUDING_TYPES.items() if key in protocol.image_type), "")
    if named:
        return f"{named} (image type)"
    # "STIR bone marrow" describes a scan; as the name of a file without a scanner's header it describes a mask.
    ignored = {"mask"} if protocol.modality == "MR" else set()
    words = [text for key, text in _EXCLUDING_WORDS.items() if key in protocol.words - ignored]
    if words and not ("stir" in protocol.words and "other_dixon" in protocol.words and len(words) == 1):
        return words[0]
    return ""


def _by_timing(protocol: Protocol, settings: IngestSettings) -> Sequence | None:
    inversion, echo, repetition = protocol.inversion_time_ms, protocol.echo_time_ms, protocol.repetition_time_ms
    recovery = protocol.inversion_recovery or "IR" in protocol.scanning_sequence
    gradient = "GR" in protocol.scanning_sequence and "SE" not in protocol.scanning_sequence
    figures = _figures(protocol)
    if inversion and (recovery or not gradient):
        low, high = settings.stir_inversion_time_ms
        nulls = low <= inversion <= high
        reason = (
            "an inversion that nulls fat" if nulls else f"an inversion of {inversion:g} ms, which does not null fat"
        )
        return Sequence("stir" if nulls else "other", "timing", f"{reason} ({figures})")
    if gradient:
        return Sequence("other", "timing", f"a gradient echo ({figures})")
    if echo is None or repetition is None:
        # dcm2niix leaves the echo time alone: short or long, but not whether fat was suppressed.
        return None
    if repetition <= settings.t1_max_repetition_time_ms and echo <= settings.t1_max_echo_time_ms:
        if protocol.fat_suppressed or "fat_suppressed" in protocol.words:
            return Sequence("other", "timing", f"a fat-suppressed T1 ({figures})")
        return Sequence("t1", "timing", f"a T1 spin echo ({figures})")
    return _long_repetition(protocol, settings, figures)


def _long_repetition(protocol: Protocol, settings: IngestSettings, figures: str) -> Sequence | None:
    echo = protocol.echo_time_ms or 0.0
    fat = protocol.fat_suppressed or "fat_suppressed" in protocol.words or "WATER" in protocol.image_type
    water = "W" in protocol.image_type[2:] or "water" in protocol.words
    if protocol.inversion_recovery or "stir" in protocol.words:
        # An inversion without its time: the words have to say that it nulls fat.
        return Sequence("stir", "words", f"STIR by its words, the inversion time unsaid ({figures})")
    if not fat and not water:
        return Sequence("other", "timing", f"a long repetition time without fat suppression ({figures})")
    kind = "t2fs" if echo >= settings.t2_min_echo_time_ms else "pdfs"
    return Sequence(kind, "timing", f"fat-suppressed {'T2' if kind == 't2fs' else 'proton density'} ({figures})")


def _by_words(protocol: Protocol) -> Sequence:
    words, figures = protocol.words, _figures(protocol)
    said = f" ({figures})" if figures else ""
    short = protocol.echo_time_ms is not None and protocol.echo_time_ms <= SHORT_ECHO_MS
    if "stir" in words:
        return Sequence("stir", "words", f"STIR by its words{said}")
    if "fat_suppressed" in words and "t1" in words:
        return Sequence("other", "words", f"a fat-suppressed T1 by its words{said}")
    if "fat_suppressed" in words and ("t2" in words or "pd" in words):
        kind = "t2fs" if "t2" in words else "pdfs"
        return Sequence(kind, "words", f"fat-suppressed {'T2' if kind == 't2fs' else 'PD'} by its words{said}")
    if "t1" in words and (short or protocol.echo_time_ms is None):
        return Sequence("t1", "words", f"T1 by its words{said}")
    if "t2" in words or "pd" in words:
        return Sequence("other", "words", f"T2 or PD by its words, fat suppression unsaid{said}")
    return Sequence("unknown", "", f"neither times nor words say what it is{said}")


def _figures(protocol: Protocol) -> str:
    values = (
        ("TR", protocol.repetition_time_ms),
        ("TE", protocol.echo_time_ms),
        ("TI", protocol.inversion_time_ms),
    )
    return ", ".join(f"{name} {value:g} ms" for name, value in values if value)
