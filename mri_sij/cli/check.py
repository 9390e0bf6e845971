"""`mri-sij check`."""

from __future__ import annotations


def check() -> None:
    """(under construction)"""
    raise SystemExit(2)
