from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from people import SHAPE, SPACING_MM, labels_of, person

from mri_sij.pelvis.fit import MODES, FittedPelvis, borders_of, fit_pelvis, mirrored


def _off_mm(fitted: FittedPelvis, bones: list[NDArray[np.float64]]) -> list[float]:
    """Mean distance of the true vertices in the field of view from the fitted ones; along the surface vertices may
    slide."""
    away = []
    for n, true in enumerate(bones):
        seen = ((true > 5) & (true < (np.array(SHAPE) - 1) * SPACING_MM - 5)).all(1)
        found = fitted.vertices(n)
        nearest = [float(np.linalg.norm(found - point, axis=1).min()) for point in true[seen][::20]]
        away.append(float(np.mean(nearest)))
    return away


@pytest.mark.parametrize(("seed", "tilt_deg"), [(1, -35.0), (2, -10.0), (3, -60.0)])
def test_a_person_cropped_by_the_field_of_view_is_found(seed: int, tilt_deg: float) -> None:
    bones = person(seed, tilt_deg)
    borders = borders_of(labels_of(bones), SPACING_MM)
    assert borders is not None
    fitted = fit_pelvis(borders)
    assert fitted.residual_mm < 1.5
    assert max(_off_mm(fitted, bones)) < 2.5


def test_a_lump_that_is_no_bone_does_not_pull_the_model_away() -> None:
    bones = person(4, -35.0)
    labels = labels_of(bones)
    i, _, k = np.argwhere(labels == 2).max(0)
    labels[i - 12 : i + 6, 8:16, k - 30 : k - 12] = 2
    borders = borders_of(labels, SPACING_MM)
    assert borders is not None
    assert max(_off_mm(fit_pelvis(borders), bones)) < 2.5


def test_a_box_is_no_pelvis() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[40:70, 4:18, 40:70], labels[75:100, 4:18, 40:70], labels[10:35, 4:18, 40:70] = 1, 2, 3
    borders = borders_of(labels, SPACING_MM)
    assert borders is not None
    assert fit_pelvis(borders).residual_mm > 4


def test_a_missing_bone_is_not_guessed() -> None:
    labels = labels_of(person(5, -35.0))
    labels[labels == 3] = 0
    assert borders_of(labels, SPACING_MM) is None


def test_mirrored_borders_are_those_of_the_mirrored_bones() -> None:
    labels = labels_of(person(6, -35.0))
    borders = borders_of(labels, SPACING_MM)
    swapped = borders_of(np.array([0, 1, 3, 2], np.uint8)[labels[::-1]], SPACING_MM)
    assert borders is not None and swapped is not None
    for one, other in zip(mirrored(borders), swapped, strict=True):
        np.testing.assert_allclose(one.distance, other.distance, atol=1e-4)
        for a, b in zip(one.slopes, other.slopes, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)


def test_modes_stay_within_what_people_have() -> None:
    borders = borders_of(labels_of(person(7, -35.0)), SPACING_MM)
    assert borders is not None
    pose = fit_pelvis(borders).pose
    assert pose.weights.shape == (MODES,)
    assert np.abs(pose.weights).max() <= 3
    np.testing.assert_allclose(pose.rotation @ pose.rotation.T, np.eye(3), atol=1e-9)
