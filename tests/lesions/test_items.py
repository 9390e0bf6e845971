"""The intensity item, the interval's ends and the judgement of a candidate, on made-up values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mri_sij.config import LesionSettings
from mri_sij.evidence import Bone, Side
from mri_sij.geometry import Grid
from mri_sij.lesions.average import average_over_bone
from mri_sij.lesions.items import Marks, intense_from, measure_extent, measure_items
from mri_sij.lesions.oedema import AS_READ, accept, judge
from mri_sij.lesions.records import Candidate
from mri_sij.lesions.search import Search, thinned
from mri_sij.lesions.uncertainty import accepted, interval_of

SHAPE = (40, 40, 2)
LIKELY = Candidate(
    Side.LEFT, Bone.ILIUM, (1, 2), 1.0, 12.0, 0.0, 1.5, 1.9, 0.8, 0.8, cartilaginous_fraction=1.0, thickness_mm=6.0
)


def search_of(ratio: np.ndarray) -> Search:
    bone = np.ones(SHAPE, bool)
    return Search(
        Grid(SHAPE, np.eye(4)), (slice(0, 40), slice(0, 40), slice(0, 2)), bone.astype(np.uint8), bone,
        bone.astype(np.uint8), np.ones(SHAPE, np.float32), bone, ratio.astype(np.float32), None, None, None,
    )  # fmt: skip


def test_grains_of_noise_do_not_make_a_lesion_intense() -> None:
    grain = np.random.default_rng(0).normal(0, 0.4, SHAPE)
    moderate, intense = (intense_from(search_of(level + grain), 2.5) for level in (2.0, 3.0))
    assert moderate is not None and intense is not None
    assert (2.0 + grain >= 2.5).mean() > 0.1 and moderate.mean() < 0.01 and intense.mean() > 0.99
    assert intense_from(search_of(3.0 + grain), None) is None


def test_a_candidate_that_is_likely_only_at_its_peak_is_rejected() -> None:
    assert judge(LIKELY, 0.9, 0.0, LesionSettings()) is None
    reason = judge(replace(LIKELY, probability=0.5), 0.9, 0.0, LesionSettings())
    assert reason is not None and reason.code == "unsure" and "0.50 on average" in reason.message


@pytest.mark.parametrize(("clear_mm", "kept"), [(30, True), (20, False)])
def test_beside_clear_oedema_a_less_likely_candidate_is_one(clear_mm: int, kept: bool) -> None:
    likely = np.zeros(SHAPE, np.float32)
    likely[:35, :clear_mm] = 0.9
    likely[:35, 33:38] = 0.45
    likely[10:15, 33:38] = 0.95  # 0.52 on average
    search = replace(search_of(np.full(SHAPE, 1.5)), oedema=likely)
    oedema, lesions, rejected = accept(search, LesionSettings())
    assert len(lesions) == 1 + kept and oedema[:35, :clear_mm].all() and oedema[10, 35, 0] == kept
    assert [reason.reason.code for reason in rejected] == ([] if kept else ["unsure"])
    assert (accepted(search, LesionSettings(), AS_READ) == oedema).all()


@pytest.mark.parametrize(
    ("contrast", "probability", "code"), [(0.97, 0.8, ""), (0.97, 0.65, "faint"), (0.9, 0.8, "faint")]
)
def test_a_candidate_that_is_likely_throughout_may_be_less_bright(
    contrast: float, probability: float, code: str
) -> None:
    reason = judge(replace(LIKELY, contrast=contrast, probability=probability), 0.9, 0.0, LesionSettings())
    assert (reason.code if reason else "") == code


@pytest.mark.parametrize(("positive", "ends"), [(False, (0, 3)), (True, (69, 72))])
def test_the_interval_is_widened_within_the_scale(positive: bool, ends: tuple[int, int]) -> None:
    quadrant = np.zeros((6, 5, 3), bool)
    quadrant[:, 1:, 1:] = positive
    own = Marks(quadrant, np.tile([False, positive, positive], (6, 1)), np.tile([False, positive, positive], (6, 1)))
    settings = LesionSettings(slice_shift=0.0)
    found = interval_of((own,) * settings.perturbations, own, np.arange(6), settings)
    assert (found.low, found.high) == ends


def test_shallow_oedema_does_not_take_the_depth_point_away() -> None:
    depth = np.broadcast_to(np.arange(40, dtype=np.float32)[:, None, None], SHAPE)
    search = replace(search_of(np.ones(SHAPE)), depth_mm=depth)
    spur, more = np.zeros((2, *SHAPE), bool)
    spur[:16, :2] = True  # 12 mm2 beyond 1 cm
    more[:16, :2] = more[:6] = True
    for oedema in (spur, more):
        assert measure_items(oedema, search, None, LesionSettings()).deep[:, 1].all()
        assert (measure_extent(oedema, search, LesionSettings()).depth_mm[:, 1] == 11).all()


@pytest.mark.parametrize("sides_mm", [(0.4, 1.2), (1.2, 0.4), (0.6, 0.6)])
def test_voxels_are_thinned_by_their_longer_side(sides_mm: tuple[float, float]) -> None:
    search = replace(search_of(np.ones(SHAPE)), grid=Grid(SHAPE, np.diag([*sides_mm, 4.0, 1.0])))
    assert max(thinned(search).pixel_mm) == pytest.approx(1.2)


def test_an_average_does_not_depend_on_the_order_of_the_axes() -> None:
    values = np.random.default_rng(0).normal(1, 0.3, (60, 20, 1)).astype(np.float32)
    bone = np.ones(values.shape, bool)
    one = average_over_bone(values, bone, (0.4, 1.6), 3.2)
    other = average_over_bone(values.swapaxes(0, 1), bone.swapaxes(0, 1), (1.6, 0.4), 3.2)
    assert np.allclose(one, other.swapaxes(0, 1), atol=1e-5)


@pytest.mark.parametrize("rows", [np.arange(6), np.arange(1, 7)])
def test_slices_at_the_end_of_the_box_are_moved_whole_or_not_at_all(rows: np.ndarray) -> None:
    """Of seven slices the first has 12 points and the last 8: no six consecutive ones have 0, 20 or 24."""
    quadrant, joint = np.zeros((7, 5, 3), bool), np.zeros((7, 3), bool)
    quadrant[[0, 6], 1:, 1:] = joint[0, 1:] = True
    own, settings = Marks(quadrant, joint, joint), LesionSettings(slice_shift=1.0)
    found = interval_of((own,) * settings.perturbations, own, rows, settings)
    assert [total for total, _ in found.probabilities] == [8, 12]
