"""Resampling: exact on shared voxels, linear fields kept, nothing invented outside."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from mri_sij.geometry import AxisOrder, Grid
from mri_sij.resample import overlap_fraction, resample
from mri_sij.sitk_bridge import from_sitk, to_sitk
from mri_sij.volume import Volume

RNG = np.random.default_rng(0)


def _grid(shape: tuple[int, int, int], spacing: tuple[float, float, float], origin: tuple[float, float, float]) -> Grid:
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    return Grid(shape, affine)


def test_same_grid_gives_the_same_voxels() -> None:
    volume = Volume(RNG.random((6, 7, 8)).astype(np.float32), _grid((6, 7, 8), (1, 1, 3), (0, 0, 0)))
    assert np.array_equal(resample(volume, volume.grid).data, volume.data)


def test_the_same_grid_in_another_axis_order_gives_the_same_voxels() -> None:
    grid = _grid((6, 7, 8), (0.7, 0.9, 3.3), (-41.3, 17.9, 5.1))
    turned = grid.reordered(AxisOrder((2, 0, 1), (True, False, True)))
    stored = Volume(RNG.random(turned.shape).astype(np.float32), turned)
    wanted = stored.reordered(turned.reading_order)
    assert np.array_equal(resample(stored, wanted.grid).data, wanted.data)


def test_a_linear_field_is_kept_exactly() -> None:
    source = _grid((12, 10, 9), (1.0, 1.5, 3.0), (-4, 2, 1))
    place = source.world(np.moveaxis(np.indices(source.shape), 0, -1))
    volume = Volume((place @ [2.0, -1.0, 0.5] + 7).astype(np.float32), source)
    target = _grid((7, 6, 8), (0.7, 1.1, 2.0), (-3, 4, 2))
    expected = target.world(np.moveaxis(np.indices(target.shape), 0, -1)) @ [2.0, -1.0, 0.5] + 7
    assert np.abs(resample(volume, target).data - expected).max() < 1e-3


def test_agrees_with_simpleitk_on_oblique_grids() -> None:
    volume = Volume(RNG.random((20, 18, 10)).astype(np.float32), _grid((20, 18, 10), (1, 1, 3), (0, 0, 0)))
    turn = np.eye(4)
    turn[:2, :2] = [[0.96, -0.28], [0.28, 0.96]]
    turn[:3, 3] = [3.2, 1.1, 4.0]
    target = Grid((12, 12, 6), turn)
    ours = resample(volume, target, outside=-1.0)
    shape = sitk.Image(12, 12, 6, sitk.sitkFloat32)
    like = to_sitk(Volume(np.zeros(target.shape, np.float32), target))
    shape.CopyInformation(like)
    theirs = from_sitk(sitk.Resample(to_sitk(volume), shape, sitk.Transform(), sitk.sitkLinear, -1.0))
    assert theirs.grid.same_as(target, tolerance_mm=1e-6)
    both = (ours.data != -1) & (theirs.data != -1)
    assert both.mean() > 0.5
    assert np.abs(ours.data[both] - theirs.data[both]).max() < 1e-4


def test_outside_is_marked_and_never_blended() -> None:
    volume = Volume(np.full((5, 5, 5), 9.0, np.float32), _grid((5, 5, 5), (1, 1, 1), (0, 0, 0)))
    moved = resample(volume, _grid((5, 5, 5), (1, 1, 1), (2.5, 0, 0)), outside=-5.0)
    assert set(np.unique(moved.data)) == {-5.0, 9.0}
    assert (moved.data[:2] == 9).all()
    assert (moved.data[2:] == -5).all()


def test_labels_stay_labels() -> None:
    labels = Volume(RNG.integers(0, 3, (8, 8, 8)).astype(np.uint8), _grid((8, 8, 8), (1, 1, 1), (0, 0, 0)))
    on = _grid((16, 16, 16), (0.5, 0.5, 0.5), (-0.1, -0.1, -0.1))
    assert set(np.unique(resample(labels, on, interpolation="nearest").data)) == {0, 1, 2}


def test_overlap() -> None:
    one = _grid((10, 10, 10), (1, 1, 1), (0, 0, 0))
    assert overlap_fraction(one, one) == 1
    assert overlap_fraction(one, _grid((10, 10, 10), (1, 1, 1), (5, 0, 0))) == 0.5
    assert overlap_fraction(one, _grid((10, 10, 10), (1, 1, 1), (50, 0, 0))) == 0
