"""Every item by its rule, the interval's ends and the judgement of a candidate, on made-up values."""

from __future__ import annotations

from dataclasses import replace

import block_pelvis
import numpy as np
import pytest

from mri_sij.anatomy.joint import Joints
from mri_sij.config import LesionSettings
from mri_sij.evidence import QUADRANTS, Bone, Half, JointSliceEvidence, Side
from mri_sij.geometry import Grid
from mri_sij.lesions.average import average_over_bone
from mri_sij.lesions.items import (
    Extent,
    Items,
    Marks,
    Reading,
    areas,
    even_contrast,
    evidence_of,
    heights_of,
    intense_from,
    mark,
    measure_extent,
    measure_items,
    periarticular,
)
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
        np.zeros(SHAPE, np.uint8), bone.astype(np.uint8), np.ones(SHAPE, np.float32), bone, ratio.astype(np.float32),
        None, None, None,
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


RULES = LesionSettings()


def test_bone_is_scored_beside_cartilage_and_as_far_as_the_reach() -> None:
    code, cartilage, depth = np.ones(SHAPE, np.uint8), np.ones(SHAPE, bool), np.ones(SHAPE, np.float32)
    code[0], cartilage[1], depth[2], depth[3] = 0, False, RULES.reach_mm, RULES.reach_mm + 0.1
    search = replace(search_of(np.ones(SHAPE)), code=code, cartilaginous=cartilage, depth_mm=depth)
    scored = periarticular(search, RULES)
    assert not scored[[0, 1, 3]].any() and scored[2].all() and scored[4:].all()


def test_areas_are_of_a_slice_a_bone_and_a_half() -> None:
    code, half, mask = np.ones(SHAPE, np.uint8), np.ones(SHAPE, np.uint8), np.zeros(SHAPE, bool)
    code[20:], half[:, 20:], mask[25, 18:23, 1] = 2, 2, True
    search = replace(search_of(np.ones(SHAPE)), code=code, half=half, grid=Grid(SHAPE, np.diag([2.0, 1.5, 4, 1])))
    found = areas(mask, search)  # pixels of 3 mm2
    assert found.shape == (2, 5, 3) and (found[1, 2, 1], found[1, 2, 2], found.sum()) == (6, 9, 15)


def test_the_bone_of_a_quadrant_is_without_the_cortex_that_oedema_may_cross() -> None:
    bone = np.ones(SHAPE, bool)
    bone[:4] = False
    search = replace(search_of(np.ones(SHAPE)), bone=bone)
    assert measure_extent(np.zeros(SHAPE, bool), search, RULES).bone_mm2[0, 1, 1] == 36 * 40


def test_neither_what_lies_beyond_the_bone_nor_what_has_no_reference_makes_it_intense() -> None:
    ratio, bone = np.full(SHAPE, 3.0), np.ones(SHAPE, bool)
    ratio[:4], bone[:4], ratio[36:] = 9, False, 0
    assert np.allclose(even_contrast(replace(search_of(ratio), bone=bone))[4:36], 3, atol=1e-4)
    ratio[10:30] = 0.5
    assert np.allclose(even_contrast(replace(search_of(ratio), bone=bone))[19:21], 0.5, atol=1e-4)


def test_intense_is_measured_within_the_oedema() -> None:
    oedema, bright = np.zeros((2, *SHAPE), bool)
    oedema[:10, :4, 1] = bright[5:15, :10, 1] = True
    search = search_of(np.ones(SHAPE))
    found = measure_items(oedema, search, bright, RULES).intense_mm2
    assert found.shape == (2, 5) and found[1, 1] == found.sum() == 20
    assert measure_items(oedema, search, None, RULES).intense_mm2.sum() == 0


DEPTH = np.broadcast_to(np.arange(40, dtype=np.float32)[:, None, None], SHAPE)


@pytest.mark.parametrize(("pixel_mm", "depth_mm"), [((2.0, 1.5), 7), ((5.0, 4.0), 13)])
def test_depth_is_what_10_mm2_of_oedema_lie_beyond_and_brightness_its_95th_percentile(
    pixel_mm: tuple[float, float], depth_mm: float
) -> None:
    oedema = np.zeros(SHAPE, bool)
    oedema[5:14:2, 0, 1] = True
    search = replace(search_of(DEPTH / 10), depth_mm=DEPTH, grid=Grid(SHAPE, np.diag([*pixel_mm, 4, 1])))
    found = measure_extent(oedema, search, RULES)
    assert found.depth_mm.shape == (2, 5) and found.depth_mm[1, 1] == found.depth_mm.sum() == depth_mm
    assert found.intensity[1, 1] == found.intensity.sum() == pytest.approx(1.26)


@pytest.mark.parametrize(
    ("pieces", "deep"),
    [
        (((0, 11, 0, 5),), True),  # 10 mm2 beyond 1 cm
        (((0, 11, 0, 4),), False),  # 8 mm2
        (((0, 10, 0, 40),), False),  # bright, wide and shallow
        (((4, 20, 0, 5),), True),  # begins 4 mm from the joint
        (((5, 20, 0, 10),), False),
        (((0, 9, 0, 10), (11, 20, 0, 10)), False),  # in two, of which the one is shallow and the other away
        (((0, 9, 0, 10), (0, 11, 20, 30)), True),
    ],
)
def test_deep_oedema_begins_at_the_joint_and_reaches_1_cm_in_one_piece(
    pieces: tuple[tuple[int, int, int, int], ...], deep: bool
) -> None:
    oedema = np.zeros(SHAPE, bool)
    for near, far, left, right in pieces:
        oedema[near:far, left:right, 1] = True
    search = replace(search_of(np.ones(SHAPE)), depth_mm=DEPTH, grid=Grid(SHAPE, np.diag([1.0, 2, 4, 1])))
    found = measure_items(oedema, search, None, RULES).deep
    assert found.shape == (2, 5) and found[1, 1] == deep and found.sum() == deep


@pytest.mark.parametrize(("hole", "deep"), [(5, True), (6, False)])
def test_deep_oedema_is_homogeneous(hole: int, deep: bool) -> None:
    oedema = np.zeros(SHAPE, bool)
    oedema[:20, :10, 0] = True
    oedema[2:12, 2 : 2 + hole, 0] = False  # of 200 mm2
    search = replace(search_of(np.ones(SHAPE)), depth_mm=DEPTH)
    assert measure_items(oedema, search, None, RULES).deep[0, 1] == deep


def items_of(lower: float, upper: float, code: int, intense: float = 0.0, deep: bool = False) -> Items:
    """Of one slice: `lower` and `upper` mm2 of oedema in the bone `code`."""
    oedema, bright, far = np.zeros((1, 5, 3)), np.zeros((1, 5)), np.zeros((1, 5), bool)
    oedema[0, code, 1:], bright[0, code], far[0, code] = (lower, upper), intense, deep
    return Items(oedema, far, bright)


@pytest.mark.parametrize("code", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("height_mm", "lower", "upper", "positive"),
    [
        (30.0, 6, 6, (False, False)),
        (30.0, 10, 9.9, (True, False)),
        (29.9, 6, 6, (False, True)),
        (29.9, 12, 0, (False, True)),
        (29.9, 4, 4, (False, False)),
        (10.1, 12, 0, (False, True)),
        (10.0, 12, 12, (False, False)),
    ],
)
def test_a_low_joint_is_scored_in_its_upper_quadrants_which_hold_all_of_it(
    code: int, height_mm: float, lower: float, upper: float, positive: tuple[bool, bool]
) -> None:
    heights = np.full((1, 3), 60.0)
    heights[0, 1 if code <= 2 else 2] = height_mm
    found = mark(items_of(lower, upper, code, 10, True), heights, RULES)
    assert tuple(found.quadrant[0, code, 1:]) == positive and found.quadrant.sum() == sum(positive)
    for item in (found.intense, found.deep):
        assert item.shape == (1, 3) and item[0].tolist() == [
            False,
            any(positive) and code <= 2,
            any(positive) and code > 2,
        ]


def test_quadrants_may_each_have_a_least_area_of_their_own() -> None:
    least = np.full((1, 5, 3), 15.0)
    least[0, 1, 1] = 5.0
    found = mark(items_of(6, 14, 1), np.full((1, 3), 60.0), RULES, least)
    assert found.quadrant[0, 1, 1:].tolist() == [True, False]


def test_a_joint_is_intense_from_10_mm2_in_both_its_bones_together() -> None:
    items = items_of(12, 0, 1)
    for mm2, intense in ((5.0, True), (4.9, False)):
        items.intense_mm2[0, 1:3] = 5.0, mm2
        found = mark(items, np.full((1, 3), 60.0), RULES)
        assert found.intense[0].tolist() == [False, intense, False] and not found.deep.any()


def test_points_are_the_quadrants_intense_and_deep_joints_of_the_slices() -> None:
    own = Marks(np.zeros((3, 5, 3), bool), np.zeros((3, 3), bool), np.zeros((3, 3), bool))
    own.quadrant[1, 2:4, 1:] = own.intense[1, 1:] = own.deep[[0, 1], 2] = True
    assert [own.total(np.array(rows)) for rows in ([0], [1], [2], [0, 1, 2])] == [1, 7, 0, 8]


def test_heights_are_the_joints_own_and_0_where_none_is_seen() -> None:
    low, high = block_pelvis.anatomy(25.0).joints, block_pelvis.anatomy(45.0).joints
    joints = Joints(block_pelvis.grid(), low.left, high.right)
    assert heights_of(joints, 6, 3).tolist() == [[0, 25, 45], [0, 25, 45], [0, 0, 0]]
    assert heights_of(joints, 2, 1).tolist() == [[0, 25, 45]]


def reading(height_mm: float, chances: Marks | None = None) -> Reading:
    """Slices 3 and 4: code n has n mm2 in its lower and 10 n in its upper half; the sacrum's is deeper, the
    ilium's brighter."""
    code = np.arange(5.0)
    oedema = np.broadcast_to(np.stack([0 * code, code, 10 * code], 1), (2, 5, 3))
    bone = np.where(oedema == 30, 4.0, 100.0)
    nothing = np.zeros((2, 5))
    items = Items(oedema, nothing > 0, nothing)
    extent = Extent(bone, np.array([[0, 6.0, 5, 8, 7]] * 2), np.array([[0, 1.0, 2, 3, 4]] * 2))
    marks = Marks(oedema == 30, np.array([[0, 1, 0]] * 2), np.array([[0, 0, 1]] * 2))
    return Reading(items, extent, marks, np.array([[0, height_mm, height_mm]] * 2), 3, chances)


def joints_of(read: Reading, slices: tuple[int, ...]) -> dict[tuple[int, Side], JointSliceEvidence]:
    return {(j.slice_number, j.side): j for j in evidence_of(read, slices).joints}


def test_evidence_of_a_joint_says_what_was_measured_in_its_own_bones() -> None:
    joints = joints_of(reading(60.0), (3, 4))
    assert list(joints) == [(k, side) for k in (3, 4) for side in Side]
    left, right = joints[4, Side.LEFT], joints[4, Side.RIGHT]
    assert [q.quadrant for q in left.quadrants] == list(QUADRANTS)
    area = {
        (j.side, q.quadrant.bone, q.quadrant.half): (q.oedema_area_mm2, q.bone_area_mm2)
        for j in (left, right)
        for q in j.quadrants
    }
    assert area[Side.LEFT, Bone.SACRUM, Half.LOWER] == (1, 100)
    assert area[Side.LEFT, Bone.ILIUM, Half.UPPER] == (20, 100)
    assert area[Side.RIGHT, Bone.SACRUM, Half.UPPER] == (30, 30)  # never more oedema than bone
    assert area[Side.RIGHT, Bone.ILIUM, Half.LOWER] == (4, 100)
    assert [(j.depth_mm, j.intensity_ratio) for j in (left, right)] == [(None, None), (8, 4)]
    assert [(j.intense, j.deep) for j in (left, right)] == [(True, False), (False, True)]
    assert [q.quadrant for q in right.quadrants if q.oedema] == [QUADRANTS[1]]
    assert left.intense_probability is left.deep_probability is left.quadrants[0].probability is None


def test_evidence_of_a_low_joint_gives_the_upper_quadrants_all_oedema() -> None:
    joint = joints_of(reading(29.9), (3,))[3, Side.LEFT]
    assert [(q.quadrant.half, q.oedema_area_mm2) for q in joint.quadrants] == [(Half.UPPER, 22), (Half.UPPER, 11)]


@pytest.mark.parametrize(("height_mm", "number", "told"), [(10.0, 3, 10.0), (60.0, 2, 0.0), (60.0, 5, 0.0)])
def test_a_joint_that_is_too_low_or_not_seen_has_no_items(height_mm: float, number: int, told: float) -> None:
    joint = joints_of(reading(height_mm), (number,))[number, Side.LEFT]
    assert joint == JointSliceEvidence(Side.LEFT, number, (), intense=False, deep=False, joint_height_mm=told)


def test_evidence_names_the_probability_of_each_item() -> None:
    chances = Marks(np.arange(30.0).reshape(2, 5, 3) / 100, np.full((2, 3), 0.4), np.full((2, 3), 0.6))
    joint = joints_of(reading(60.0, chances), (4,))[4, Side.RIGHT]
    assert (joint.intense_probability, joint.deep_probability) == (0.4, 0.6)
    assert [q.probability for q in joint.quadrants] == [0.29, 0.26, 0.28, 0.25]
