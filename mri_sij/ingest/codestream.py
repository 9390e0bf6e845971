"""The size that a compressed image declares for itself, read before a decoder reserves memory for it."""

from __future__ import annotations

_START_OF_FRAME = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7})


def codestream_size(stream: bytes) -> tuple[int, int] | None:
    """Rows and columns of a JPEG (ITU-T T.81), JPEG-LS (T.87) or JPEG 2000 (T.800) stream; None without a header."""
    if stream.startswith(b"\xff\x4f\xff\x51"):
        width, height, left, top = (int.from_bytes(stream[at : at + 4], "big") for at in (8, 12, 16, 20))
        return height - top, width - left
    at = 2
    while stream.startswith(b"\xff\xd8") and at + 9 <= len(stream) and stream[at] == 0xFF:
        marker, length = stream[at + 1], int.from_bytes(stream[at + 2 : at + 4], "big")
        if marker in _START_OF_FRAME:
            return int.from_bytes(stream[at + 5 : at + 7], "big"), int.from_bytes(stream[at + 7 : at + 9], "big")
        at += 2 + length if marker != 0xFF else 1
    return None
