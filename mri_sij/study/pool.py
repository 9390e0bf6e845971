"""Tasks in spawned worker processes: one that crashes, is killed or hangs costs its own task and nothing else."""

from __future__ import annotations

import multiprocessing as mp
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

_POLL_S = 0.5

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1",
    "PYTHONHASHSEED": "0",
}
"""What workers start with: one thread each, and nothing that differs from run to run."""


@dataclass(frozen=True)
class Lost:
    """A task without a result: `code` is `crashed` or `timed_out`."""

    code: str
    message: str


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    task: int | None = None
    since: float = 0.0


def run_tasks(
    function: Callable[[Any], Any], tasks: Sequence[Any], *, workers: int, limit_s: float
) -> Generator[tuple[int, Any], None, None]:
    """Yield (number of the task, its result or `Lost`) as they end. `function` must be importable by name.

    A worker that dies or is at one task for more than `limit_s` is replaced. All workers end with the generator, and
    with this process, however it ends.
    """
    waiting = list(range(len(tasks)))[::-1]
    alive: list[_Worker] = []
    try:
        for _ in range(min(workers, len(tasks))):
            alive.append(_start(function))
        while waiting or any(w.task is not None for w in alive):
            for worker in alive:
                if worker.task is None and waiting:
                    _give(worker, waiting.pop(), tasks)
            ready = wait([w.pipe for w in alive if w.task is not None], timeout=_POLL_S)
            for n, worker in enumerate(alive):
                if worker.task is None:
                    continue
                ended = _collect(worker, worker.pipe in ready, limit_s)
                if ended is not None:
                    done, worker.task = worker.task, None
                    if isinstance(ended, Lost):
                        _stop(worker)
                        alive[n] = _start(function)
                    yield done, ended
    finally:
        for worker in alive:
            _stop(worker)


@contextmanager
def environment() -> Iterator[None]:
    """This process's environment with ENVIRONMENT for as long as processes are started: libraries read it once."""
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start(function: Callable[[Any], Any]) -> _Worker:
    context = mp.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(function, theirs), daemon=True)
    with environment():
        process.start()
    theirs.close()
    return _Worker(process, ours)


def _give(worker: _Worker, task: int, tasks: Sequence[Any]) -> None:
    worker.task, worker.since = task, time.monotonic()
    with suppress(OSError):  # of a worker that is dead already; its end of the pipe says so when it is asked
        worker.pipe.send(tasks[task])


def _collect(worker: _Worker, ready: bool, limit_s: float) -> Any:
    """The worker's result, `Lost`, or None while it is still at work."""
    if ready:
        try:
            return worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(5)
            return Lost("crashed", f"The worker process ended with status {worker.process.exitcode}.")
    if time.monotonic() - worker.since > limit_s:
        return Lost("timed_out", f"No result after {limit_s:g} s, the limit in the settings.")
    return None


def _stop(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.kill()
    worker.process.join(5)


def _serve(function: Callable[[Any], Any], pipe: Connection) -> None:
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    end_with_parent()
    be_silent()
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(function(task))


def end_with_parent() -> None:
    """End this process at once when the one that started it is gone, so that nobody writes behind a new run's back."""
    import threading  # noqa: PLC0415

    parent = mp.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def silenced() -> Iterator[None]:
    """Nothing is printed by this process within, not even by C++ libraries."""
    kept = os.dup(1), os.dup(2)
    be_silent()
    try:
        yield
    finally:
        for number, old in enumerate(kept, start=1):
            os.dup2(old, number)
            os.close(old)


def be_silent() -> None:
    """Send what libraries print to nowhere: warnings of theirs quote header values."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
