"""Killed at any moment, a study leaves no partial file, and the same command ends with the bytes of an undisturbed run.

`MRI_SIJ_KILLS=200 pytest tests/study/test_kill.py --timeout=7200` kills at 200 moments; without it, at a few.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import quick_study
from quick_study import Run

KILLS = int(os.environ.get("MRI_SIJ_KILLS", "4"))
TESTS = Path(__file__).parents[1]


@pytest.fixture
def study(tmp_path: Path, run: Run) -> Path:
    """30 small visits; `run` sets what the processes need."""
    return quick_study.write_study(tmp_path / "study", patients=15)


def start(study: Path, out: Path) -> subprocess.Popen[bytes]:
    code = f"import quick_study; quick_study.run_whole({str(study)!r}, {str(out)!r}, 2)"
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, start_new_session=True, stderr=subprocess.DEVNULL
    )


def visible(out: Path) -> dict[str, bytes]:
    """Every file that somebody looking into OUT takes for a result."""
    return {
        name: content
        for name, content in quick_study.outputs(out).items()
        if not any(part.startswith(".") for part in Path(name).parts)
    }


def test_killed_at_random_moments(study: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    assert start(study, tmp_path / "whole").wait() == 0
    takes_s = time.monotonic() - began
    whole = quick_study.outputs(tmp_path / "whole")
    moments = random.Random(6)
    caught = 0
    for n in range(KILLS):
        out = tmp_path / f"out{n}"
        process = start(study, out)
        time.sleep(moments.uniform(0, takes_s))
        # Half of the time only the program itself, whose workers must then end by themselves; else all at once.
        (os.kill if n % 2 else os.killpg)(process.pid, signal.SIGKILL)
        caught += process.wait() == -signal.SIGKILL
        left = visible(out)
        assert [name for name in left if left[name] != whole.get(name)] == []
        assert start(study, out).wait() == 0
        assert quick_study.outputs(out) == whole
    assert caught >= KILLS / 2


def test_ctrl_c_at_any_moment_leaves_nothing_half_made_and_the_same_command_goes_on(
    study: Path, tmp_path: Path, run: Run
) -> None:
    assert start(study, tmp_path / "whole").wait() == 0
    whole = quick_study.outputs(tmp_path / "whole")
    moments = random.Random(7)
    caught = 0
    for n in range(KILLS):
        out = tmp_path / f"out{n}"
        process = start(study, out)
        while not list(out.glob("status/*.json")):
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.3))
        process.send_signal(signal.SIGINT)
        # On a busy machine the signal can come when all is done: then all must be there.
        if process.wait(timeout=20) == 0:
            assert quick_study.outputs(out) == whole
        else:
            caught += 1
        assert [path for folder in ("visits", "comparisons", "status") for path in out.glob(f"{folder}/.*")] == []
    assert caught >= KILLS / 2
    heard: list[object] = []
    run(study, tmp_path / "out0", heard=heard)
    assert len(heard) == 45
