"""A reader's changes: applied to single items, refused when they make no sense, and listed."""

from __future__ import annotations

from pathlib import Path

import pytest
from worked_forms import evidence

from mri_sij.config import ScoringSettings
from mri_sij.evidence import Side
from mri_sij.scoring.form import HEADER, FormError, write_form
from mri_sij.scoring.overrule import overrule
from mri_sij.scoring.sheet import score

RULES = ScoringSettings()


def form(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "reader.csv"
    path.write_text("\n".join((",".join(HEADER), *rows)))
    return path


def test_single_items_change_the_sum_by_as_much(tmp_path: Path) -> None:
    machine = evidence("1100 0000", "1111id 0000")
    done = overrule(machine, form(tmp_path, "4,right,0,,,,,", "5,left,1,1,,,,1"))
    assert score(machine, RULES).sparcc.total == 8
    assert score(done.evidence, RULES).sparcc.total == 8 - 1 + 3
    assert [(c.slice_number, c.side, c.item, c.machine, c.reader) for c in done.changes] == [
        (4, Side.RIGHT, "upper_ilium", True, False),
        (5, Side.LEFT, "upper_ilium", False, True),
        (5, Side.LEFT, "upper_sacrum", False, True),
        (5, Side.LEFT, "deep", False, True),
    ]
    assert done.changes_dict()[0] == {
        "slice_number": 4, "side": "right", "item": "upper_ilium", "machine": 1, "reader": 0,
    }  # fmt: skip


def test_a_whole_form_that_agrees_changes_nothing(tmp_path: Path) -> None:
    machine = evidence("11xx 0000", "1111id 0000")
    write_form(machine, tmp_path / "same.csv")
    done = overrule(machine, tmp_path / "same.csv")
    assert done.changes == ()
    assert done.evidence == machine


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("12,right,0,,,,,", "slice 12, right joint, but it is not among the scored slices"),
        ("4,left,,,1,,,", "column lower_ilium: this quadrant is not scored"),
        ("5,left,,,,,1,", "no quadrant has oedema"),
        ("5,left,,,,,maybe,", "Line 2, column intense"),
        ("5,left,1,,,,,\n5,left,0,,,,,", "Line 3 names slice 5, left joint, twice"),
    ],
)
def test_what_is_refused(row: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(FormError, match=message):
        overrule(evidence("1100 11xx"), form(tmp_path, row))
