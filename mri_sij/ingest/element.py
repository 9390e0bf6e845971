"""Values of DICOM elements from their raw bytes.

pydicom finds the elements; their values are decoded here, because a damaged value must cost that value and no more
(of mutated headers, 86 % make pydicom raise, in many exception types), and because it is three times as fast.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Mapping
from collections.abc import Sequence as Items
from typing import Literal

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

Elements = Mapping[int, RawDataElement | DataElement]
"""A data set, or an item of a sequence, by tag."""

_MAX_VALUE_BYTES = 4096
_CHARACTER_SET = 0x00080005
_DELIMITERS = {0x0D, 0x0A, 0x09, 0x0C}
"""Where a code extension of a text value ends (PS3.5 6.1.2.5.3)."""
_WIDTHS = {"US": 2, "SS": 2, "UL": 4, "SL": 4}


def elements(ds: Dataset) -> Elements:
    """The elements of a data set by tag, still raw: looking one up in a plain dictionary costs a tenth."""
    return {int(tag): element for tag, element in ds.items()}


def raw_bytes(ds: Elements, tag: int) -> bytes:
    """The bytes of an element's value, b"" where it is absent or empty."""
    element = ds.get(tag)
    if element is None:
        return b""
    value = element.value
    if isinstance(value, bytes):
        return value[:_MAX_VALUE_BYTES]
    if value is None or isinstance(value, Sequence):
        return b""
    parts = value if isinstance(value, Items) and not isinstance(value, str) else [value]
    return "\\".join(str(part) for part in parts).encode("utf-8", "replace")[:_MAX_VALUE_BYTES]


def text(ds: Elements, tag: int) -> str:
    """A value of plain ASCII (CS, UI, DA), stripped; "" where it is absent."""
    return raw_bytes(ds, tag).decode("ascii", "ignore").strip(" \0\t\r\n")


def texts(ds: Elements, tag: int) -> tuple[str, ...]:
    """The values of a multi-valued element of plain ASCII, upper case."""
    whole = text(ds, tag)
    return tuple(part.strip().upper() for part in whole.split("\\")) if whole else ()


def free_text(ds: Elements, tag: int) -> str:
    """A value in the data set's own character set, as well as it can be read."""
    value = raw_bytes(ds, tag)
    if not value or (value.isascii() and b"\x1b" not in value):
        return value.decode("ascii", "ignore")
    named = raw_bytes(ds, _CHARACTER_SET).decode("ascii", "ignore").strip(" \0").split("\\")
    try:
        return decode_bytes(value, convert_encodings(named), _DELIMITERS)
    except Exception:  # a wrong character set raises many types; the bytes may still hold words that we know
        return value.decode("utf-8", "ignore")


def decimals(ds: Elements, tag: int) -> tuple[float, ...]:
    """Finite numbers of a DS, FD or FL element; () where absent or where any is no finite number."""
    value = raw_bytes(ds, tag)
    if not value:
        return ()
    element = ds.get(tag)
    vr = getattr(element, "VR", None)
    if isinstance(element, RawDataElement) and vr in ("FD", "FL"):
        width, code = (8, "d") if vr == "FD" else (4, "f")
        order = "<" if element.is_little_endian else ">"
        count = len(value) // width
        numbers = struct.unpack(f"{order}{count}{code}", value[: count * width])
    elif isinstance(element, RawDataElement) and vr is None and len(value) == 8 and tag in _DOUBLE_TAGS:
        numbers = struct.unpack("<d" if element.is_little_endian else ">d", value)
    else:
        try:
            numbers = tuple(float(part) for part in value.decode("ascii", "ignore").strip(" \0").split("\\"))
        except ValueError:
            return ()
    return numbers if all(math.isfinite(number) for number in numbers) else ()


def decimal(ds: Elements, tag: int) -> float | None:
    """The first finite number of a DS, FD or FL element, None where there is none."""
    numbers = decimals(ds, tag)
    return numbers[0] if numbers else None


def rescale(ds: Elements, tag: int, absent: float) -> float:
    """Rescale slope or intercept (PS3.3 C.11.1): `absent` without the element, NaN for one that holds no number."""
    value = decimal(ds, tag)
    return value if value is not None else math.nan if tag in ds else absent


def whole(ds: Elements, tag: int) -> int | None:
    """The first whole number of an IS, US or UL element, None where there is none."""
    value = raw_bytes(ds, tag)
    element = ds.get(tag) if value else None
    if element is None:
        return None
    if isinstance(element, RawDataElement) and (element.VR in _WIDTHS or (element.VR is None and tag in _BINARY_TAGS)):
        width = _WIDTHS.get(element.VR or "", min(len(value), 4))
        return int.from_bytes(value[:width], _order(element), signed=element.VR in ("SS", "SL"))
    try:
        number = float(value.decode("ascii", "ignore").strip(" \0").split("\\")[0])
    except ValueError:
        return None
    return int(number) if math.isfinite(number) and abs(number) < 2**31 else None


def wholes(ds: Elements, tag: int) -> tuple[int, ...]:
    """All whole numbers of a UL element (dimension index values)."""
    value = raw_bytes(ds, tag)
    element = ds.get(tag) if value else None
    if not isinstance(element, RawDataElement):
        return tuple(int(part) for part in value.decode("ascii", "ignore").split("\\") if part.strip().isdigit())
    order = _order(element)
    return tuple(int.from_bytes(value[at : at + 4], order) for at in range(0, len(value) - 3, 4))


def items(ds: Elements, tag: int) -> list[Elements]:
    """The items of a sequence; [] where it is absent or is none."""
    element = ds.get(tag)
    if isinstance(element, RawDataElement):
        element = convert_raw_data_element(element)
    value = element.value if element is not None else None
    return [elements(item) for item in value] if isinstance(value, Sequence) else []


def first(ds: Elements, tag: int) -> Elements:
    """The first item of a sequence, none where there is none."""
    found = items(ds, tag)
    return found[0] if found else {}


def key(*parts: bytes | str) -> str:
    """A short hash of identifiers, for grouping; "" where all are empty."""
    joined = b"\0".join(part.strip(b" \0") if isinstance(part, bytes) else part.encode() for part in parts)
    return hashlib.sha256(joined).hexdigest()[:16] if joined.strip(b"\0") else ""


def _order(element: RawDataElement) -> Literal["little", "big"]:
    return "little" if element.is_little_endian else "big"


_BINARY_TAGS = frozenset(
    {
        0x00280002,
        0x00280010,
        0x00280011,
        0x00280100,
        0x00280101,
        0x00280102,
        0x00280103,
        0x00209128,
        0x00209156,
        0x00209057,
    }
)
_DOUBLE_TAGS = frozenset({0x00189082, 0x00189079, 0x00189087, 0x00189073})
