"""`make bench`: a pair of finished visits compared, against a plain mutual-information registration of both images.

Both on one thread, on the same simulated pair at the size of a clinical scan. The comparator does less (one rigid
motion of the whole image, nothing segmented, scored or drawn); it is what a general tool offers to start from.
The processor's time is counted: on one core that is the time that passes on a machine with nothing else to do.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pytest_benchmark.fixture import BenchmarkFixture

from mri_sij.compare.rigid import move
from mri_sij.config import Settings
from mri_sij.geometry import LPS_TO_RAS, Floats
from mri_sij.ingest.nifti import write_nifti
from mri_sij.phantom.scan import SimulatedVisit
from mri_sij.phantom.visits import draw_courses, draw_sessions, person_of, scan
from mri_sij.sitk_bridge import to_sitk
from mri_sij.volume import Volume
from mri_sij.workflow import compare_paths, score_visit, write_comparison, write_visit

SEED = 50_000
MOST_SECONDS = 12.0
ROUNDS = 3


@pytest.fixture(scope="module")
def pictures() -> tuple[SimulatedVisit, SimulatedVisit]:
    person, courses, sessions = person_of(SEED), draw_courses(SEED, 2), draw_sessions(SEED, 2)
    first, second = (scan(person, SEED, c, s) for c, s in zip(courses, sessions, strict=True))
    return first, second


@pytest.fixture(scope="module")
def true_motion() -> Floats:
    """Where the person's pelvis went between the two visits (4x4, RAS mm)."""
    return np.array(draw_sessions(SEED, 2)[1].room)


@pytest.fixture(scope="module")
def finished(pictures: tuple[SimulatedVisit, SimulatedVisit], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pair")
    done = []
    for number, picture in enumerate(pictures):
        images = folder / f"images-{number}"
        images.mkdir()
        write_nifti(picture.stir, images / "stir.nii.gz")
        write_nifti(picture.t1, images / "t1.nii.gz")
        done.append(folder / f"visit-{number}")
        result = score_visit(images, Settings())
        assert result.status == "scored", result.reasons
        write_visit(result, done[-1])
    return done


@pytest.fixture(autouse=True)
def one_core() -> Iterator[None]:
    """One core for both: SimpleITK by its own setting, everything else by the process's affinity."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    yield
    os.sched_setaffinity(0, cores)


def _error_mm(motion: Floats, true: Floats, picture: SimulatedVisit) -> float:
    """How far from its place the motion puts points of the joints."""
    near = (np.abs(picture.joint_mm) < 2) & picture.cartilaginous
    points = picture.stir.grid.world(np.argwhere(near)[::11])
    return float(np.linalg.norm(move(motion, points) - move(true, points), axis=1).mean())


@pytest.mark.benchmark(group="a pair of visits, one core", timer=time.process_time)
def test_mri_sij_compare(
    benchmark: BenchmarkFixture,
    finished: list[Path],
    pictures: tuple[SimulatedVisit, SimulatedVisit],
    true_motion: Floats,
    tmp_path: Path,
) -> None:
    settings = Settings()

    def compare() -> Floats:
        comparison = compare_paths(finished, settings)
        write_comparison(comparison, settings, tmp_path / "out")
        alignment = comparison.followups[0].alignment
        assert alignment is not None
        return alignment.bones[1].motion

    motion = benchmark.pedantic(compare, rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info["joint_error_mm"] = round(_error_mm(motion, true_motion, pictures[0]), 2)
    assert benchmark.stats.stats.min <= MOST_SECONDS


@pytest.mark.benchmark(group="a pair of visits, one core", timer=time.process_time)
def test_simpleitk_mattes_of_the_whole_image(
    benchmark: BenchmarkFixture, pictures: tuple[SimulatedVisit, SimulatedVisit], true_motion: Floats
) -> None:
    first, second = (to_sitk(Volume(p.stir.values, p.stir.grid)) for p in pictures)
    motion = benchmark.pedantic(lambda: _registered(first, second), rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info["joint_error_mm"] = round(_error_mm(motion, true_motion, pictures[0]), 2)


def _registered(fixed: sitk.Image, moving: sitk.Image) -> Floats:
    """The usual rigid registration: Mattes mutual information, three resolutions, a fifth of the voxels."""
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.2, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 0.001, 200)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    start = sitk.CenteredTransformInitializer(
        fixed, moving, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
    )
    method.SetInitialTransform(start, inPlace=True)
    method.Execute(fixed, moving)
    lps = np.eye(4)
    # Three points' images give the matrix whatever kind of transform comes back.
    corners = [np.array(start.TransformPoint(p)) for p in ((0.0, 0.0, 0.0), (1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0))]
    lps[:3, :3] = np.stack([c - corners[0] for c in corners[1:]], 1)
    lps[:3, 3] = corners[0]
    return np.asarray(LPS_TO_RAS @ lps @ LPS_TO_RAS)
