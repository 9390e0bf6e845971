"""`mri-sij scan`."""

from __future__ import annotations


def scan() -> None:
    """(under construction)"""
    raise SystemExit(2)
