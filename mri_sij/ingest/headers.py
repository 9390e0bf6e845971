"""DICOM headers, without pixels: one file to its frames.

Refused here: what is no image, no MR, colour, or has no pixels. Everything about geometry is judged later, when all
files of a series are known.
"""

from __future__ import annotations

import re
import zlib
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pydicom.dataset import Dataset
from pydicom.filereader import dcmread, read_dataset
from pydicom.tag import BaseTag

from mri_sij.errors import RefusedError
from mri_sij.ingest import element, functional_groups
from mri_sij.ingest.element import Elements
from mri_sij.ingest.frame import Frame, Pixels
from mri_sij.ingest.limits import MAX_INFLATED_BYTES, BombError
from mri_sij.ingest.protocol import read_protocol

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
DICOMDIR_CLASS = "1.2.840.10008.1.3.10"
_FIRST_PIXEL_TAG = 0x7FE00001
MAX_FRAMES = 20_000
"""Most frames of one file; a header that declares more is damaged."""

WANTED = [
    0x00020010, 0x00080005, 0x00080008, 0x00080016, 0x00080018, 0x00080020, 0x00080060, 0x00080070, 0x00081030,
    0x0008103E, 0x00100020, 0x00100021, 0x00100010, 0x00100030, 0x00180010, 0x00180015, 0x00180020, 0x00180022,
    0x00180024, 0x00180050, 0x00180080, 0x00180081, 0x00180082, 0x00180086, 0x00180087, 0x00180088, 0x00181030,
    0x00181060, 0x00181314, 0x00189008, 0x00189025,
    0x00189087, 0x00189089, 0x0020000D, 0x0020000E, 0x00200011, 0x00200012, 0x00200013,
    0x00200032, 0x00200037, 0x00200052, 0x00200100, 0x00201002, 0x00280002, 0x00280004, 0x00280008, 0x00280010,
    0x00280011, 0x00280030, 0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x00281052, 0x00281053,
    0x2005100E, 0x52009229, 0x52009230,
]  # fmt: skip
"""The elements that are read; the others are passed over unread, however long."""

_PIXEL_ELEMENTS = {
    0x00280002: "SamplesPerPixel", 0x00280004: "PhotometricInterpretation", 0x00280010: "Rows", 0x00280011: "Columns",
    0x00280100: "BitsAllocated", 0x00280101: "BitsStored", 0x00280103: "PixelRepresentation",
}  # fmt: skip

_WANTED_TAGS = tuple(BaseTag(tag) for tag in WANTED)


class NotAnImageError(RefusedError):
    """A DICOM file that holds no MR image; `code` says which kind of other thing it is."""

    code = "not_an_image"


class HeaderError(RefusedError):
    """A DICOM header that is damaged."""

    code = "damaged_header"


def read_frames(path: Path, name: str, file: BinaryIO) -> list[Frame]:
    """The frames of one open DICOM file, called `name` in messages; RefusedError for what holds no MR image."""
    try:
        ds, syntax = _read_header(file)
        return _frames(path, name, ds, syntax)
    except (RefusedError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's own error; pydicom's have no number
        # pydicom raises a dozen types on damaged headers, some only when a value is used.
        raise HeaderError("The DICOM header is damaged.", hint="Copy or export the file again.") from error


def _frames(path: Path, name: str, ds: Elements, syntax: str) -> list[Frame]:
    if element.text(ds, 0x00080016) == DICOMDIR_CLASS:
        raise NotAnImageError("A DICOMDIR is passed over: its files are found by themselves.")
    modality = element.text(ds, 0x00080060)
    if 0x00280004 not in ds and 0x00280100 not in ds:
        raise NotAnImageError("A DICOM file without an image.")
    if modality and modality != "MR":
        raise NotAnImageError("An image of another modality than MR.")
    pixels = _pixels(ds, syntax)
    base = _base_frame(path, name, ds, pixels)
    return functional_groups.expand(base, ds) if pixels.frames > 1 or functional_groups.PER_FRAME in ds else [base]


def _read_header(file: BinaryIO) -> tuple[Elements, str]:
    """The wanted elements before the pixels, and the transfer syntax; a deflated file is unpacked within a bound."""
    start = file.read(132)
    syntax = ""
    if start[128:132] == b"DICM":
        syntax = element.text(element.elements(skip_file_meta(file)), 0x00020010)
        if syntax == DEFLATED:
            return _read_plain(inflated(file), EXPLICIT), DEFLATED
        if syntax:
            return _read_plain(file, syntax), syntax
    file.seek(0)
    ds = dcmread(file, stop_before_pixels=True, force=True, specific_tags=WANTED)
    return element.elements(ds), _guessed_syntax(ds)


def skip_file_meta(file: BinaryIO) -> Dataset:
    """The file meta information after the preamble; leaves the file where the data set begins."""
    file.seek(132)
    return read_dataset(file, False, True, stop_when=lambda tag, vr, length: tag.group != 2)


def inflated(file: BinaryIO) -> BytesIO:
    """The data set of a deflated file, unpacked; BombError when it is larger than MAX_INFLATED_BYTES.

    `file` stands where the deflated data begin.
    """
    unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    plain = unpacker.decompress(file.read(MAX_INFLATED_BYTES), MAX_INFLATED_BYTES)
    if len(plain) >= MAX_INFLATED_BYTES:
        raise BombError(f"The deflated file unpacks to more than {MAX_INFLATED_BYTES} bytes.")
    return BytesIO(plain)


def _read_plain(file: BinaryIO, syntax: str) -> Elements:
    """The wanted elements of a data set that begins where `file` stands."""
    tags: list[BaseTag | int] = list(_WANTED_TAGS)
    ds = read_dataset(file, syntax == IMPLICIT, syntax != BIG_ENDIAN, stop_when=_at_pixels, specific_tags=tags)
    return element.elements(ds)


def _at_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:
    return int(tag) >= _FIRST_PIXEL_TAG


def _guessed_syntax(ds: Dataset) -> str:
    implicit, little = ds.original_encoding
    return IMPLICIT if implicit else EXPLICIT if little else BIG_ENDIAN


def _pixels(ds: Elements, syntax: str) -> Pixels:
    """How the pixels are stored; refuses a header without what the Image Pixel modules require (PS3.3 C.7.6.3).

    Pixels that are floating point numbers, of 32 or 64 bits, have no bits stored and no sign (PS3.3 C.7.6.24, 25).
    """
    bits = element.whole(ds, 0x00280100) or 0
    required = {tag: name for tag, name in _PIXEL_ELEMENTS.items() if bits < 32 or tag not in (0x00280101, 0x00280103)}
    absent = [name for tag, name in required.items() if not element.raw_bytes(ds, tag)]
    if absent:
        raise HeaderError(
            f"The header does not say {', '.join(absent)}, without which its pixels cannot be read.",
            hint="Export the series again.",
        )
    rows, columns = element.whole(ds, 0x00280010), element.whole(ds, 0x00280011)
    frames = element.whole(ds, 0x00280008) or 1
    if not 1 <= frames <= MAX_FRAMES:
        raise HeaderError(f"The header declares {frames} frames, expected 1 to {MAX_FRAMES}.")
    if not rows or not columns:
        raise HeaderError(f"The header declares an image of {rows} x {columns} pixels.")
    bits_stored, high_bit = element.whole(ds, 0x00280101) or 0, element.whole(ds, 0x00280102)
    return Pixels(
        transfer_syntax=syntax,
        rows=rows,
        columns=columns,
        samples=element.whole(ds, 0x00280002) or 1,
        bits_allocated=bits,
        bits_stored=bits_stored,
        high_bit=bits_stored - 1 if high_bit is None else high_bit,
        photometric=element.text(ds, 0x00280004),
        frames=frames,
    )


def _base_frame(path: Path, name: str, ds: Elements, pixels: Pixels) -> Frame:
    """The one frame of a classic file, or what an enhanced one says outside its functional groups."""
    series = element.raw_bytes(ds, 0x0020000E)
    study = element.raw_bytes(ds, 0x0020000D)
    patient = element.raw_bytes(ds, 0x00100020) or element.raw_bytes(ds, 0x00100010)
    image = element.raw_bytes(ds, 0x00080018)
    return Frame(
        path=path,
        name=name,
        number=0,
        key_patient=element.key(patient, element.raw_bytes(ds, 0x00100021)),
        key_study=element.key(study),
        key_series=element.key(series),
        key_frame_of_reference=element.key(element.raw_bytes(ds, 0x00200052)),
        key_image=element.key(image),
        day=_day(element.text(ds, 0x00080020)),
        series_number=element.whole(ds, 0x00200011),
        instance_number=element.whole(ds, 0x00200013),
        images_in_acquisition=element.whole(ds, 0x00201002),
        pixels=pixels,
        protocol=read_protocol(ds),
        position=functional_groups.triple(element.decimals(ds, 0x00200032)),
        orientation=functional_groups.six(element.decimals(ds, 0x00200037)),
        pixel_spacing_mm=functional_groups.pair(element.decimals(ds, 0x00280030)),
        slope=element.rescale(ds, 0x00281053, 1.0),
        intercept=element.rescale(ds, 0x00281052, 0.0),
        private_scale=element.decimal(ds, 0x2005100E),
        echo_number=element.whole(ds, 0x00180086),
        acquisition_number=element.whole(ds, 0x00200012),
        temporal_position=element.whole(ds, 0x00200100),
        trigger_time_ms=element.decimal(ds, 0x00181060),
        diffusion=element.decimals(ds, 0x00189087) + element.decimals(ds, 0x00189089),
        stack="",
        dimension=(),
        key_name=_name_key(element.raw_bytes(ds, 0x00100010)),
        key_birth=element.key(element.raw_bytes(ds, 0x00100030)),
    )


def _name_key(name: bytes) -> str:
    """Hash of a name, whatever its capitals and separators; "" for none."""
    return element.key(b" ".join(re.findall(rb"[^\s^=,.]+", name.upper())))


def _day(text: str) -> int | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])).toordinal()
    except ValueError:
        return None
