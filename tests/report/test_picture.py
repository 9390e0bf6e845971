"""Grey pictures: one window, exact pixels, the same bytes each time."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from mri_sij.report.frame import Frame
from mri_sij.report.picture import Window, grey, png_uri, window_of


def test_pixels_survive_the_page() -> None:
    plane = np.arange(12.0).reshape(4, 3)
    picture = grey(plane, Frame((0, 0), (4, 3), (1.0, 1.0)), Window(0.0, 11.0))
    uri = png_uri(picture)
    assert uri == png_uri(picture.copy())
    read = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))))
    assert np.array_equal(read, picture)
    assert read[2, 0] == 0  # voxel (0, 0) is at the bottom left
    assert read[0, 3] == 255


def test_window_leaves_out_the_brightest_and_is_never_empty() -> None:
    signal = np.concatenate([np.full(990, 10.0), np.full(10, 1000.0)])
    assert window_of([signal], 98.0).high < 1000
    assert window_of([np.zeros(10)], 99.0).high > window_of([np.zeros(10)], 99.0).low
