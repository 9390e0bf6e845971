"""OUT: whether it can be written to, the JSON that is there, and what a kill leaves, taken away."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from mri_sij.errors import MriSijError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""The disk is full, the quota is used up, or the file system is read-only: no other visit can be written either."""

_LEFT_OVER = re.compile(
    r"\.(?P<key>.+?)(?:\.json|\.png|\.csv|\.html|_desc-\w+_dseg\.(?:nii\.gz|tsv))?-(?:old-)?[a-z0-9_]{8}"
)


class OutputError(MriSijError):
    """OUT cannot be written to; what was done before stays, and another run goes on from there."""

    code = "output"


def reason_of(error: OSError) -> str:
    """What the system says of an error, without any name of a file; libraries may put one into the error's own text."""
    return os.strerror(error.errno) if error.errno else type(error).__name__


def require_writable(folder: Path) -> None:
    """OutputError when `folder`, which is made where it is not there, takes no file."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"room")
    except OSError as error:
        raise OutputError(
            f"The folder {folder.name} cannot be written to: {reason_of(error)}.", hint="Name a folder that is yours."
        ) from error


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; {} where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def sweep(folder: Path, keys: Collection[str]) -> None:
    """Take away what a killed run left half-made in `folder` for these keys, and nothing of anybody else's."""
    try:
        with os.scandir(folder) as listing:
            names = [entry.name for entry in listing if entry.name.startswith(".")]
    except FileNotFoundError:
        return
    for name in names:
        found = _LEFT_OVER.fullmatch(name)
        if found is None or found["key"] not in keys:
            continue
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
