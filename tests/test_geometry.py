"""Grids: valid by construction, exact between index and world, one matrix between LPS and RAS."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mri_sij.errors import GeometryError
from mri_sij.geometry import LPS_TO_RAS, Grid


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Any oblique grid of 1 to 40 voxels a side, 0.2 to 8 mm."""
    shape = tuple(draw(st.integers(1, 40)) for _ in range(3))
    spacing = [draw(st.floats(0.2, 8.0)) for _ in range(3)]
    rotation = Rotation.random(rng=np.random.default_rng(draw(st.integers(0, 10_000)))).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = rotation * spacing
    affine[:3, 3] = [draw(st.floats(-300, 300)) for _ in range(3)]
    return Grid((shape[0], shape[1], shape[2]), affine)


@given(grids())
def test_index_undoes_world(grid: Grid) -> None:
    index = np.array([[0, 0, 0], [1.5, 2, -3], [39, 20, 7]])
    assert np.abs(grid.index(grid.world(index)) - index).max() < 1e-6


@given(grids())
def test_reading_order_is_undone_by_its_inverse(grid: Grid) -> None:
    order = grid.reading_order
    assert grid.reordered(order).reordered(order.inverse).same_as(grid, tolerance_mm=1e-6)


@given(grids())
def test_volume_of_a_voxel_is_the_product_of_its_sides(grid: Grid) -> None:
    assert grid.voxel_ml == pytest.approx(np.prod(grid.spacing_mm) / 1000, rel=1e-9)


def test_corners_by_hand() -> None:
    grid = Grid((3, 4, 5), np.diag([2.0, 3.0, 4.0, 1.0]))
    assert grid.corners[0].tolist() == [0, 0, 0]
    assert grid.corners[-1].tolist() == [4, 9, 16]
    assert grid.spacing_mm == (2, 3, 4)


def test_lps_matrix_is_its_own_inverse() -> None:
    assert np.array_equal(LPS_TO_RAS @ LPS_TO_RAS, np.eye(4))


@pytest.mark.parametrize(
    ("shape", "affine"),
    [
        ((0, 4, 4), np.eye(4)),
        ((4, 4, 4), np.diag([1.0, 1, 0, 1])),
        ((4, 4, 4), np.diag([1.0, np.nan, 1, 1])),
        ((4, 4, 4), np.eye(3)),
        ((4, 4, 4), np.diag([1.0, 1, 1, 2])),
    ],
)
def test_what_is_no_grid_cannot_be_made(shape: tuple[int, int, int], affine: np.ndarray) -> None:
    with pytest.raises(GeometryError):
        Grid(shape, affine)


def test_affine_cannot_be_changed() -> None:
    grid = Grid((2, 2, 2), np.eye(4))
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 0] = 5
