"""The files under a folder, and what kind each is by its first bytes, whatever its name."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

MAX_DEPTH = 64
"""Folders deeper than this are a loop that links did not show."""

_VRS = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT".split()
)


@dataclass(frozen=True)
class FoundFile:
    """A regular file: its path, and its name relative to the root, safe to print whatever its bytes."""

    path: Path
    name: str


@dataclass(frozen=True)
class UnreadableEntry:
    """Something in the tree that cannot be opened, and why."""

    name: str
    reason: str


def printable(path: Path, root: Path) -> str:
    """`path` relative to `root`, with bytes that are no UTF-8 and control characters escaped."""
    text = str(path.relative_to(root)) if path != root else path.name
    plain = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in plain)


def walk(root: Path) -> Iterator[FoundFile | UnreadableEntry]:
    """Every regular file under `root` (or `root` itself), in a fixed order; a folder that links lead back to, once."""
    if root.is_file():
        yield FoundFile(root, printable(root, root.parent))
        return
    yield from _walk(root, root, set(), 0)


def _walk(folder: Path, root: Path, seen: set[tuple[int, int]], depth: int) -> Iterator[FoundFile | UnreadableEntry]:
    try:
        about = folder.stat()
        if (about.st_dev, about.st_ino) in seen:
            return
        seen.add((about.st_dev, about.st_ino))
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        yield UnreadableEntry(printable(folder, root), error.strerror or "cannot be opened")
        return
    for entry in entries:
        path = folder / entry.name
        try:
            mode = entry.stat().st_mode
        except OSError as error:
            yield UnreadableEntry(printable(path, root), error.strerror or "cannot be opened")
            continue
        if stat.S_ISDIR(mode):
            if depth >= MAX_DEPTH:
                yield UnreadableEntry(printable(path, root), f"more than {MAX_DEPTH} folders deep")
            else:
                yield from _walk(path, root, seen, depth + 1)
        elif stat.S_ISREG(mode):
            yield FoundFile(path, printable(path, root))


def kind_of(file: BinaryIO) -> str:
    """ "dicom", "nifti", "nrrd", "metaimage", "archive" (zip, or DICOM or tar in gzip), "empty" or "" (none).

    By content; rewinds the file.
    """
    start = file.read(352)
    file.seek(0)
    if not start:
        return "empty"
    if start[128:132] == b"DICM" or _is_bare_dicom(start):
        return "dicom"
    is_archive = start.startswith(b"PK\3\4")
    if start.startswith(b"\x1f\x8b"):
        try:
            start = zlib.decompressobj(wbits=31).decompress(file.read(4096), 352)
        except zlib.error:
            start = b""
        file.seek(0)
        is_archive = start[128:132] == b"DICM" or start[257:262] == b"ustar"
    return "archive" if is_archive else _kind_of_plain(start)


def _kind_of_plain(start: bytes) -> str:
    if _is_nifti(start):
        return "nifti"
    if start.startswith(b"NRRD000"):
        return "nrrd"
    if start.startswith((b"ObjectType", b"NDims", b"Comment")) and b"=" in start[:32]:
        return "metaimage"
    return ""


def _is_nifti(start: bytes) -> bool:
    size = start[:4]
    return (size in (b"\x5c\1\0\0", b"\0\0\1\x5c") and start[344:347] in (b"n+1", b"ni1")) or (
        size in (b"\x1c\2\0\0", b"\0\0\2\x1c") and start[4:7] in (b"n+2", b"ni2")
    )


def _is_bare_dicom(start: bytes) -> bool:
    """DICOM without a preamble: a first element of group 2 or 8, explicit or implicit, in either byte order."""
    if len(start) < 16:
        return False
    orders: tuple[Literal["little", "big"], ...] = ("little", "big")
    for order in orders:
        group = int.from_bytes(start[:2], order)
        number = int.from_bytes(start[2:4], order)
        if group not in (2, 8) or number > 0x2000:
            continue
        if start[4:6] in _VRS or int.from_bytes(start[4:8], order) <= 256:
            return True
    return False
