"""`mri-sij phantom`."""

from __future__ import annotations


def phantom() -> None:
    """(under construction)"""
    raise SystemExit(2)
