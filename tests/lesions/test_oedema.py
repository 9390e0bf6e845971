"""What makes a candidate oedema of the joint, by each rule alone, in the reading itself and in its perturbed ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from test_items import SHAPE, search_of

from mri_sij.config import LesionSettings
from mri_sij.evidence import Bone, Side
from mri_sij.geometry import Grid
from mri_sij.lesions.oedema import AS_READ, accept, bright_enough, connect, describe, fill, grow
from mri_sij.lesions.search import Search
from mri_sij.lesions.uncertainty import accepted

PIECE = (slice(10, 30), slice(10, 30), slice(None))


def candidate(**inside: float) -> Search:
    """A likely piece of 0.8 ml at the joint, of twice marrow and 0.8 of bone's T1; `inside` sets other values in it."""
    values = {
        "ratio": 2.0,
        "oedema": 0.8,
        "fluid": 0.0,
        "t1_ratio": 0.8,
        "depth_mm": 0.0,
        "cartilaginous": True,
    } | inside
    outside = {"ratio": 1.0, "t1_ratio": 1.0, "depth_mm": 1.0, "cartilaginous": True}
    fields: dict[str, Any] = {}
    for name, value in values.items():
        kind = bool if name == "cartilaginous" else np.float32
        fields[name] = np.full(SHAPE, outside.get(name, 0.0), kind)
        fields[name][PIECE] = value
    fields["depth_mm"][10:12] += 5
    return replace(search_of(np.ones(SHAPE)), **fields)


@pytest.mark.parametrize(
    ("method", "inside", "code"),
    [
        ("combined", {}, None),
        ("combined", {"cartilaginous": False}, "not-cartilaginous"),
        ("combined", {"depth_mm": 6.1}, "away-from-joint"),
        ("combined", {"oedema": 0.65}, "unsure"),
        ("combined", {"ratio": 0.94}, "faint"),
        ("combined", {"fluid": 1.0}, "fluid"),
        ("combined", {"t1_ratio": 1.4}, "fat"),
        ("combined", {"t1_ratio": 0.5}, None),
        ("combined", {"ratio": 1.2}, None),
        ("network+rules", {}, None),
        ("network+rules", {"ratio": 1.09}, "none"),
        ("network+rules", {"oedema": 0.59}, "unsure"),
        ("network", {"ratio": 0.5, "fluid": 1.0, "t1_ratio": 2.0}, None),
        ("network", {"oedema": 0.59}, "unsure"),
        ("network", {"depth_mm": 6.1}, "away-from-joint"),
        ("rules", {"oedema": 0.0}, None),
        ("rules", {"ratio": 1.69}, "faint"),
        ("rules", {"ratio": 1.34}, "none"),
        ("rules", {"t1_ratio": 1.4}, "fat"),
    ],
)
def test_each_rule_rejects_in_the_reading_and_in_its_perturbed_ones(
    method: Any, inside: dict[str, float], code: str | None
) -> None:
    settings, search = LesionSettings(method=method), candidate(**inside)
    oedema, lesions, rejected = accept(search, settings)
    assert [r.reason.code for r in rejected] == ([] if code in (None, "none") else [code])
    assert len(lesions) == (code is None) and oedema[PIECE].all() == oedema.any() == (code is None)
    assert np.array_equal(accepted(search, settings, AS_READ), oedema)


@pytest.mark.parametrize(
    ("inside", "code"), [({"t1_ratio": 0.5}, "joint"), ({"ratio": 1.3}, "normal-rim"), ({"ratio": 1.31}, None)]
)
def test_a_shallow_candidate_may_be_the_joint_or_its_normal_rim(inside: dict[str, float], code: str | None) -> None:
    shallow = candidate(**inside)
    shallow = replace(shallow, depth_mm=np.minimum(shallow.depth_mm, np.float32(3)))
    oedema, _, rejected = accept(shallow, LesionSettings())
    assert [r.reason.code for r in rejected] == ([] if code is None else [code])
    assert np.array_equal(accepted(shallow, LesionSettings(), AS_READ), oedema)


def test_a_candidate_smaller_than_readers_outline_is_rejected() -> None:
    search, settings = candidate(), LesionSettings(min_volume_ml=0.81)
    assert [r.reason.code for r in accept(search, settings)[2]] == ["small"]
    assert not accepted(search, settings, AS_READ).any()


def test_what_a_candidate_measures() -> None:
    code = np.full(SHAPE, 4, np.uint8)
    code[:10] = 3
    box = (slice(0, 40), slice(0, 40), slice(5, 7))
    search = replace(candidate(), code=code, box=box, grid=Grid(SHAPE, np.diag([0.5, 0.5, 4, 1])))
    search.cartilaginous[:20] = False
    search.ratio[10, 10, 0] = 402
    assert search.t1_ratio is not None
    search.t1_ratio[10, 10, 0] = 9
    (found,) = describe(
        search, connect(grow(search, LesionSettings()), search.code), bright_enough(search, LesionSettings())
    )
    assert (found.side, found.bone, found.slices) == (Side.RIGHT, Bone.ILIUM, (5, 6))
    assert (found.volume_ml, found.thickness_mm) == pytest.approx((0.8, 10))
    assert (found.contact_mm, found.depth_mm, found.cartilaginous_fraction) == (0, 5, 0.5)
    assert (found.contrast, found.peak_contrast, found.t1_ratio) == pytest.approx((2.5, 2, 0.8))
    assert found.probability == pytest.approx(0.8)


def test_pieces_end_at_the_bone_and_lesions_are_numbered() -> None:
    code = np.full(SHAPE, 1, np.uint8)
    code[20:] = 2
    oedema, lesions, _ = accept(replace(candidate(depth_mm=4.0), code=code), LesionSettings())
    assert [(one.number, one.found.bone) for one in lesions] == [(1, Bone.SACRUM), (2, Bone.ILIUM)]
    assert oedema[PIECE].all() and all("T1 0.80 times that of bone (dark" in one.reason for one in lesions)


def test_pores_of_a_lesion_are_filled_but_not_from_another_bone() -> None:
    code, mask = np.ones(SHAPE, np.uint8), np.zeros(SHAPE, bool)
    mask[PIECE], mask[15, 15, 0], mask[20, 20, 0], code[20, 20, 0] = True, False, False, 2
    filled = fill(mask, code)
    assert filled[15, 15, 0] and not filled[20, 20, 0] and filled.sum() == mask.sum() + 1


@pytest.mark.parametrize(("method", "kept"), [("combined", 300), ("network", 400)])
def test_dark_cortex_within_a_candidate_does_not_count_and_pores_do(method: Any, kept: int) -> None:
    search = candidate()
    search.ratio[10:15, 10:30] = 0.6
    search.ratio[20:22, 20:22] = 0.6
    oedema, lesions, _ = accept(search, LesionSettings(method=method))
    assert oedema.sum() == 2 * kept and oedema[20:22, 20:22].all() and not oedema[:10].any()
    assert lesions[0].found.volume_ml == pytest.approx(2 * kept * search.voxel_ml)


def test_another_level_of_marrow_moves_what_counts_as_dark() -> None:
    search = candidate(ratio=1.0)
    for reference, counts in ((1.0, True), (1.1, True), (1.12, False)):
        assert bright_enough(search, LesionSettings(), reference)[PIECE].all() == counts


def test_a_candidate_is_as_likely_as_its_bright_part() -> None:
    search = candidate(oedema=0.75)
    search.ratio[10:15, 10:30] = 0.6
    assert search.oedema is not None
    search.oedema[10:15, 10:30] = 0.35  # 0.65 on the whole
    assert accept(search, LesionSettings())[1][0].found.probability == pytest.approx(0.75)
    assert accepted(search, LesionSettings(), AS_READ).sum() == 600
    assert not accepted(search, LesionSettings(odds_mean=0.76), AS_READ).any()
