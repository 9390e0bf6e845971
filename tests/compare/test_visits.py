"""Two made-up visits compared: classes, laws, refusals, and everything that is written."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from altered import cut, without_oedema

from mri_sij.compare.outcome import ChangeClass
from mri_sij.compare.records import NEW, RESOLVED, Comparison
from mri_sij.compare.visit import Visit
from mri_sij.compare.visits import compare_visits, followup_shares
from mri_sij.compare.write import comparison_json, sentence
from mri_sij.config import CompareSettings, Settings
from mri_sij.evidence import Reason
from mri_sij.report.comparison import comparison_page

SETTINGS = Settings()


@pytest.fixture(scope="module")
def visit(pictured: Visit) -> Visit:
    """Without images: what is judged does not need them, and aligning on surfaces alone is quick."""
    return replace(pictured, stir=None, t1=None)


def only(comparison: Comparison) -> ChangeClass:
    return comparison.followups[0].change_class


def codes(comparison: Comparison) -> set[str]:
    return {reason.code for reason in comparison.followups[0].reasons}


def test_a_scan_against_itself_is_stable_and_says_so(visit: Visit) -> None:
    found = compare_visits([visit, visit], SETTINGS)
    change = found.followups[0].change
    assert change is not None
    assert only(found) is ChangeClass.STABILITY
    assert change.outcome.delta == 0
    assert change.volume.new_ml == change.volume.resolved_ml == 0
    assert [c.code for c in found.followups[0].cautions] == ["same_scan", "without_images"]


def test_another_scan_that_shows_the_same_has_no_change(visit: Visit) -> None:
    found = compare_visits([visit, replace(visit, input_sha256="ef" * 32)], SETTINGS)
    change = found.followups[0].change
    assert change is not None
    assert (change.outcome.baseline, change.outcome.followup) == (8, 8)
    assert only(found) is ChangeClass.STABILITY


def test_oedema_that_went_is_normalization_and_swapped_is_progression(visit: Visit) -> None:
    gone = without_oedema(visit)
    there, back = compare_visits([visit, gone], SETTINGS), compare_visits([gone, visit], SETTINGS)
    assert (only(there), only(back)) == (ChangeClass.NORMALIZATION, ChangeClass.PROGRESSION)
    first, second = there.followups[0].change, back.followups[0].change
    assert first is not None and second is not None
    assert first.outcome.delta == -second.outcome.delta == -8
    assert first.changes.right.delta == -8 and first.changes.left.delta == 0
    assert first.volume.resolved_ml == pytest.approx(second.volume.new_ml)
    assert first.volume.resolved_ml == pytest.approx((visit.oedema.data > 0).sum() * visit.oedema.grid.voxel_ml)
    assert set(np.unique(first.labels.data)) == {0, RESOLVED} and set(np.unique(second.labels.data)) == {0, NEW}
    assert sum(first.probabilities.values()) == pytest.approx(1)


def test_three_visits_make_a_trajectory(visit: Visit) -> None:
    found = compare_visits([visit, without_oedema(visit), replace(visit, input_sha256="ee" * 32)], SETTINGS)
    assert found.trajectory is not None
    assert [step.sparcc for step in found.trajectory.steps] == [8, 0, 8]
    assert (found.trajectory.lowest, found.trajectory.relapse) == (1, 2)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"acquisition": "pdfs"}, "sequence"),
        ({"day": -30}, "wrong_order"),
        ({"echo": 200.0}, "echo_time"),
    ],
)
def test_visits_that_cannot_be_compared_say_why(visit: Visit, change: dict[str, object], code: str) -> None:
    acquisition = visit.acquisition
    if "acquisition" in change:
        acquisition = replace(acquisition, kind=str(change["acquisition"]))
    if "echo" in change:
        acquisition = replace(acquisition, echo_time_ms=200.0)
    later = replace(visit, acquisition=acquisition, input_sha256="ef" * 32, day=-30 if "day" in change else 10)
    found = compare_visits([replace(visit, day=0), later], SETTINGS)
    assert only(found) is ChangeClass.NOT_COMPARABLE
    assert code in codes(found)
    assert json.loads(comparison_json(found, SETTINGS))["change"]["class"] == "not_comparable"
    assert "Not comparable" in comparison_page(found)


def test_a_visit_without_a_score_makes_no_class(visit: Visit) -> None:
    why = (Reason("coverage", "Half of the pelvis is missing."),)
    for visits, code in (([visit, why], "followup_not_scorable"), ([why, visit], "baseline_not_scorable")):
        found = compare_visits(visits, SETTINGS)
        assert only(found) is ChangeClass.NOT_COMPARABLE
        assert {code, "coverage"} <= codes(found)
        assert "Half of the pelvis" in sentence(found.followups[0])
        assert "null" in comparison_json(found, SETTINGS)


def test_differences_of_the_scans_are_cautions(visit: Visit) -> None:
    acquisition = replace(visit.acquisition, field_strength_t=3.0, echo_time_ms=90.0, manufacturer="Other")
    found = compare_visits([visit, replace(visit, acquisition=acquisition, input_sha256="ef" * 32)], SETTINGS)
    assert {c.code for c in found.followups[0].cautions} == {
        "field_strength", "echo_time", "scanner", "without_images",
    }  # fmt: skip
    assert only(found) is ChangeClass.STABILITY


def test_strict_mode_reaches_the_class(visit: Visit) -> None:
    strict = Settings(compare=CompareSettings(strict=True))
    found = compare_visits([visit, without_oedema(visit)], strict)
    change = found.followups[0].change
    assert change is not None and change.outcome.threshold == 3.4


def test_what_is_written_is_whole_plain_and_the_same_twice(pictured: Visit) -> None:
    found = compare_visits([pictured, without_oedema(pictured)], SETTINGS)
    text = comparison_json(found, SETTINGS)
    plain = json.loads(text)
    change = plain["change"]
    assert (change["class"], change["sparcc_delta"], change["sparcc_baseline"], change["sparcc_followup"]) == (
        "normalization", -8, 8, 0,
    )  # fmt: skip
    assert set(change["probabilities"]) == {"normalization", "regression", "stability", "progression"}
    assert plain["alignment"]["succeeded"] and plain["cautions"] == []
    assert plain["sentence"].startswith("Bone-marrow oedema of the sacroiliac joints has normalized: SPARCC 8 to 0")
    assert comparison_json(found, SETTINGS) == text
    again = compare_visits([pictured, without_oedema(pictured)], SETTINGS)
    assert comparison_json(again, SETTINGS) == text
    page = comparison_page(found)
    assert comparison_page(again) == page
    assert not re.search(r"(src|href)=[\"'](?!data:|#)", page)
    assert page.count('class="first"') == page.count('class="second"') == 12
    assert "flicker" in page and "Not for diagnosis" in page and "Normalization" in page


def test_a_baseline_without_images_leaves_both_readings_as_they_are(pictured: Visit) -> None:
    bare = replace(pictured, stir=None, t1=None, intensity=None)
    found = compare_visits([bare, without_oedema(pictured)], SETTINGS)
    assert only(found) is ChangeClass.NORMALIZATION
    assert "without_images" in {c.code for c in found.followups[0].cautions}


def test_bone_that_the_followup_does_not_show_is_unchanged_and_in_no_volume(visit: Visit) -> None:
    shape = visit.labels.grid.shape
    short = cut(visit, np.zeros(3), (shape[0], shape[1], 9))
    lenient = SETTINGS.model_copy(update={"compare": CompareSettings(levels_seen=0.3)})
    found = compare_visits([visit, short], lenient).followups[0]
    assert found.change is not None, found.reasons
    assert found.change.outcome.delta == 0
    assert found.change.volume.new_ml == found.change.volume.resolved_ml == 0
    assert 0 < found.change.volume.persisting_ml < (visit.oedema.data > 0).sum() * visit.oedema.grid.voxel_ml
    assert "levels_partly_seen" in {c.code for c in found.cautions}


def test_a_followup_older_than_the_one_before_it_is_refused(visit: Visit) -> None:
    visits = [replace(visit, day=d, input_sha256=f"{n:064x}") for n, d in enumerate((0, 90, 30))]
    found = compare_visits(visits, SETTINGS)
    assert only(found) is ChangeClass.STABILITY
    assert [r.code for r in found.followups[1].reasons] == ["wrong_order"]
    assert "60 days before follow-up 1" in found.followups[1].reasons[0].message


def test_the_same_scan_is_surely_stable(visit: Visit) -> None:
    change = compare_visits([visit, visit], SETTINGS).followups[0].change
    assert change is not None
    assert {c: p for c, p in change.probabilities.items() if p} == {ChangeClass.STABILITY: 1.0}


def test_other_totals_move_with_the_levels_and_what_is_left_of_the_baseline_is_as_sure_as_that(visit: Visit) -> None:
    own = visit.form.total
    followup = replace(visit, shares=((own - 2, 0.3), (own, 0.5), (own + 4, 0.2)))
    assert followup_shares(visit, followup, own, own + 3) == {own + 1: 0.3, own + 3: 0.5, own + 7: 0.2}
    none = replace(without_oedema(visit), shares=((0, 0.8), (12, 0.2)))
    baseline = replace(visit, shares=((0, 0.3), (12, 0.6), (15, 0.1)))
    assert followup_shares(baseline, none, 12, 8) == {0: 0.3, 8: 0.6, 10: 0.1}
    assert followup_shares(baseline, none, 12, 0) == {0: 0.8, 12: 0.2}
