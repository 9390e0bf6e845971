"""`mri-sij gather`."""

from __future__ import annotations


def gather() -> None:
    """(under construction)"""
    raise SystemExit(2)
