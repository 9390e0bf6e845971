"""The form as it is shown: cells where they lie on the picture, each with its reason."""

from __future__ import annotations

from dataclasses import replace

import made_visit

from mri_sij.config import ScoringSettings
from mri_sij.evidence import Evidence, Side
from mri_sij.report.form_view import form_rows
from mri_sij.scoring.overrule import ItemChange
from mri_sij.scoring.sparcc import score_sparcc

RULES = ScoringSettings()
EVIDENCE = made_visit.evidence((5, 6, 7, 8, 9, 10))


def test_right_joint_first_bones_as_on_the_picture() -> None:
    rows = form_rows(EVIDENCE, score_sparcc(EVIDENCE, RULES))
    assert [row.position for row in rows] == [1, 2, 3, 4, 5, 6]
    right, left = rows[2].joints
    assert [c.key for c in right.quadrants] == [
        "7-right-upper_ilium", "7-right-upper_sacrum", "7-right-lower_ilium", "7-right-lower_sacrum",
    ]  # fmt: skip
    assert [c.key for c in left.quadrants][:2] == ["7-left-upper_sacrum", "7-left-upper_ilium"]
    assert [c.value for c in right.quadrants] == [0, 1, 0, 0]
    assert (right.total, left.total, rows[2].total) == (2, 0, 2)


def test_each_cell_says_why() -> None:
    row = form_rows(EVIDENCE, score_sparcc(EVIDENCE, RULES))[2]
    assert row.joints[0].quadrants[1].why == "Oedema, probability 0.93; 224 of 625 mm² (36%)"
    intense, deep = row.joints[0].extra
    assert "2.50 times normal marrow" in intense.why
    assert deep.why == "Deep, 1 cm or more, probability 0.60; reaches 14.0 mm from the joint"
    assert deep.unsure
    assert not intense.unsure


def test_what_is_not_scored_and_what_a_reader_changed() -> None:
    low = Evidence(tuple(replace(j, joint_height_mm=20.0) for j in EVIDENCE.joints))
    change = ItemChange(7, Side.RIGHT, "upper_sacrum", True, False)
    row = form_rows(low, score_sparcc(low, RULES), (change,))[2]
    assert [c.value for c in row.joints[0].quadrants] == [0, 1, None, None]
    assert row.joints[0].quadrants[1].changed
    assert row.joints[0].quadrants[1].why.endswith("The reader says 0.")
    gone = Evidence(tuple(replace(j, joint_height_mm=5.0) for j in EVIDENCE.joints))
    assert {c.value for c in form_rows(gone, score_sparcc(gone, RULES))[2].joints[0].extra} == {None}
