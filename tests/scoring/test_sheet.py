"""The score sheet as plain values."""

from __future__ import annotations

import json
from dataclasses import replace

from worked_forms import evidence

from mri_sij.config import ScoringSettings
from mri_sij.evidence import Evidence
from mri_sij.scoring.sheet import score


def test_keys_and_sums() -> None:
    sheet = score(evidence("11xxi 10xx", "1111id 0000"), ScoringSettings())
    plain = json.loads(json.dumps(sheet.to_dict()))
    assert plain["sparcc"]["total"] == 10 == plain["sparcc"]["left"]["total"] + plain["sparcc"]["right"]["total"]
    assert [s["slice"] for s in plain["sparcc"]["slices"]] == [4, 5, 6, 7, 8, 9]
    assert plain["sparcc"]["slices"][0]["right"] == {
        "total": 3, "upper_ilium": 1, "upper_sacrum": 1, "lower_ilium": None, "lower_sacrum": None,
        "intensity": 1, "depth": 0,
    }  # fmt: skip
    assert plain["berlin"] is None
    assert plain["asas"]["positive_2009"] is True


def test_what_a_joint_and_a_slice_say() -> None:
    sparcc = score(evidence("1000i 0000", "1100id 0010"), ScoringSettings()).to_dict()["sparcc"]
    assert sparcc["right"] == {
        "total": 6, "quadrants": 3, "intensity": 2, "depth": 1, "sacrum": 1, "ilium": 2, "quadrants_scored": 24,
    }  # fmt: skip
    assert (sparcc["total"], sparcc["slices"][1]["right"]["total"]) == (7, 4)
    assert [s["position"] for s in sparcc["slices"]] == [1, 2, 3, 4, 5, 6]


def test_the_berlin_grade_of_each_quadrant() -> None:
    visit = evidence(*["0001 0000"] * 3)
    areas = (
        replace(j, quadrants=tuple(replace(q, oedema_area_mm2=50.0, bone_area_mm2=50.0) for q in j.quadrants))
        for j in visit.joints
    )
    assert score(Evidence(tuple(areas)), ScoringSettings()).to_dict()["berlin"] == {
        "total": 2,
        "left": {"total": 0, "upper_ilium": 0, "upper_sacrum": 0, "lower_ilium": 0, "lower_sacrum": 0},
        "right": {"total": 2, "upper_ilium": 0, "upper_sacrum": 0, "lower_ilium": 0, "lower_sacrum": 2},
    }
