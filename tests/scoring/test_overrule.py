"""A reader's changes: applied to single items, refused when they make no sense, and listed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from worked_forms import evidence

from mri_sij.config import ScoringSettings
from mri_sij.evidence import Evidence, Side
from mri_sij.scoring.form import HEADER, HEIGHT, FormError, write_form
from mri_sij.scoring.overrule import overrule
from mri_sij.scoring.sheet import score
from mri_sij.scoring.sparcc import scored_quadrants

RULES = ScoringSettings()


def form(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "reader.csv"
    columns = (*HEADER, HEIGHT) if rows[0].count(",") == len(HEADER) else HEADER
    path.write_text("\n".join((",".join(columns), *rows)))
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


def test_the_programs_own_form_agrees_however_a_spreadsheet_rounds_its_heights(tmp_path: Path) -> None:
    machine = evidence("11xx 0000")
    joints = (replace(j, joint_height_mm=20.0 + n * 1.234567890123) for n, j in enumerate(machine.joints))
    machine = Evidence(tuple(replace(j, quadrants=scored_quadrants(j)) for j in joints))
    write_form(machine, tmp_path / "same.csv")
    assert overrule(machine, tmp_path / "same.csv").changes == ()
    text = (tmp_path / "same.csv").read_text()
    (tmp_path / "same.csv").write_text(re.sub(r"\d+\.\d+", lambda height: f"{float(height[0]):.1f}", text))
    assert overrule(machine, tmp_path / "same.csv").changes == ()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("12,right,0,,,,,", "slice 12, right joint, but it is not among the scored slices"),
        ("4,left,,,1,,,", "column lower_ilium: this quadrant is not scored"),
        ("5,left,,,,,1,", "no quadrant has oedema"),
        ("5,left,,,,,maybe,", "Line 2, column intense"),
        ("5,left,,na,,,,", "column upper_sacrum: this item cannot be left out"),
        ("5,left,,,,,,na", "column deep: this item cannot be left out"),
        ("5,left,,,,,,,22", "column joint_height_mm: the height is measured and cannot be changed"),
        ("5,left,,,,,,,abc", "column joint_height_mm: expected millimetres"),
        ("5,left,1,,,,,\n5,left,0,,,,,", "Line 3 names slice 5, left joint, twice"),
    ],
)
def test_what_is_refused(row: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(FormError, match=message):
        overrule(evidence("1100 11xx"), form(tmp_path, row))


@pytest.mark.parametrize("height", ["30.8", "31.2"])
def test_a_height_that_was_measured_is_not_the_readers_to_change(height: str, tmp_path: Path) -> None:
    machine = Evidence(tuple(replace(j, joint_height_mm=31.0) for j in evidence("1100 0000").joints))
    with pytest.raises(FormError, match="cannot be changed"):
        overrule(machine, form(tmp_path, f"4,right,,,,,,,{height}"))


def test_intense_and_deep_are_changed_each_for_itself(tmp_path: Path) -> None:
    done = overrule(evidence("1000i 0000"), form(tmp_path, "4,right,,,,,0,1"))
    assert [(c.item, c.machine, c.reader) for c in done.changes] == [("intense", True, False), ("deep", False, True)]
