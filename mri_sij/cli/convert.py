"""`mri-sij convert`."""

from __future__ import annotations


def convert() -> None:
    """(under construction)"""
    raise SystemExit(2)
