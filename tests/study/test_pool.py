"""Workers that crash, are killed or hang cost their own task and nothing else."""

from __future__ import annotations

import os
import signal
import time

from mri_sij.study.pool import Lost, run_tasks


def work(task: int) -> int:
    """Doubles; 3 dies as if killed, 5 ends the process, 7 hangs."""
    if task == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if task == 5:
        os._exit(9)
    if task == 7:
        time.sleep(60)
    return 2 * task


def test_every_task_has_a_result_whatever_happens_to_others() -> None:
    tasks = [1, 3, 2, 5, 7, 4]
    ended = dict(run_tasks(work, tasks, workers=2, limit_s=8))
    assert sorted(ended) == list(range(len(tasks)))
    assert [ended[n] for n in (0, 2, 5)] == [2, 4, 8]
    assert all(isinstance(ended[n], Lost) for n in (1, 3, 4))
    assert [ended[n].code for n in (1, 3, 4)] == ["crashed", "crashed", "timed_out"]


def test_no_tasks_no_workers() -> None:
    assert list(run_tasks(work, [], workers=4, limit_s=1)) == []
