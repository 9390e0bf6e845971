"""Oedema, evidence and measures of made-up visits whose answers are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from block_pelvis import SCORED, Box, across_mm, anatomy, images, suspecting

from mri_sij.config import LesionSettings, ScoringSettings
from mri_sij.errors import GeometryError
from mri_sij.evidence import Bone, Half, NotScorable, Side
from mri_sij.geometry import Grid
from mri_sij.lesions.assess import find_oedema
from mri_sij.lesions.records import Findings
from mri_sij.scoring.sparcc import score_sparcc
from mri_sij.volume import Volume

FAST = LesionSettings(perturbations=6)
LOWER_LEFT_ILIUM = Box(Side.LEFT, "ilium", (0, 8), (22, 32), (2, 4), 1.9)


def assess(boxes: tuple[Box, ...], settings: LesionSettings = FAST, **kind: float) -> Findings:
    stir, t1, _ = images(boxes, **kind)
    found = find_oedema(stir, t1, anatomy(), None, settings)
    assert isinstance(found, Findings)
    return found


def positive(found: Findings) -> set[tuple[int, Side, Bone, Half]]:
    return {
        (j.slice_number, j.side, q.quadrant.bone, q.quadrant.half)
        for j in found.evidence.joints
        for q in j.quadrants
        if q.oedema
    }


def total(found: Findings) -> int:
    return score_sparcc(found.evidence, ScoringSettings()).total


def test_no_oedema_is_zero_with_all_items_present() -> None:
    found = assess(())
    assert total(found) == 0 and not found.lesions and found.measures.volume_ml == 0
    assert found.evidence.slice_numbers == SCORED
    assert all(len(j.quadrants) == 4 for j in found.evidence.joints)


@pytest.mark.parametrize("method", ["combined", "network+rules", "network", "rules"])
def test_a_lesion_is_found_where_it_is(method: str) -> None:
    stir, t1, oedema = images((LOWER_LEFT_ILIUM,))
    found = find_oedema(stir, t1, anatomy(), suspecting(oedema), FAST.model_copy(update={"method": method}))
    assert isinstance(found, Findings)
    assert positive(found) == {(k, Side.LEFT, Bone.ILIUM, Half.LOWER) for k in (2, 3, 4)}
    assert not any(j.deep or j.intense for j in found.evidence.joints)
    lesion = found.lesions[0].found
    assert (
        lesion.peak_contrast == pytest.approx(1.9, rel=0.15) and lesion.contact_mm < 1.5 and lesion.slices == (2, 3, 4)
    )
    assert set(np.unique(found.oedema.data)) == {0, 2}
    assert not found.measures.bilateral and found.measures.asymmetry == 1


def test_oedema_beside_no_scored_slice_is_said() -> None:
    behind = assess((replace(LOWER_LEFT_ILIUM, slices=(7, 7)),))
    assert total(behind) == 0 and behind.measures.volume_ml > 0
    assert "behind the scored slices" in next(c.message for c in behind.cautions if c.code == "oedema-not-scored")
    assert not any(c.code == "oedema-not-scored" for c in assess((LOWER_LEFT_ILIUM,)).cautions)


def test_bone_without_signal_beside_a_joint_is_said() -> None:
    void = Box(Side.LEFT, "ilium", (0, 10), (25, 55), (1, 6), 0.02)
    said = [c for c in assess((void,)).cautions if c.code == "dark-bone"]
    assert len(said) == 1 and "beside the left joint gives no signal" in said[0].message
    assert not any(c.code == "dark-bone" for c in assess((LOWER_LEFT_ILIUM,)).cautions)


def test_depth_counts_from_one_centimetre() -> None:
    deep = assess((replace(LOWER_LEFT_ILIUM, depth_mm=(0, 16)),))
    assert [j.slice_number for j in deep.evidence.joints if j.deep] == [2, 3, 4]
    assert all(j.depth_mm == pytest.approx(16, abs=2) for j in deep.evidence.joints if j.deep)


def test_oedema_as_bright_as_vessels_is_intense() -> None:
    bright = assess((replace(LOWER_LEFT_ILIUM, ratio=4.0),))
    assert bright.reference.fluid.ratio == pytest.approx(5, rel=0.1)
    assert [j.slice_number for j in bright.evidence.joints if j.intense] == [2, 3, 4]


def test_a_lesion_that_floods_a_bone_does_not_become_the_reference() -> None:
    flood = assess((Box(Side.LEFT, "ilium", (0, 30), (0, 80), (0, 7), 2.0),))
    signs = positive(flood)
    assert {(k, Side.LEFT, Bone.ILIUM, h) for k in SCORED for h in Half} == signs
    assert flood.measures.extensive == ((Side.LEFT, Bone.ILIUM),)


def test_a_bright_place_away_from_the_joint_is_rejected_with_its_reason() -> None:
    found = assess((Box(Side.RIGHT, "sacrum", (25, 35), (30, 40), (2, 5), 2.2),))
    assert total(found) == 0 and not found.lesions
    assert "away-from-joint" in {r.reason.code for r in found.rejected}


def test_gain_changes_nothing() -> None:
    one, other = (assess((LOWER_LEFT_ILIUM,), gain=gain) for gain in (100.0, 733.0))
    assert one.evidence == other.evidence or positive(one) == positive(other)
    assert (one.oedema.data == other.oedema.data).all()


def test_signal_of_any_size_is_read_alike() -> None:
    """Quantitative maps and rescaled series hold numbers of any size."""
    stir, t1, oedema = images((LOWER_LEFT_ILIUM,))
    small = [Volume(np.ldexp(v.values, -40), v.grid) for v in (stir, t1)]
    one, other = (find_oedema(*pair, anatomy(), suspecting(oedema), FAST) for pair in ((stir, t1), small))
    assert isinstance(one, Findings) and isinstance(other, Findings)
    assert positive(one) == positive(other) and len(positive(one)) == 3
    assert (one.oedema.data == other.oedema.data).all()


def test_mirroring_swaps_the_sides() -> None:
    left = assess((LOWER_LEFT_ILIUM,), noise=0.0)
    right = assess((replace(LOWER_LEFT_ILIUM, side=Side.RIGHT),), noise=0.0)
    swap = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}
    assert {(k, swap[s], b, h) for k, s, b, h in positive(left)} == positive(right)


def test_more_oedema_never_lowers_the_score() -> None:
    boxes = (LOWER_LEFT_ILIUM, replace(LOWER_LEFT_ILIUM, side=Side.RIGHT), replace(LOWER_LEFT_ILIUM, rows=(45, 58)))
    totals = [total(assess(boxes[:n])) for n in range(4)]
    assert totals == sorted(totals) == [0, 3, 6, 9]


def test_the_interval_holds_the_total_and_the_probabilities_sum_to_one() -> None:
    found = assess((replace(LOWER_LEFT_ILIUM, ratio=1.4),))
    assert found.interval.low <= total(found) <= found.interval.high
    assert sum(share for _, share in found.interval.probabilities) == pytest.approx(1)
    assert all(0 <= (q.probability or 0) <= 1 for j in found.evidence.joints for q in j.quadrants)


def test_the_same_images_give_the_same_findings() -> None:
    one, other = (assess((LOWER_LEFT_ILIUM,)) for _ in range(2))
    assert one.evidence == other.evidence and one.interval == other.interval and one.lesions == other.lesions


@pytest.mark.parametrize(("height_mm", "quadrants"), [(8.0, 0), (20.0, 2), (30.0, 4)])
def test_low_joints_are_scored_in_part_or_not_at_all(height_mm: float, quadrants: int) -> None:
    stir, t1, _ = images((LOWER_LEFT_ILIUM,))
    found = find_oedema(stir, t1, anatomy(height_mm), None, FAST)
    assert isinstance(found, Findings)
    assert {len(j.quadrants) for j in found.evidence.joints} == {quadrants}
    assert total(found) == (3 if quadrants else 0)


def test_works_without_t1() -> None:
    stir, _, _ = images((replace(LOWER_LEFT_ILIUM, depth_mm=(0, 16), rows=(18, 36)),))
    found = find_oedema(stir, None, anatomy(), None, FAST)
    assert isinstance(found, Findings)
    assert {(s[1], s[2]) for s in positive(found)} == {(Side.LEFT, Bone.ILIUM)}
    assert {s[0] for s in positive(found) if s[3] is Half.LOWER} >= {2, 3, 4}
    assert found.lesions[0].found.t1_ratio is None


@pytest.mark.parametrize("slope", [-0.6, 0.6])
def test_the_coil_on_t1_makes_no_fat_of_oedema(slope: float) -> None:
    boxes = tuple(replace(LOWER_LEFT_ILIUM, side=side) for side in Side)
    stir, t1, oedema = images(boxes)
    coil = np.exp(slope * across_mm() / 100).astype(np.float32)
    found = find_oedema(stir, Volume(t1.values * coil, t1.grid), anatomy(), suspecting(oedema), FAST)
    assert isinstance(found, Findings)
    assert [lesion.found.t1_ratio for lesion in found.lesions] == pytest.approx([0.7, 0.7], rel=0.05)


def test_what_looks_like_oedema_on_stir_and_like_fat_on_t1_is_said() -> None:
    stir, t1, oedema = images((LOWER_LEFT_ILIUM,))
    fatty = Volume(np.where(oedema, 2.4 * t1.values, t1.values).astype(np.float32), t1.grid)
    found = find_oedema(stir, fatty, anatomy(), suspecting(oedema), FAST)
    assert isinstance(found, Findings)
    assert [r.reason.code for r in found.rejected] == ["fat"] and total(found) == 0
    said = next(c for c in found.cautions if c.code == "oedema-or-fat")
    assert "left ilium" in said.message


@pytest.mark.parametrize(("asked", "said"), [({"odds_mean": 0.999}, True), ({"min_contrast": 9.0}, True), ({}, False)])
def test_large_candidates_that_are_not_sure_or_not_bright_enough_are_said(asked: dict[str, float], said: bool) -> None:
    stir, t1, oedema = images((LOWER_LEFT_ILIUM,))
    settings = FAST.model_copy(update=asked | {"odds_sure": 0.9999})
    found = find_oedema(stir, t1, anatomy(), suspecting(oedema), settings)
    assert isinstance(found, Findings)
    assert (total(found) == 0) == said
    messages = [c.message for c in found.cautions if c.code == "oedema-unsure"]
    assert [m for m in messages if "left ilium may be oedema" in m] == messages[:said]


def test_bone_without_a_common_level_is_not_scorable() -> None:
    stir, t1, _ = images()
    rng = np.random.default_rng(0)
    patches = np.exp(rng.normal(0, 1.5, (20, 10, 8))).repeat(8, 0).repeat(8, 1)
    found = find_oedema(Volume((stir.values * patches).astype(np.float32), stir.grid), t1, anatomy(), None, FAST)
    assert isinstance(found, NotScorable) and found.reasons[0].code == "no-normal-marrow"


def test_other_grids_are_refused() -> None:
    stir, t1, _ = images()
    moved = stir.grid.affine.copy()
    moved[0, 3] += 5
    with pytest.raises(GeometryError):
        find_oedema(stir, Volume(t1.data, Grid(t1.grid.shape, moved)), anatomy(), None, FAST)
