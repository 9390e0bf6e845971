"""A finished folder: all of its files or none, built beside its place and renamed."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mri_sij.errors import UsageError
from mri_sij.whole import usual_mode

VISIT_FILES = r"visit\.json|quadrants\.csv|report\.html|form\.csv|anatomy\.nii\.gz|oedema\.nii\.gz|followup\.npz"
"""Every file of a finished visit."""

COMPARISON_FILES = r"comparison\.json|comparison\.html|change(-\d+)?\.nii\.gz"
"""Every file of a comparison."""


@contextmanager
def whole_folder(out: Path, files: str) -> Iterator[Path]:
    """A new folder beside `out` that takes its place when all is written, and goes away when something fails.

    An `out` that is there already is replaced when each of its files fully matches the pattern `files`; UsageError
    when it holds anything else, or is a file.
    """
    _require_replaceable(out, files)
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield beside
        beside.chmod(usual_mode(0o777))
        _put_in_place(beside, out)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _require_replaceable(out: Path, files: str) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out.name} is a file; a folder is expected.")
    others = sum(re.fullmatch(files, member.name) is None for member in out.iterdir())
    if others:
        told = f"The folder {out.name} holds files of somebody else ({others}), which stay: move them elsewhere."
        raise UsageError(told, hint="Or name a new folder with -o.")


def _put_in_place(beside: Path, out: Path) -> None:
    """Rename the finished folder to `out`; one that is there steps aside first, for a moment, and is then removed."""
    if not out.exists():
        beside.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
    out.rename(old)
    beside.rename(out)
    shutil.rmtree(old, ignore_errors=True)
