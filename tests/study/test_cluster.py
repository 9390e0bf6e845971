"""The same study on Dask: real worker processes, one killed mid-way, one that hangs, and jobs of a queue."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import quick_study
from quick_study import Run

from mri_sij.errors import UsageError
from mri_sij.study.cluster import connected, on_site, run_on_dask
from mri_sij.study.report import gather

distributed = pytest.importorskip("distributed")
TESTS = Path(__file__).parents[1]


@pytest.fixture
def address(_template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A scheduler of this machine with two worker processes."""
    monkeypatch.setenv(quick_study.TEMPLATE, str(_template))
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address


def results(out: Path) -> dict[str, bytes]:
    gather(out)
    return quick_study.outputs(out)


def test_one_worker_is_killed_and_the_bytes_are_those_of_the_pool(address: str, tmp_path: Path, run: Run) -> None:
    study = quick_study.write_study(tmp_path / "study", patients=3, fate="slow")
    run(study, tmp_path / "pool")
    with connected(address) as client:
        executor = partial(run_on_dask, client=client, limit_s=60.0)
        killed: list[int] = []

        def killing(function: Any, tasks: Any) -> Generator[tuple[int, Any], None, None]:
            for ended in executor(function, tasks):
                if not killed:
                    pid = next(iter(client.run(os.getpid).values()))
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                yield ended

        outcome = run(study, tmp_path / "dask", executor=killing)
    assert killed
    assert {status.status for status in (*outcome.visits, *outcome.comparisons)} == {"done"}
    assert results(tmp_path / "dask") == results(tmp_path / "pool")


def test_a_visit_that_kills_or_keeps_its_worker_costs_itself_only(address: str, tmp_path: Path, run: Run) -> None:
    for n, fate in enumerate(("", "crash", "hang", "raise")):
        quick_study.write_visit_of(tmp_path / "study", f"{n}", "1", fate, seed=n)
    with connected(address) as client:
        outcome = run(tmp_path / "study", tmp_path / "out", executor=partial(run_on_dask, client=client, limit_s=15.0))
    found = [(status.status, status.code) for status in outcome.visits]
    assert found == [("done", ""), ("failed", "crashed"), ("failed", "timed_out"), ("failed", "unexpected")]


@pytest.mark.parametrize("text", ["here", "http://127.0.0.1:1", "tcp://10.1.2.3:8786", "tcp://nowhere:8786"])
def test_only_a_scheduler_of_this_machine_is_spoken_to_in_the_clear(text: str) -> None:
    with pytest.raises(UsageError), connected(text):
        pass


SBATCH = """#!/bin/sh
# Stands for SLURM: keeps the script and runs it at once on this machine.
PATH=$PATH:/usr/bin:/bin
for script; do :; done
cp "$script" "$QUEUE/$$.sh"
setsid sh "$QUEUE/$$.sh" >"$QUEUE/$$.out" 2>&1 </dev/null &
echo "Submitted batch job $!"
echo $! >>"$QUEUE/jobs"
"""
SCANCEL = """#!/bin/sh
for job; do kill -9 -- "-$job"; done 2>/dev/null
exit 0
"""


@pytest.fixture
def queue(tmp_path: Path, _template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`sbatch` and `scancel` that start and end real worker processes here."""
    folder = tmp_path / "queue"
    folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("QUEUE", str(folder))
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    monkeypatch.setenv(quick_study.TEMPLATE, str(_template))
    return folder


def site_file(folder: Path, **more: str) -> Path:
    told = {"interface": '"lo"', "cores": "1", "memory": '"1GB"', "python": f'"{sys.executable}"', **more}
    lines = [f"{name} = {value}" for name, value in told.items()]
    path = folder / "site.toml"
    own = f'shared_temp_directory = "{folder}"\nlog_directory = "{folder}"'
    path.write_text("jobs = 2\n[slurm]\n" + "\n".join(lines) + f"\n{own}\n")
    return path


def test_jobs_of_a_queue_over_tls_give_the_same_bytes_though_one_is_killed(
    queue: Path, tmp_path: Path, run: Run
) -> None:
    pytest.importorskip("dask_jobqueue")
    study = quick_study.write_study(tmp_path / "study", patients=2, fate="slow")
    with on_site(site_file(tmp_path)) as client:
        assert client.scheduler.address.startswith("tls://")
        executor = partial(run_on_dask, client=client, limit_s=60.0)

        def killing(function: Any, tasks: Any) -> Generator[tuple[int, Any], None, None]:
            for n, ended in enumerate(executor(function, tasks)):
                if n == 0:
                    os.killpg(int((queue / "jobs").read_text().split()[0]), signal.SIGKILL)
                yield ended

        run(study, tmp_path / "site", executor=killing)
    run(study, tmp_path / "pool")
    assert results(tmp_path / "site") == results(tmp_path / "pool")


def test_the_site_file_of_the_project_asks_for_one_thread_and_tls(queue: Path, tmp_path: Path) -> None:
    jobqueue = pytest.importorskip("dask_jobqueue")
    site = TESTS.parent / "configs" / "slurm.toml"
    import tomllib  # noqa: PLC0415

    told = tomllib.loads(site.read_text(encoding="utf-8"))
    options = {
        **told["slurm"],
        "interface": "lo",
        "shared_temp_directory": str(tmp_path),
        "log_directory": str(tmp_path),
    }
    with jobqueue.SLURMCluster(**options) as cluster:
        script = cluster.job_script()
    assert "#SBATCH -p normal" in script and "#SBATCH --cpus-per-task=1" in script and "--lifetime 110m" in script
    assert told["tls"] is True


@pytest.mark.parametrize(
    ("text", "told"),
    [("jobs = 1", "slurm"), ("x =", "site.toml"), ("jobs = 1\ntls = false\n[slurm]\nqueues = 1\n", "queues")],
)
def test_a_site_file_that_cannot_be_used_is_refused(queue: Path, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "site.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=told), on_site(tmp_path / "site.toml"):
        pass


def test_a_machine_without_slurm_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dask_jobqueue")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="sbatch is not found"), on_site(site_file(tmp_path)):
        pass
