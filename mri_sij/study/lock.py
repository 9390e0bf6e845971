"""One run at a time on an OUT, and one for each shard: a second one would take away what the first is writing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mri_sij.errors import UsageError
from mri_sij.study.state import FOLDER


@contextmanager
def alone(out: Path, shard: tuple[int, int]) -> Iterator[None]:
    """Hold OUT for a whole run, or the part of it that is a shard's. UsageError where another run is at work.

    The system frees a lock when its process ends, however it ends. Where it knows no locks (Windows, some file systems
    of clusters) nothing is held.
    """
    (out / FOLDER).mkdir(parents=True, exist_ok=True)
    number, of = shard
    with ExitStack() as held:
        held.enter_context(_locked(out / FOLDER / "lock", shared=of > 1))
        if of > 1:
            held.enter_context(_locked(out / FOLDER / f"lock-{number}-of-{of}", shared=False))
        yield


@contextmanager
def _locked(path: Path, *, shared: bool) -> Iterator[None]:
    try:
        import fcntl  # noqa: PLC0415
    except ImportError:
        yield
        return
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"Another run is at work on {path.parents[1].name}.",
                hint="Wait for its end (`mri-sij status` tells how far it is), or name another folder.",
            ) from error
        except OSError:
            pass  # a file system without locks
        yield
