"""`mri-sij score`."""

from __future__ import annotations


def score() -> None:
    """(under construction)"""
    raise SystemExit(2)
