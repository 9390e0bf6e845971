"""A T1 that does not lie on the STIR is told by what both show, not by their headers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage as ndi

from mri_sij.anatomy.t1_place import misplaced, offset_mm
from mri_sij.config import Settings
from mri_sij.geometry import Grid
from mri_sij.ingest.visit import load_visit
from mri_sij.resample import resample
from mri_sij.volume import Volume

GRID = Grid((140, 130, 18), np.array([[-1.2, 0, 0, 80], [0, 0, -4.0, 40], [0, 1.2, 0, -70], [0, 0, 0, 1.0]]))


def _pair(noise: float = 5.0) -> tuple[Volume, Volume]:
    """Four tissues in blobs of a few centimetres, bright in another order on STIR and T1."""
    rng = np.random.default_rng(3)
    blobs = ndi.gaussian_filter(rng.normal(size=GRID.shape), (8, 8, 2.4))
    tissue = np.digitize(blobs, np.quantile(blobs, (0.3, 0.55, 0.8)))
    levels = np.array([[60, 100, 30, 160], [200, 90, 50, 70]], float)
    stir, t1 = (
        np.hypot(level[tissue] + rng.normal(0, noise, GRID.shape), rng.normal(0, noise, GRID.shape)) for level in levels
    )
    return Volume(stir.astype(np.float32), GRID), Volume(t1.astype(np.float32), GRID)


def _moved(t1: Volume, left: float = 0, up: float = 0, back: float = 0) -> Volume:
    affine = t1.grid.affine.copy()
    affine[:3, 3] += t1.grid.directions @ (left, up, back)
    return resample(Volume(t1.data, Grid(t1.grid.shape, affine)), GRID)


@pytest.mark.parametrize("by", [(6.0, 0, 0), (0, -8.0, 0), (0, 0, 9.0), (5.0, 5.0, -5.0)])
def test_a_moved_t1_is_told_by_how_far(by: tuple[float, float, float]) -> None:
    stir, t1 = _pair()
    assert offset_mm(stir, _moved(t1, *by)) == pytest.approx(by, abs=1.2)
    (reason,) = misplaced(stir, _moved(t1, *by))
    assert reason.code == "t1_off"
    told_mm = int(reason.message.split(" mm off the STIR")[0].split()[-1])
    assert told_mm == pytest.approx(np.linalg.norm(by), abs=1.5)


def test_a_t1_upside_down_is_told() -> None:
    stir, t1 = _pair()
    assert misplaced(stir, Volume(np.ascontiguousarray(t1.data[:, ::-1]), GRID))


def test_a_t1_in_its_place_is_used_however_noisy_thick_or_small() -> None:
    stir, t1 = _pair()
    half = t1.values.copy()
    half[:, :60] = half[:, :, :5] = 0
    thick = ndi.uniform_filter1d(t1.values, 3, axis=2)
    for there in (t1, _pair(noise=40)[1], Volume(half, GRID), Volume(thick, GRID), _moved(t1, left=1.5, back=1)):
        assert not misplaced(stir, there)


@pytest.mark.real
def test_the_real_t1_lie_on_their_stir(real_data: Path) -> None:
    """Within 1.5 mm, and 6 mm more are told."""
    for folder in (*sorted((real_data / "sij_nifti").glob("1*")), real_data / "sij_dicom" / "patient1"):
        images = load_visit(folder, settings=Settings().ingest)
        assert images.t1 is not None
        stir = images.stir.reordered(images.stir.grid.reading_order)
        assert np.linalg.norm(offset_mm(stir, resample(images.t1, stir.grid))) < 1.5
        affine = images.t1.grid.affine.copy()
        affine[2, 3] += 6
        assert misplaced(stir, resample(Volume(images.t1.data, Grid(images.t1.grid.shape, affine)), stir.grid))
