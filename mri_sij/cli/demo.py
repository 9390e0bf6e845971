"""`mri-sij demo`."""

from __future__ import annotations


def demo() -> None:
    """(under construction)"""
    raise SystemExit(2)
