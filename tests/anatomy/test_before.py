"""Blank slices and slices of uneven brightness are told before anything is found in the images."""

from __future__ import annotations

import numpy as np
import pelvis
import pytest

from mri_sij.anatomy.before import look_at_stir, usable_t1
from mri_sij.anatomy.image_quality import alternation
from mri_sij.evidence import NotScorable, Reason
from mri_sij.geometry import AxisOrder
from mri_sij.volume import Volume

LABELS = pelvis.labels(pelvis.grid(30))
STIR = pelvis.stir(LABELS)


def _look(signal: np.ndarray) -> NotScorable | tuple[Reason, ...]:
    return look_at_stir(Volume(signal.astype(np.float32), STIR.grid), lambda k: 100 + k)


def _without(slices: list[int], left: float = 0.0) -> np.ndarray:
    signal = STIR.values.copy()
    signal[:, :, slices] *= left
    return signal


def test_a_whole_stack_is_read() -> None:
    assert _look(STIR.values) == ()


@pytest.mark.parametrize("left", [0.0, 0.05])
def test_a_blank_slice_is_refused_and_named(left: float) -> None:
    found = _look(_without([9, 12], left))
    assert isinstance(found, NotScorable)
    assert [reason.code for reason in found.reasons] == ["blank_slice"]
    assert "Slice 109, 112 of the STIR" in found.reasons[0].message


def test_a_stack_that_is_filled_up_at_its_ends_is_read() -> None:
    assert _look(_without([0, 1, 19])) == ()


def test_an_image_of_nothing_is_left_to_the_checks_of_bone() -> None:
    assert _look(np.zeros(STIR.grid.shape)) == ()


@pytest.mark.parametrize("darker", [0.7, 0.85])
def test_slices_that_alternate_are_told_by_how_much(darker: float) -> None:
    (caution,) = _look(_without(list(range(0, 20, 2)), darker))  # type: ignore[misc]
    assert caution.code == "uneven_slices"
    assert f"{1 / darker - 1:.0%} brighter" in caution.message


def test_a_coil_at_one_end_makes_no_slices_alternate() -> None:
    falling = STIR.values * np.exp(-np.arange(20) / 15)
    assert alternation(Volume(falling.astype(np.float32), STIR.grid)) < 0.005
    assert alternation(STIR) < 0.005


def test_a_t1_with_a_blank_slice_is_left_out_and_the_slice_named_as_stored() -> None:
    blank = Volume(_without([5]), STIR.grid)
    stored = blank.reordered(AxisOrder((2, 1, 0), (True, False, False)))
    assert usable_t1(STIR, STIR)[1] == ()
    t1, (caution,) = usable_t1(stored, STIR)
    assert t1 is None and caution.code == "t1_blank_slice"
    assert caution.message.startswith("Slice 14 of the T1")
