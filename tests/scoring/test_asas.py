"""ASAS rules against forms worked by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from worked_forms import WORKED, Worked, evidence

from mri_sij.config import ScoringSettings
from mri_sij.evidence import QUADRANTS, Evidence, Side
from mri_sij.scoring.asas import judge_asas, longest_run

RULES = ScoringSettings()


@pytest.mark.parametrize("form", WORKED, ids=lambda form: form.name)
def test_worked_by_hand(form: Worked) -> None:
    asas = judge_asas(evidence(*form.slices), RULES)
    assert (asas.positive_2009, asas.positive_2021) == (form.asas_2009, form.asas_2021)
    assert asas.positive_2016 == (form.quadrants > 0)
    assert asas.quadrants == form.quadrants


def test_longest_run_is_of_one_place() -> None:
    a, b = (Side.LEFT, QUADRANTS[0]), (Side.RIGHT, QUADRANTS[0])
    assert longest_run([{a}, {a, b}, {b}, {b}, {a}, set()]) == 3
    assert longest_run([{a}, {b}, {a}, {b}]) == 1
    assert longest_run([{a}, {a}, {a, b}]) == 3
    assert longest_run([]) == longest_run([set()]) == 0


@pytest.mark.parametrize(("probability", "clear"), [(0.5, False), (0.89, False), (0.9, True), (None, True)])
def test_2016_needs_clear_oedema(probability: float | None, clear: bool) -> None:
    visit = evidence("1000 0000")
    first = visit.joints[0]
    doubted = replace(first, quadrants=(replace(first.quadrants[0], probability=probability), *first.quadrants[1:]))
    asas = judge_asas(Evidence((doubted, *visit.joints[1:])), RULES)
    assert asas.positive_2016 is clear
    assert asas.quadrants == 1


def test_quadrants_too_low_to_score_do_not_count() -> None:
    visit = evidence("0011 0000")
    low = replace(visit.joints[0], joint_height_mm=20.0)
    assert not judge_asas(Evidence((low, *visit.joints[1:])), RULES).positive_2009
