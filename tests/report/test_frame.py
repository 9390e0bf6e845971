"""Slices as a radiologist looks at them: the patient's right on the left of the picture, from the affine alone."""

from __future__ import annotations

import numpy as np
import pytest

from mri_sij.geometry import Grid
from mri_sij.report.frame import Frame, edges_of, frame_around, letters

FRAME = Frame((10, 20), (30, 50), (0.5, 2.0))


def test_a_point_lands_on_its_own_pixel() -> None:
    plane = np.zeros((60, 60))
    plane[12, 47] = 1
    picture = FRAME.cut(plane)
    assert picture.shape == (30, 20)
    row, column = np.argwhere(picture)[0]
    x, y = FRAME.place(np.array([[12.0, 47.0]]))[0]
    assert (x, y) == pytest.approx(((column + 0.5) * 0.5, (row + 0.5) * 2.0))


def test_size_is_in_millimetres() -> None:
    assert (FRAME.width_mm, FRAME.height_mm) == (10.0, 60.0)


def test_frame_holds_all_points_and_stays_in_the_slice() -> None:
    grid = Grid((100, 80, 5), np.diag([-1.0, 2.0, -4.0, 1.0]))
    frame = frame_around(grid, [np.array([[40.0, 30.0]]), np.array([[60.5, 50.0]])], (10.0, 10.0))
    assert (frame.low, frame.high) == ((30, 25), (72, 56))
    assert frame_around(grid, [np.array([[2.0, 79.0]])], (10.0, 10.0)) == Frame((0, 74), (13, 80), (1.0, 2.0))
    assert frame_around(grid, [], (10.0, 10.0)) == Frame((0, 0), (100, 80), (1.0, 2.0))


@pytest.mark.parametrize(
    ("direction", "text"),
    [
        ((1, 0, 0), "R"),
        ((-1, 0, 0), "L"),
        ((0, 1, 0), "A"),
        ((0, 0, -1), "I"),
        ((0, 0.643, 0.766), "SA"),
        ((0, -0.9, 0.43), "PS"),
        ((0.1, 0, -0.99), "I"),
    ],
)
def test_letters_of_ras_directions(direction: tuple[float, float, float], text: str) -> None:
    assert letters(np.array(direction)) == text


def test_patient_right_is_on_the_left_whatever_the_axis_order() -> None:
    ras = Grid((20, 30, 8), np.array([[1.0, 0, 0, -10], [0, 0.6, -3.2, 0], [0, 0.8, 2.4, 0], [0, 0, 0, 1]]))
    for flipped in (ras, Grid((20, 30, 8), ras.affine @ np.diag([-1.0, -1.0, -1.0, 1.0]))):
        edges = edges_of(flipped.reordered(flipped.reading_order))
        assert (edges.left, edges.right, edges.top, edges.bottom) == ("R", "L", "SA", "IP")
