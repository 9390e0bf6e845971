"""The log of a study's runs in OUT: the one file that knows the time of day. It names visits by their labels only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

Log = Callable[[str], None]


def open_log(path: Path) -> Log:
    """A function that adds a line with the time (UTC) to the file; each line is written at once and whole."""

    def write(text: str) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"{now} {' '.join(text.split())}\n")

    return write
