"""What the images say before anything is found in them: can they be read at all, and side by side?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mri_sij.anatomy.image_quality import UNEVEN_FROM, alternation, blank_slices
from mri_sij.anatomy.t1_place import misplaced
from mri_sij.evidence import NotScorable, Reason
from mri_sij.resample import resample
from mri_sij.volume import Volume


def look_at_stir(stir: Volume, native: Callable[[int], int]) -> NotScorable | tuple[Reason, ...]:
    """Cautions for a STIR in the reading frame, or why it must not be scored; `native` numbers its slices as stored."""
    blank = blank_slices(stir)
    if blank:
        text = f"{_named(sorted(map(native, blank)))} of the STIR shows nothing, between slices that do."
        return NotScorable((Reason("blank_slice", text),))
    uneven = alternation(stir)
    if uneven < UNEVEN_FROM:
        return ()
    text = (
        f"Every other slice of the STIR is {np.expm1(2 * uneven):.0%} brighter than those between, expected less than "
        f"{np.expm1(2 * UNEVEN_FROM):.0%}: neighbouring slices disturbed each other, and oedema on the darker ones may "
        "be missed."
    )
    return (Reason("uneven_slices", text),)


def usable_t1(t1: Volume | None, stir: Volume) -> tuple[Volume | None, tuple[Reason, ...]]:
    """The T1 (as read) on the grid of the STIR (reading frame); None where there is none, and with a caution that says
    so where it cannot be held against the STIR."""
    if t1 is None:
        return None, ()
    blank = blank_slices(t1.reordered(t1.grid.reading_order))
    if blank:
        named = _named(sorted(map(t1.grid.native_slice, blank)))
        text = f"{named} of the T1 shows nothing, between slices that do. The T1 was left out."
        return None, (Reason("t1_blank_slice", text),)
    there = resample(t1, stir.grid)
    off = misplaced(stir, there)
    return (None if off else there), off


def _named(numbers: list[int]) -> str:
    return f"Slice {', '.join(map(str, numbers))}"
