"""One two-dimensional image as its header describes it; no pixels, no free text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

Triple = tuple[float, float, float]
Six = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Protocol:
    """How an image was taken: times in ms, angles in degrees, lengths in mm; None where the header is silent.

    `words` are the concepts found in the description, protocol and sequence name (see `words`), `study_words` those
    of the whole study. `vendor` is one of a fixed list.
    """

    modality: str = ""
    vendor: str = ""
    scanning_sequence: tuple[str, ...] = ()
    image_type: tuple[str, ...] = ()
    repetition_time_ms: float | None = None
    echo_time_ms: float | None = None
    inversion_time_ms: float | None = None
    flip_angle_deg: float | None = None
    field_strength_t: float | None = None
    slice_thickness_mm: float | None = None
    spacing_between_slices_mm: float | None = None
    inversion_recovery: bool | None = None
    fat_suppressed: bool | None = None
    contrast_agent: bool | None = None
    body_part: str = ""
    words: frozenset[str] = frozenset()
    study_words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pixels:
    """How an image's pixels are stored."""

    transfer_syntax: str
    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    photometric: str
    frames: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One image: where its file is, whose it is (hashes, never names), where it lies (LPS mm) and what tells it apart.

    `number` counts frames within a multi-frame file from 0. `key_patient` and the like are hashes of identifiers, for
    grouping only; `day` counts days from an arbitrary origin. `slope` and `intercept` are NaN where the header has them
    without a number.
    """

    path: Path
    name: str
    number: int
    key_patient: str
    key_study: str
    key_series: str
    key_frame_of_reference: str
    key_image: str
    day: int | None
    series_number: int | None
    instance_number: int | None
    images_in_acquisition: int | None
    pixels: Pixels
    protocol: Protocol
    position: Triple | None
    orientation: Six | None
    pixel_spacing_mm: tuple[float, float] | None
    slope: float
    intercept: float
    private_scale: float | None
    echo_number: int | None
    acquisition_number: int | None
    temporal_position: int | None
    trigger_time_ms: float | None
    diffusion: tuple[float, ...]
    stack: str
    dimension: tuple[int, ...]
    key_name: str = ""
    key_birth: str = ""
