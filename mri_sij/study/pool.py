"""Tasks in spawned worker processes: one that crashes, is killed or hangs costs its own task and nothing else."""

from __future__ import annotations

import multiprocessing as mp
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

_POLL_S = 0.5
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)


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
) -> Iterator[tuple[int, Any]]:
    """Yield (number of the task, its result or `Lost`) as they end. `function` must be importable by name.

    A worker that dies or is at one task for more than `limit_s` is replaced. All workers end with the generator.
    """
    waiting = list(range(len(tasks)))[::-1]
    alive = [_start(function) for _ in range(min(workers, len(tasks)))]
    try:
        while waiting or any(w.task is not None for w in alive):
            for worker in alive:
                if worker.task is None and waiting:
                    worker.task, worker.since = waiting.pop(), time.monotonic()
                    worker.pipe.send(tasks[worker.task])
            ready = wait([w.pipe for w in alive if w.task is not None], timeout=_POLL_S)
            for n, worker in enumerate(alive):
                if worker.task is None:
                    continue
                ended = _collect(worker, worker.pipe in ready, limit_s)
                if ended is not None:
                    done, worker.task = worker.task, None
                    yield done, ended
                    if isinstance(ended, Lost):
                        _stop(worker)
                        alive[n] = _start(function)
    finally:
        for worker in alive:
            _stop(worker)


def _start(function: Callable[[Any], Any]) -> _Worker:
    context = mp.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(function, theirs), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


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
    import os  # noqa: PLC0415
    import signal  # noqa: PLC0415

    # Ctrl-C is the parent's to handle; threads are kept to one so that results do not depend on the machine.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in _THREAD_VARIABLES:
        os.environ[name] = "1"
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(function(task))
