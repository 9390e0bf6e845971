"""`make bench`: the segmenter against a plain full-size nnU-Net of the same job, and a whole visit stage by stage.

One simulated visit of 336 x 336 x 25, STIR and T1. Times are of the processor (all threads together), so that other
work on the machine does not count: what one core would take.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import nnunet
import numpy as np
import onnxruntime as ort
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from mri_sij.anatomy.find import find_anatomy
from mri_sij.anatomy.segment import segment
from mri_sij.config import Settings
from mri_sij.network.run import predict
from mri_sij.phantom.dicom_out import Header, write_dicom
from mri_sij.phantom.lesion import draw_lesions
from mri_sij.phantom.scan import Matrix, Position, Scanner, SimulatedVisit
from mri_sij.phantom.tissue import Sequence
from mri_sij.phantom.visits import Session, person_of, scan
from mri_sij.workflow import score_visit, write_visit

SEED = 3
SCANNER = Scanner(Sequence(4800, 60, 155, 1.5), Sequence(560, 12, None, 1.5), 30, 50, 1, 0.1, 0.2)
SESSION = Session(Position(35.0), Matrix((336, 336), 0.595, 25, 3.3, 3.0), SCANNER)
Tell = Callable[[str], None]

pytestmark = pytest.mark.benchmark(group="a visit of 336 x 336 x 25, one core", timer=time.process_time)


@pytest.fixture(scope="module")
def visit() -> SimulatedVisit:
    return scan(person_of(SEED), SEED, draw_lesions(np.random.default_rng(SEED)), SESSION)


@pytest.fixture(scope="module")
def folder(visit: SimulatedVisit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The visit as compressed DICOM."""
    where = tmp_path_factory.mktemp("visit") / "dicom"
    write_dicom(visit, Header("bench", "BENCH", "O", 30, "20200101", SCANNER, 3.0), where, compress=True)
    return where


def test_mri_sij_network(benchmark: BenchmarkFixture, visit: SimulatedVisit) -> None:
    benchmark.pedantic(lambda: predict(visit.stir, visit.t1), rounds=3, warmup_rounds=1)


def test_mri_sij_segment(benchmark: BenchmarkFixture, visit: SimulatedVisit) -> None:
    """Network, bones, joints, slices and quality: all of `mri-sij segment` but reading and writing."""
    settings = Settings().anatomy

    def run() -> object:
        return find_anatomy(visit.stir, segment(predict(visit.stir, visit.t1), settings), settings, visit.t1)

    benchmark.pedantic(run, rounds=3, warmup_rounds=1)


def test_plain_nnunet(benchmark: BenchmarkFixture, visit: SimulatedVisit) -> None:
    """Every slice, both channels, through one nnU-Net on one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(nnunet.network(), options, providers=["CPUExecutionProvider"])
    both = np.stack([(v.values - v.values.mean()) / v.values.std() for v in (visit.stir, visit.t1)])
    side = nnunet.PATCH - both.shape[1]
    padded = np.pad(both, ((0, 0), (0, side), (0, side), (0, 0))).astype(np.float32)

    def run() -> list[np.ndarray]:
        return [session.run(None, {"image": padded[None, ..., k]})[0] for k in range(padded.shape[3])]

    assert benchmark.pedantic(run, rounds=1)[0].shape == (1, nnunet.CLASSES, nnunet.PATCH, nnunet.PATCH)


def test_score_stage_by_stage(benchmark: BenchmarkFixture, folder: Path, tmp_path: Path, figure: Tell) -> None:
    """From the folder of DICOM to the finished page."""
    stages: list[tuple[str, float]] = []

    def run() -> None:
        stages.clear()
        result = score_visit(folder, Settings(), progress=lambda stage: stages.append((stage, time.process_time())))
        stages.append(("writing", time.process_time()))
        write_visit(result, tmp_path / "out")
        stages.append(("", time.process_time()))

    benchmark.pedantic(run, rounds=2, warmup_rounds=1)
    spans = [f"{name} {later - now:.2f} s" for (name, now), (_, later) in pairwise(stages)]
    figure(", ".join(spans))


MEMORY = """
import sys
from pathlib import Path
from mri_sij.config import Settings
{work}
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024)
"""
SEGMENT = """
from mri_sij.anatomy.find import find_anatomy
from mri_sij.anatomy.segment import segment
from mri_sij.ingest.visit import load_visit
from mri_sij.network.run import predict
images = load_visit(Path(sys.argv[1]))
order, settings = images.stir.grid.reading_order, Settings().anatomy
stir, t1 = images.stir.reordered(order), images.t1.reordered(order)
find_anatomy(stir, segment(predict(stir, t1), settings), settings, t1)
"""
SCORE = """
from mri_sij.workflow import score_visit, write_visit
write_visit(score_visit(Path(sys.argv[1]), Settings()), Path(sys.argv[2]))
"""
NNUNET = """
import numpy as np, nnunet, onnxruntime as ort
session = ort.InferenceSession(nnunet.network(), providers=["CPUExecutionProvider"])
session.run(None, {"image": np.zeros((1, nnunet.CHANNELS, nnunet.PATCH, nnunet.PATCH), np.float32)})
"""


@pytest.mark.parametrize("work", [SEGMENT, SCORE], ids=["segment", "score"])
def test_memory(work: str, folder: Path, tmp_path: Path, figure: Tell) -> None:
    peak_mb = _peak_mb(work, folder, tmp_path / "out")
    figure(f"{peak_mb:.0f} MB")
    assert peak_mb < 1500


def test_memory_of_nnunet(folder: Path, tmp_path: Path, figure: Tell) -> None:
    figure(f"{_peak_mb(NNUNET, folder, tmp_path):.0f} MB, one slice at a time")


def _peak_mb(work: str, *arguments: Path) -> float:
    """The most that a process of its own ever holds, interpreter and libraries included."""
    command = [sys.executable, "-c", MEMORY.replace("{work}", work), *map(str, arguments)]
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    return float(subprocess.run(command, capture_output=True, text=True, check=True, env=here).stdout)
