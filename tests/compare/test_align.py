"""Alignment of box bones whose motion is known."""

from __future__ import annotations

import boxes
import numpy as np
import pytest

from mri_sij.anatomy.labels import LEFT_ILIUM, RIGHT_ILIUM
from mri_sij.compare.align import BONES, Alignment, BoneAlignment, align, failures_of, joint_motion_mm
from mri_sij.compare.rigid import move
from mri_sij.config import CompareSettings
from mri_sij.geometry import Floats

SETTINGS = CompareSettings()
STILL = np.eye(4)
ELSEWHERE = boxes.motion((9.0, -5.0, 4.0), (15.0, -20.0, 8.0))


def error_mm(found: Floats, true: Floats) -> float:
    points = boxes.joint_points()
    return float(np.linalg.norm(move(found, points) - move(true, points), axis=1).mean())


def moved_grid(tilt_deg: float, spacing_mm: float, person: Floats) -> boxes.Grid:
    """A grid that follows the person, as a technician places it."""
    own = boxes.grid(tilt_deg, spacing_mm)
    follow = np.array(own.affine)
    follow[:3, 3] += person[:3, 3]
    return boxes.Grid(own.shape, follow)


@pytest.mark.parametrize(("tilt", "spacing"), [(40.0, 3.0), (22.0, 5.0), (55.0, 4.0)])
def test_the_motion_of_every_bone_is_found_within_half_a_millimetre(tilt: float, spacing: float) -> None:
    first = boxes.labels_on(boxes.grid(38, 3.5), STILL)
    second = boxes.labels_on(moved_grid(tilt, spacing, ELSEWHERE), ELSEWHERE)
    found = align(first, second, SETTINGS)
    assert not found.failures
    assert max(error_mm(found.bones[bone].motion, ELSEWHERE) for bone in BONES) < 0.5
    assert found.joint_mm < 1.0
    assert max(joint_motion_mm(found).values()) < 0.8
    assert found.turn_deg == pytest.approx(float(np.linalg.norm((9, -5, 4))), abs=1)


def test_swapped_visits_give_the_motion_back() -> None:
    first = boxes.labels_on(boxes.grid(38, 3.5), STILL)
    second = boxes.labels_on(moved_grid(30, 4.0, ELSEWHERE), ELSEWHERE)
    there, back = align(first, second, SETTINGS), align(second, first, SETTINGS)
    for bone in BONES:
        assert error_mm(back.bones[bone].motion @ there.bones[bone].motion, STILL) < 0.3


def test_the_same_labels_lie_on_themselves_and_twice_the_same() -> None:
    labels = boxes.labels_on(boxes.grid(38, 4.0), STILL)
    found, again = (align(labels, labels, SETTINGS) for _ in range(2))
    for bone in BONES:
        assert error_mm(found.bones[bone].motion, STILL) < 0.05
        assert np.array_equal(found.bones[bone].motion, again.bones[bone].motion)
        assert found.bones[bone].overlap == pytest.approx(1, abs=0.01)


def test_mirrored_visits_swap_the_ilia() -> None:
    mirror = np.diag([-1.0, 1, 1, 1])
    other = mirror @ ELSEWHERE @ mirror
    plain, mirrored = (
        align(boxes.labels_on(boxes.grid(38, 4.0), STILL), boxes.labels_on(moved_grid(30, 4.0, m), m), SETTINGS)
        for m in (ELSEWHERE, other)
    )
    for bone, opposite in ((LEFT_ILIUM, RIGHT_ILIUM), (RIGHT_ILIUM, LEFT_ILIUM)):
        assert mirrored.bones[bone].surface_mm == pytest.approx(plain.bones[opposite].surface_mm, abs=0.1)


def test_another_person_is_refused() -> None:
    first = boxes.labels_on(boxes.grid(38, 4.0), STILL)
    other = boxes.labels_on(boxes.grid(38, 4.0), STILL, scale=1.17)
    found = align(first, other, SETTINGS)
    assert "not_aligned" in {reason.code for reason in found.failures}
    assert "Another person" in found.failures[0].message


def test_a_follow_up_that_shows_one_joint_only_is_refused() -> None:
    first = boxes.labels_on(boxes.grid(38, 4.0), STILL)
    whole = boxes.labels_on(boxes.grid(38, 4.0), STILL)
    half = boxes.LabelMap(
        np.where(np.arange(whole.grid.shape[0])[:, None, None] < 50, whole.data, 0), whole.grid, whole.names
    )
    found = align(first, half, SETTINGS)
    assert [reason.code for reason in found.failures] == ["bone_missing"]
    assert "left ilium" in found.failures[0].message


def test_no_shared_field_of_view_is_refused() -> None:
    first = boxes.labels_on(boxes.grid(38, 4.0), STILL)
    narrow = boxes.grid(38, 4.0, reach_mm=36)
    found = align(first, boxes.labels_on(narrow, boxes.motion((0, 0, 0), (0, 40, 30))), SETTINGS)
    assert found.failures


def bones(left: dict[str, float], every: dict[str, float] | None = None) -> dict[int, BoneAlignment]:
    """Three bones aligned as well as is asked for, the left ilium as `left` says."""
    good = {"overlap": 0.7, "surface_mm": 1.5, "joint_mm": 3.0, "joint_p95_mm": 4.0, "shared": 0.4} | (every or {})
    pair = None  # only what was measured is judged
    return {b: BoneAlignment(b, STILL, pair=pair, **(good | (left if b == LEFT_ILIUM else {}))) for b in BONES}


@pytest.mark.parametrize(
    ("left", "told"),
    [
        ({}, []),
        ({"surface_mm": 1.6}, [("not_aligned", "The bones of the two visits differ by 1.5 mm")]),
        (
            {"joint_mm": 3.1},
            [("not_aligned", "At the left ilium the joint surfaces of the two visits lie 3.1 mm apart")],
        ),
        (
            {"overlap": 0.69},
            [("not_aligned", "At the left ilium the joint surfaces of the two visits lie 3.0 mm apart")],
        ),
        ({"shared": 0.39, "joint_mm": 9.0}, [("no_overlap", "Both visits see 39% of the joint surface of the left")]),
    ],
)
def test_an_alignment_is_trusted_up_to_its_limits(left: dict[str, float], told: list[tuple[str, str]]) -> None:
    found = failures_of(bones(left), SETTINGS)
    assert [reason.code for reason in found] == [code for code, _ in told]
    assert all(reason.message.startswith(text) for reason, (_, text) in zip(found, told, strict=True))


def test_the_turn_is_that_of_the_pelvis_and_the_distance_the_mean_over_its_bones() -> None:
    found = Alignment(boxes.motion((0, 30, 0), (5, 5, 5)), bones({"joint_mm": 6.0}), ())
    assert (found.turn_deg, found.joint_mm) == pytest.approx((30, 4))
    assert np.isnan(Alignment(STILL, {}, ()).joint_mm)
