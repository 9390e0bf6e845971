"""What a follow-up does not show is the baseline's, and levels count by the bone that is seen of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mri_sij.compare.beside import read_beside
from mri_sij.compare.levels import Carried, completed, levels_seen
from mri_sij.config import CompareSettings, LesionSettings
from mri_sij.geometry import Grid
from mri_sij.lesions.search import Search

SHAPE = (40, 40, 6)
PATCH = (slice(2, 12), slice(2, 12), 1)
"""100 mm2 in the lower half of the left sacrum."""


def search_of(ratio: np.ndarray) -> Search:
    """A quarter of each slice for each bone, half of that low and half up, on slices 3 to 8 of the volume."""
    i, j, _ = np.indices(SHAPE)
    code = (1 + (i >= 20) + 2 * (j >= 20)).astype(np.uint8)
    half, everywhere = (1 + (j % 20 >= 10)).astype(np.uint8), np.ones(SHAPE, bool)
    box = (slice(0, 40), slice(0, 40), slice(3, 9))
    return Search(
        Grid((40, 40, 12), np.diag([1.0, 1, 4, 1])), box, code, everywhere, np.zeros(SHAPE, np.uint8), half,
        np.ones(SHAPE, np.float32), everywhere, ratio.astype(np.float32), None, None, None,
    )  # fmt: skip


def patch() -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[PATCH] = True
    return mask


def read(first: float, second: float, *, before: bool, after: bool, **settings: float) -> np.ndarray:
    """The follow-up's oedema in bone of one level but for the patch, `first` and then `second` times marrow there."""
    here, nothing = patch(), np.zeros(SHAPE, bool)
    search = search_of(np.where(here, first, 1.0))
    carried = Carried(here if after else nothing, np.where(here, second, 1.0).astype(np.float32), np.ones(SHAPE, bool))
    return read_beside(search, here if before else nothing, carried, CompareSettings(**settings)).oedema


def test_oedema_that_one_visit_alone_calls_went_or_came_only_if_the_signal_did() -> None:
    here, nothing = patch(), np.zeros(SHAPE, bool)
    assert np.array_equal(read(2.0, 2.0, before=True, after=False, rest=0.0), here)
    assert np.array_equal(read(2.0, 1.0, before=True, after=False, rest=0.0), nothing)
    assert np.array_equal(read(2.0, 2.0, before=False, after=True), nothing)
    assert np.array_equal(read(1.0, 2.0, before=False, after=True), here)


def test_a_share_of_the_contrast_is_as_much() -> None:
    for least in (0.4, 0.6):
        stays = least < 0.5
        found = read(3.0, 2.0, before=True, after=False, rest=0.0, same_contrast=least, faded_contrast=0.6)
        assert found[PATCH].all() == stays
        assert read(2.0, 3.0, before=False, after=True, same_contrast=least)[PATCH].any() != stays


def test_what_keeps_its_form_has_faded_and_what_does_not_has_gone() -> None:
    for left in (0.4, 0.3):
        found = read(3.0, 1 + 2 * left, before=True, after=False, rest=0.0)
        assert found[PATCH].all() == found.any() == (left == 0.4)


def test_what_fills_erosions_has_not_faded_with_the_bone_beside_it() -> None:
    here, nothing = patch(), np.zeros(SHAPE, bool)
    search = search_of(np.where(here, 3.0, 1.0))
    space = np.zeros(SHAPE, np.uint8)
    space[2:4, 2:12, 1] = 1
    carried = Carried(nothing, np.where(here, 1.9, 1.0).astype(np.float32), np.ones(SHAPE, bool))
    for searched, left in ((search, here), (replace(search, space=space), here & (space == 0))):
        assert np.array_equal(read_beside(searched, here, carried, CompareSettings(rest=0.0)).oedema, left)


def test_without_images_both_readings_stand() -> None:
    carried = Carried(patch(), None, np.ones(SHAPE, bool))
    assert read_beside(search_of(np.ones(SHAPE)), np.zeros(SHAPE, bool), carried, CompareSettings()) is carried


def test_bone_that_was_not_seen_is_the_baselines() -> None:
    seen, ratio = np.ones(SHAPE, bool), np.full(SHAPE, 3, np.float32)
    seen[:, :, 0] = False
    found = completed(search_of(np.ones(SHAPE)), Carried(np.zeros(SHAPE, bool), ratio, seen), np.ones(SHAPE, bool))
    assert found.ratio is not None
    assert found.oedema[:, :, 0].all() and not found.oedema[:, :, 1:].any()
    assert (found.ratio[:, :, 0] == 1).all() and (found.ratio[:, :, 1:] == 3).all()


def test_levels_are_seen_by_their_share_of_scored_bone() -> None:
    seen = np.ones(SHAPE, bool)
    seen[:10, :, :2] = False
    carried = Carried(np.zeros(SHAPE, bool), None, seen)
    search = search_of(np.ones(SHAPE))
    assert levels_seen(search, carried, (3, 4, 5), LesionSettings()) == pytest.approx(1 - 2 * 10 / (3 * 40))
    assert levels_seen(search, carried, (5, 6), LesionSettings()) == 1
