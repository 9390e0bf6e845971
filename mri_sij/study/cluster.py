"""The same tasks on Dask: workers on any machines that see STUDY and OUT under the same paths."""

from __future__ import annotations

import shutil
import time
import tomllib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from mri_sij.errors import UsageError
from mri_sij.study.pool import ENVIRONMENT, Lost, silenced

_POLL_S = 0.5
_WORKERS_WITHIN_S = 600.0
"""The first worker of a cluster must be there within this time; queues may be long, so jobs that wait are no error."""


def run_on_dask(
    function: Callable[[Any], Any], tasks: Sequence[Any], *, client: Any, limit_s: float
) -> Generator[tuple[int, Any], None, None]:
    """Yield (number of the task, its result or `Lost`) as they end, like `pool.run_tasks`.

    Only as many tasks as there are worker threads are given to the scheduler at a time, so that it stays small. A task
    whose worker dies is given to another by Dask (three times by its default), and is lost after that; one that takes
    longer than `limit_s` is lost and its worker restarted.
    """
    waiting = list(range(len(tasks)))[::-1]
    running: dict[Any, int] = {}
    started: dict[str, float] = {}
    run = uuid4().hex[:8]
    try:
        while waiting or running:
            for _ in range(min(len(waiting), max(1, _slots(client)) - len(running))):
                number = waiting.pop()
                key = f"mri-sij-{run}-{number}"
                running[client.submit(quietly, function, tasks[number], key=key, pure=False)] = number
            for future in _ended(client, running):
                yield running.pop(future), _result(future)
            for future in _overdue(client, running, started, limit_s):
                lost = Lost("timed_out", f"No result after {limit_s:g} s, the limit in the settings.")
                yield running.pop(future), lost
    finally:
        for future in running:
            future.cancel()


def quietly(function: Callable[[Any], Any], task: Any) -> Any:
    """Do a task with nothing printed: warnings of libraries quote header values, and workers' logs are kept."""
    with silenced():
        return function(task)


def _slots(client: Any) -> int:
    return sum(worker["nthreads"] for worker in client.scheduler_info(n_workers=-1)["workers"].values())


def _ended(client: Any, running: dict[Any, int]) -> list[Any]:
    if not running:
        time.sleep(_POLL_S)
        return []
    try:
        with client.as_current():
            _installed("distributed").wait(list(running), timeout=_POLL_S, return_when="FIRST_COMPLETED")
    except TimeoutError:
        return []
    return [future for future in running if future.done()]


def _result(future: Any) -> Any:
    from distributed import KilledWorker  # noqa: PLC0415

    try:
        return future.result()
    except KilledWorker:
        return Lost("crashed", "The worker processes that took this task died.")
    except Exception as error:  # whatever a scheduler tells must not end the study; its text may quote a task
        return Lost("crashed", f"The scheduler gave it up: {type(error).__name__}.")


def _overdue(client: Any, running: dict[Any, int], started: dict[str, float], limit_s: float) -> list[Any]:
    """Tasks that are at work for too long; their workers are restarted."""
    now = time.monotonic()
    late, keys = [], {future.key: future for future in running}
    for worker, tasks in client.processing().items():
        for key in tasks:
            since = started.setdefault(key, now)
            if key in keys and now - since > limit_s:
                late.append(keys[key])
                keys[key].cancel()
                client.restart_workers([worker], raise_for_error=False)
    return late


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A client of the scheduler at `address`: of this machine (tcp) or of any (tls). UsageError for anything else.

    A scheduler runs any code that it is sent, so one that is open to a network without certificates is refused.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or parts.port is None:
        raise UsageError(f"{address} is no address of a scheduler.", hint="It looks like tcp://127.0.0.1:8786.")
    if parts.scheme == "tcp" and not _is_here(parts.hostname):
        raise UsageError(
            "A scheduler on another machine is spoken to over tls:// only.",
            hint="Start it with certificates (docs.dask.org, TLS), or run it on this machine.",
        )
    client_class = _installed("distributed").Client
    try:
        client = client_class(address, timeout=30, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise UsageError(f"No scheduler answers at {address}: {type(error).__name__}.") from error
    with client:
        _await_workers(client)
        yield client


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def on_site(site: Path) -> Iterator[Any]:
    """A client of a cluster that is started by SLURM as a site file says (see configs/slurm.toml)."""
    with site_cluster(site) as cluster, _installed("distributed").Client(cluster, set_as_default=False) as client:
        _await_workers(client)
        yield client


def site_cluster(site: Path) -> Any:
    """The cluster of a site file, its jobs not yet running."""
    try:
        told = tomllib.loads(site.read_text(encoding="utf-8"))
        jobs, options = int(told["jobs"]), dict(told["slurm"])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise _not_usable(site, error) from error
    jobqueue = _installed("dask_jobqueue")
    if shutil.which("sbatch") is None:  # dask-jobqueue would ask for it again and again, without end
        raise UsageError("There is no SLURM here: sbatch is not found.", hint="Run it on a login node of the cluster.")
    exports = [f"export {name}={value}" for name, value in ENVIRONMENT.items()]
    options["job_script_prologue"] = [*exports, *options.get("job_script_prologue", [])]
    if told.get("tls", True):
        _installed("cryptography")
        options |= {"protocol": "tls://", "security": _installed("distributed").Security.temporary()}
        keys = Path(options.get("shared_temp_directory", "~/.mri-sij")).expanduser()
        keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        options["shared_temp_directory"] = str(keys)
    options["scheduler_options"] = {"dashboard": False, **options.get("scheduler_options", {})}  # it knows no TLS
    try:
        cluster = jobqueue.SLURMCluster(**options)
    except (TypeError, ValueError) as error:
        raise _not_usable(site, error) from error
    cluster.scale(jobs=jobs)
    return cluster


def _not_usable(site: Path, error: Exception) -> UsageError:
    return UsageError(f"The site file {site.name} cannot be used: {error}.", hint="See configs/slurm.toml.")


def _await_workers(client: Any) -> None:
    try:
        client.wait_for_workers(1, timeout=_WORKERS_WITHIN_S)
    except TimeoutError as error:
        raise UsageError(
            f"The scheduler has no worker after {_WORKERS_WITHIN_S:g} s.", hint="Is the queue full?"
        ) from error


def _installed(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415

    try:
        return import_module(name)
    except ImportError as error:
        raise UsageError(f"{name} is not installed.", hint="In a clone: pip install '.[cluster]'") from error
