"""What counts as inflamed in the space of a joint, and for which bone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_items import SHAPE, search_of

from mri_sij.config import LesionSettings
from mri_sij.evidence import Bone, Side
from mri_sij.lesions.assess import _in_joint_space
from mri_sij.lesions.inflamed_space import inflamed
from mri_sij.lesions.oedema import AS_READ, accept
from mri_sij.lesions.search import Search, across_joints
from mri_sij.lesions.uncertainty import accepted

SPACE = (slice(15, 23), slice(None), slice(None))
PIECE = (slice(15, 23), slice(10, 20), 0)
"""80 mm2 of the joint space, half of it nearer to either bone."""
LESION = (slice(5, 13), slice(10, 20), slice(None))


def joint(piece: float, rest: float = 0.7, *, active: bool = True) -> Search:
    """A left joint between sacrum (low i) and ilium, 8 mm wide, its cortex left out; `active` with oedema in the
    sacrum."""
    code, space = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    code[:15], code[23:] = 1, 2
    space[15:19], space[19:23] = 1, 2
    ratio, likely = np.ones(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    ratio[SPACE] = rest
    ratio[PIECE] = piece
    if active:
        ratio[LESION], likely[LESION] = 2.0, 0.9
    made = replace(search_of(ratio), code=code, bone=code > 0, space=space, oedema=likely)
    return replace(made, depth_mm=np.where(code > 0, made.depth_mm, 0).astype(np.float32))


def test_bright_matter_in_the_space_of_a_joint_with_oedema_counts_for_the_nearest_bone() -> None:
    search = joint(1.6)
    oedema, lesions, _ = accept(search, LesionSettings())
    assert oedema[PIECE].all() and oedema[SPACE].sum() == 80 and oedema.sum() == 80 + 160
    assert (accepted(search, LesionSettings(), AS_READ) == oedema).all()
    assert [one.in_joint_space for one in lesions] == [False, True, True]
    places = [(one.number, one.found.side, one.found.bone, one.found.volume_ml) for one in lesions[1:]]
    assert places == [(2, Side.LEFT, Bone.SACRUM, pytest.approx(0.04)), (3, Side.LEFT, Bone.ILIUM, pytest.approx(0.04))]
    assert lesions[1].reason.startswith("in the joint space, 1.60 times normal marrow")
    code = across_joints(search).code
    assert (code[15:19] == 1).all() and (code[19:23] == 2).all()


@pytest.mark.parametrize(
    ("piece", "rest", "active"),
    [
        (1.2, 0.7, True),  # no brighter than marrow may be
        (1.6, 1.2, True),  # cartilage that is bright throughout
        (3.1, 0.7, True),  # fluid
        (1.6, 0.7, False),  # a joint without oedema
    ],
)
def test_other_joint_spaces_are_not_inflamed(piece: float, rest: float, active: bool) -> None:
    assert not accept(joint(piece, rest, active=active), LesionSettings())[0][SPACE].any()


def test_small_pieces_are_left_out_and_the_level_of_marrow_counts() -> None:
    search, settings = joint(1.6), LesionSettings()
    lesion = np.zeros(SHAPE, bool)
    lesion[LESION] = True
    assert inflamed(search, lesion, settings).sum() == 80
    assert not inflamed(search, lesion, settings.model_copy(update={"min_volume_ml": 0.09})).any()
    assert not inflamed(search, lesion, settings, reference=1.3).any()
    assert not inflamed(joint(3.1), lesion, settings).any() and inflamed(joint(3.1), lesion, settings, 1.1).any()


def test_what_counts_in_a_joint_space_is_said_by_joint() -> None:
    lesions = accept(joint(1.6), LesionSettings())[1]
    assert _in_joint_space(lesions) == ()  # 0.08 ml
    larger = tuple(replace(one, found=replace(one.found, volume_ml=2 * one.found.volume_ml)) for one in lesions)
    (caution,) = _in_joint_space(larger)
    assert caution.code == "oedema-in-joint-space"
    assert caution.message.startswith("0.16 ml of what is counted at the left joint lies between its bones (1.60 times")
