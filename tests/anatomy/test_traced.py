"""Joints held against those traced by eye: the figures of `pipelines/validation/traced.py`, and their limits."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pelvis
import pytest

from mri_sij.anatomy.find import Anatomy
from mri_sij.anatomy.joint import Joint, Joints
from mri_sij.evidence import Side
from mri_sij.geometry import Grid

sys.path.insert(0, str(Path(__file__).parents[2] / "pipelines" / "validation"))
from traced import Against, against, hold, rows_of

GRID = Grid((40, 60, 10), np.diag([1.0, 0.5, 4.0, 1.0]))


def test_points_of_the_stored_array_are_found_in_the_reading_frame() -> None:
    """The array is stored from above and from behind."""
    stored = GRID.affine @ np.array([[1.0, 0, 0, 0], [0, -1, 0, 59], [0, 0, -1, 9], [0, 0, 0, 1]])
    entry = {"points": [[10, 40], [12, 30], [11, 20]]}
    found = rows_of({"joints": {"left": {"7": entry}, "right": {}}}, stored, GRID)
    assert found[Side.RIGHT] == {}
    assert list(found[Side.LEFT]) == [2]
    assert found[Side.LEFT][2] == pytest.approx((19, 39))


def test_rows_ends_and_slices_are_held_against_each_other() -> None:
    """Found from row 12 to 31 of 50; traced from 10 to 35 on slices 1 to 5, three short of the last scored one."""
    joint = {k: pelvis.joint_slice(k, 10, range(50), range(12, 32)) for k in range(9)}
    joints = Joints(GRID, Joint(Side.LEFT, joint), Joint(Side.RIGHT, joint))
    anatomy = cast(Anatomy, SimpleNamespace(joints=joints, slice_choice=SimpleNamespace(transitional=8)))
    traced = {side: {k: (10.0, 35.0) for k in range(1, 6)} for side in Side}
    assert against(anatomy, traced) == Against(pytest.approx(44 / 50), 2.0, 1.0, 3)


@pytest.mark.real
def test_on_real_patients_cartilage_ends_where_it_was_traced(real_data: Path) -> None:
    traced = json.loads((real_data / "sij_nifti" / "joints.json").read_text(encoding="utf-8"))
    held = [hold(real_data / "sij_nifti" / name, one) for name, one in traced.items()]
    found = [h for h in held if h is not None]
    assert len(found) == len(traced)
    assert np.mean([h.rows_right for h in found]) > 0.85
    assert np.mean([h.upper_mm for h in found]) < 4.5
    assert max(abs(h.slices_behind) for h in found) <= 2
