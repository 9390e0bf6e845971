"""`mri-sij status`."""

from __future__ import annotations


def status() -> None:
    """(under construction)"""
    raise SystemExit(2)
