"""`mri-sij segment`."""

from __future__ import annotations


def segment() -> None:
    """(under construction)"""
    raise SystemExit(2)
