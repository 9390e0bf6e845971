"""What has faded keeps its form over marrow that is uneven at both visits; what has gone leaves that marrow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage as ndi
from test_levels import SHAPE, search_of

from mri_sij.compare.faded import form_left, mean_left


def marrow(seed: int) -> np.ndarray:
    """Contrast of marrow that is uneven by 0.15 over some 4 mm."""
    rough = ndi.gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), (2, 2, 0))
    return np.asarray(0.15 * rough / rough.std(), np.float32)


def lesion() -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[3:17, 4:16, 1:5] = True
    return mask


@pytest.mark.parametrize("left", [0.0, 0.4, 0.7])
def test_the_form_tells_how_much_is_left_whatever_the_marrow_under_it(left: float) -> None:
    found, around = [], search_of(np.ones(SHAPE)).code == 1
    for seed in range(20):
        first, second = (marrow(seed) + share * 0.4 * lesion() for share in (1.0, left))
        noise = np.random.default_rng(99).normal(0, 0.02, SHAPE)
        found.append(form_left(lesion(), around & ~lesion(), first, second + noise, search_of(np.ones(SHAPE))))
    assert np.mean(found) == pytest.approx(left, abs=0.08)
    assert np.std(found) < 0.15


def test_marrow_that_happens_to_be_bright_is_left_on_the_whole_but_not_in_the_lesions_form() -> None:
    bright = marrow(0) + np.float32(0.2) * (search_of(np.ones(SHAPE)).code == 1)
    first = bright + 0.4 * lesion()
    assert mean_left(lesion(), first, bright) > 0.25
    assert form_left(lesion(), search_of(np.ones(SHAPE)).code == 1, first, bright, search_of(np.ones(SHAPE))) < 0.2


def test_what_did_not_change_is_left_whole() -> None:
    first = marrow(1) + 0.4 * lesion()
    assert mean_left(lesion(), first, first) == pytest.approx(1, abs=0.1)
    assert mean_left(lesion(), first, 0 * first) == 0


def test_a_lesion_that_fills_its_bone_shows_no_form() -> None:
    whole = search_of(np.ones(SHAPE)).code == 1
    assert form_left(whole, np.zeros(SHAPE, bool), 0.4 * whole, 0.2 * whole, search_of(np.ones(SHAPE))) == 0
