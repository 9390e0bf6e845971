"""`index.html`: what is linked, what is joined, and how it is told."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mri_sij.report.study_page import study_page
from mri_sij.study.columns import CHANGES, VISITS


def visit(name: str, total: int, day: int | None = None) -> dict[str, Any]:
    row = dict.fromkeys(entry.name for entry in VISITS)
    scored = {"sparcc_total": total, "sparcc_low": 2, "sparcc_high": 31, "oedema_volume_ml": 1.0, "cautions": 0}
    return {**row, "patient": "A", "visit": name, "day": day, "status": "done", "code": "", **scored}


def change(followup: str, code: str = "", change_class: str | None = None) -> dict[str, Any]:
    row = dict.fromkeys(entry.name for entry in CHANGES)
    told = {"status": "refused" if code else "done", "code": code, "change_class": change_class}
    delta = None if code else 0
    return {**row, "patient": "A", "baseline": "1", "followup": followup, **told, "sparcc_delta": delta}


KEY = "sub-A_ses-1_vs_ses-2"
THREE = [visit("1", 10), visit("2", 20), visit("3", 30)]


@pytest.mark.parametrize("code", ["two_people", "not_aligned"])
def test_visits_that_were_not_compared_are_not_joined(code: str) -> None:
    changes = [change("2", code), change("3", change_class="stability")]
    page = study_page(THREE, changes, {KEY: "Two people."}, {KEY}, [])
    ((line, dots),) = re.findall(r'<polyline points="([^"]*)"/>((?:<circle[^>]*>)*)', page)
    assert len(line.split()) == 2 and dots.count("<circle") == 3
    assert f'<a href="comparisons/{KEY}/comparison.html">1 → 2</a>' in page, "why they were not has a page"


def test_a_baseline_without_a_score_does_not_part_its_follow_ups() -> None:
    page = study_page(
        THREE[1:], [change(n, "visit_without_score") for n in "23"], {KEY: "", KEY[:-1] + "3": ""}, (), []
    )
    (line,) = re.findall(r'<polyline points="([^"]*)"', page)
    assert len(line.split()) == 2
    assert "comparison.html" not in page


def test_one_is_not_many_none_has_no_sign_and_totals_have_their_interval() -> None:
    page = study_page([visit("1", 10)], [change("2", change_class="stability")], {}, (), [])
    assert "1 visit: 1 scored. 1 follow-up: 1 stability." in page
    assert "+0" not in page
    assert ">2–31</td>" in page
