"""`mri-sij run`."""

from __future__ import annotations


def run() -> None:
    """(under construction)"""
    raise SystemExit(2)
