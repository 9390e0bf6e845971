"""A joint that was not seen is not free of oedema."""

from __future__ import annotations

from worked_forms import evidence

from mri_sij.config import ScoringSettings
from mri_sij.scoring.seen import not_enough_seen, partly_seen
from mri_sij.scoring.sparcc import score_sparcc

RULES = ScoringSettings()


def test_both_joints_seen() -> None:
    sparcc = score_sparcc(evidence("11xx 11xx"), RULES)
    assert not_enough_seen(sparcc, RULES) == partly_seen(sparcc) == ()


def test_two_slices_without_a_joint_are_pointed_out() -> None:
    sparcc = score_sparcc(evidence("xxxx 0000", "xxxx 0000"), RULES)
    assert not_enough_seen(sparcc, RULES) == ()
    assert [c.code for c in partly_seen(sparcc)] == ["joint_partly_seen"]
    assert "right joint" in partly_seen(sparcc)[0].message
    assert "slice 4, 5:" in partly_seen(sparcc)[0].message


def test_three_are_too_many() -> None:
    reasons = not_enough_seen(score_sparcc(evidence(*["0000 xxxx"] * 3), RULES), RULES)
    assert [r.code for r in reasons] == ["joint_not_seen"]
    assert "left joint is high enough to be scored on 3 of 6 slices" in reasons[0].message
