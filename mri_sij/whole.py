"""Files that are there whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, content: str | bytes | Iterable[str], *, beside: Path | None = None) -> None:
    """Write text (in pieces, if wanted) or bytes to a hidden file, in `path`'s folder or in `beside`, and rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=beside or path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            for piece in [content] if isinstance(content, str | bytes) else content:
                stream.write(piece if isinstance(piece, bytes) else piece.encode("utf-8"))
        Path(name).chmod(usual_mode(0o666))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def usual_mode(mode: int) -> int:
    """What this process's umask leaves of `mode`: temporary files and folders are made for their owner alone."""
    umask = os.umask(0)
    os.umask(umask)
    return mode & ~umask
