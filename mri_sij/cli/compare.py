"""`mri-sij compare`."""

from __future__ import annotations


def compare() -> None:
    """(under construction)"""
    raise SystemExit(2)
