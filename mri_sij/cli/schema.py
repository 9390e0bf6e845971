"""`mri-sij schema`."""

from __future__ import annotations


def schema() -> None:
    """(under construction)"""
    raise SystemExit(2)
