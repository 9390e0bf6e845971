"""`make bench`: visits an hour on 1 and 2 workers, memory of the parent, and what a rerun with nothing to do costs.

Visits an hour are those of the sample study, really scored. Memory and the rerun are measured on studies of tiny images
whose scoring is a stand-in (`tests/quick_study.py`): they are the cost of running a study, not of scoring.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import made_visit
import quick_study

from mri_sij.study.report import gather
from mri_sij.workflow import write_visit

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests"
Tell = Callable[[str], None]


@pytest.fixture(scope="module", autouse=True)
def _template(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("template") / "visit"
    write_visit(made_visit.scored(), folder)
    os.environ[quick_study.TEMPLATE] = str(folder)


@pytest.mark.benchmark(group="the sample study (4 visits, 2 comparisons)")
@pytest.mark.parametrize("jobs", [1, 2])
def test_visits_an_hour(benchmark: BenchmarkFixture, tmp_path: Path, figure: Tell, jobs: int) -> None:
    runs = iter(range(100))

    def run() -> None:
        out = tmp_path / f"out{next(runs)}"
        command = ["-m", "mri_sij.cli", "run", str(ROOT / "sample_data"), "-o", str(out), "--jobs", str(jobs)]
        subprocess.run([sys.executable, *command], check=True, capture_output=True)

    benchmark.pedantic(run, rounds=2, warmup_rounds=0)
    assert benchmark.stats is not None
    figure(f"{4 * 3600 / benchmark.stats.stats.min:.0f} visits an hour, each pair compared")


MEMORY = """
import sys
sys.path.insert(0, {tests!r})
import quick_study
from pathlib import Path
if __name__ == "__main__":
    quick_study.run_whole({study!r}, {out!r}, 2)
    print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) // 1024)
"""


@pytest.mark.parametrize("visits", [10, 100, 1000])
def test_peak_memory_of_the_parent(tmp_path: Path, figure: Tell, visits: int) -> None:
    quick_study.write_study(tmp_path / "study", patients=visits // 2)
    script = tmp_path / "run.py"
    names = {"tests": str(TESTS), "study": str(tmp_path / "study"), "out": str(tmp_path / "out")}
    script.write_text(MEMORY.format(**names), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], check=True, capture_output=True, text=True)
    figure(f"{int(done.stdout.split()[-1])} MB at most in the parent")


def test_a_rerun_with_nothing_to_do(tmp_path: Path, figure: Tell) -> None:
    study, out = quick_study.write_study(tmp_path / "study", patients=100), tmp_path / "out"
    quick_study.run(study, out, workers=2)
    gather(out)
    start = time.perf_counter()
    again = quick_study.run(study, out)
    gather(out)
    figure(f"{1000 * (time.perf_counter() - start) / 200:.1f} ms a visit with nothing to do, tables included")
    assert again.fresh == 0
