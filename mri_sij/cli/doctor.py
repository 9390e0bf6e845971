"""`mri-sij doctor`."""

from __future__ import annotations


def doctor() -> None:
    """(under construction)"""
    raise SystemExit(2)
