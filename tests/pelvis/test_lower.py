from __future__ import annotations

import numpy as np

from mri_sij.pelvis.lower import beyond_lower_sacrum_mm
from mri_sij.pelvis.model import load_model


def test_it_goes_on_where_the_shape_model_ends() -> None:
    sacrum = load_model().mean[0]
    s3 = np.array([0.0, 49.0, 0.5])
    near = sacrum[(np.linalg.norm(sacrum - s3, axis=1) < 15)]
    assert len(near) > 20
    assert np.median(beyond_lower_sacrum_mm(near)) < 3


def test_it_is_even_from_side_to_side_and_narrows_downwards() -> None:
    points = np.random.default_rng(0).uniform((-60, 20, -90), (60, 110, 10), (500, 3))
    np.testing.assert_allclose(beyond_lower_sacrum_mm(points), beyond_lower_sacrum_mm(points * (-1, 1, 1)))
    beside = beyond_lower_sacrum_mm(np.array([[40.0, 60.0, -15.0], [40.0, 70.0, -60.0]]))
    assert beside[0] < beside[1]


def test_rectum_wall_and_natal_cleft_lie_outside() -> None:
    in_front, behind = (0.0, 0.0, -40.0), (0.0, 120.0, -40.0)
    assert (beyond_lower_sacrum_mm(np.array([in_front, behind])) > 15).all()
