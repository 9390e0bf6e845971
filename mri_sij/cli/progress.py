"""Progress of long work on stderr: a bar with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mri_sij.study.run import Event, Listener


def tell_stage(stage: str) -> None:
    """Say on a terminal what is being done."""
    if sys.stderr.isatty():
        print(f"mri-sij: {stage} ...", file=sys.stderr)


def line_of(event: Event) -> str:
    """One event in a line."""
    status = event.status
    told = f"{status.key}: {status.status.replace('_', ' ')}"
    if event.why not in ("", "not done yet"):
        told += f" (again: {event.why})"
    return f"{told}: {status.message}" if status.message else told


@contextmanager
def progress() -> Iterator[Listener]:
    """A listener for a study's events."""
    if sys.stderr.isatty():
        with _bar() as listener:
            yield listener
    else:
        yield _Lines().hear


class _Lines:
    """A line for each result that was come by now, with the time left from how long those took."""

    def __init__(self) -> None:
        self.began, self.fresh = time.monotonic(), 0

    def hear(self, event: Event) -> None:
        """Print an event; what held good from an earlier run is passed over."""
        if not event.why:
            return
        self.fresh += 1
        left = (event.total - event.done) * (time.monotonic() - self.began) / self.fresh
        rest = f", {_span(left)} left" if event.done < event.total else ""
        print(f"[{event.done}/{event.total}{rest}] {line_of(event)}", file=sys.stderr, flush=True)


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextmanager
def _bar() -> Iterator[Listener]:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Visits and comparisons", total=None)

        def hear(event: Event) -> None:
            bar.update(task, total=event.total, completed=event.done)
            if event.why and event.status.status != "done":
                bar.console.print(line_of(event), markup=False, highlight=False)

        yield hear
