"""What is no pair of sacroiliac joints is refused, through the shipped network; `pipelines/validation/refusals.py` has
more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mri_sij.anatomy.find import Anatomy, Unusable
from mri_sij.volume import Volume

sys.path.insert(0, str(Path(__file__).parents[2] / "pipelines" / "validation"))
import other_parts
from refusals import look, real_joints, real_others

SEED = 7


def _codes(stir: Volume, t1: Volume | None) -> set[str]:
    found = look(stir, t1)
    assert isinstance(found, Unusable)
    return {reason.code for reason in found.why.reasons}


@pytest.fixture(scope="module")
def knee() -> other_parts.Pair:
    return other_parts.knee(SEED)


def test_a_knee_is_refused(knee: other_parts.Pair) -> None:
    assert "quality_joint_slices" in _codes(knee[0], None)


def test_noise_is_refused() -> None:
    stir, t1 = other_parts.only_noise(SEED)
    assert {"quality_sacrum_ml", "quality_joint_slices"} <= _codes(stir, t1)


@pytest.mark.parametrize(("side", "lost"), [("left", "right"), ("right", "left")])
def test_half_a_simulated_pelvis_is_refused_by_the_side_that_is_missing(side: str, lost: str) -> None:
    assert f"quality_{lost}_ilium_ml" in _codes(*other_parts.half_pelvis(SEED, side))


def test_the_knee_is_one(knee: other_parts.Pair) -> None:
    """Bright marrow on both sides of a dark joint, air around the limb: as a knee looks on T1."""
    t1 = knee[1].values
    nx, ny, nz = t1.shape
    middle = t1[nx // 2 - 50 : nx // 2 + 50, :, nz // 2]
    level = float(t1[t1 > 0.3 * t1.max()].mean())
    assert (middle[:, ny // 2 + 40 : ny // 2 + 60] > 0.3 * level).mean() > 0.5
    assert t1[:20].mean() < 0.2 * level


@pytest.mark.real
@pytest.mark.parametrize("place", ["canon_enhanced/In", "siemens_jpeg/In"])
def test_a_brain_is_refused(real_data: Path, place: str) -> None:
    """One volume of each; the command looks at all of them."""
    _, _, stir, t1 = next(case for case in real_others(real_data) if case[0].endswith(f"{place} volume 1"))
    assert "quality_joint_slices" in _codes(stir, t1)


@pytest.mark.real
def test_every_real_pair_of_joints_is_accepted(real_data: Path) -> None:
    pairs = [case for case in real_joints(real_data) if case[3] is not None]
    assert len(pairs) == 5
    assert not [name for name, _, stir, t1 in pairs if not isinstance(look(stir, t1), Anatomy)]
