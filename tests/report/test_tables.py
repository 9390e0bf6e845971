"""`quadrants.csv`: tidy, complete, and explained."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import made_visit

from mri_sij.evidence import Evidence, Side
from mri_sij.report.dictionary import QUADRANT_COLUMNS
from mri_sij.report.tables import quadrant_rows, quadrants_csv
from mri_sij.scoring.overrule import ItemChange

EVIDENCE = made_visit.evidence((5, 6, 7, 8, 9, 10))


def test_a_row_a_quadrant_with_every_column_explained() -> None:
    rows = list(csv.DictReader(io.StringIO(quadrants_csv(EVIDENCE))))
    assert len(rows) == 48
    assert list(rows[0]) == [entry.name for entry in QUADRANT_COLUMNS]
    assert len({(r["slice"], r["side"], r["bone"], r["half"]) for r in rows}) == 48
    assert sum(int(r["oedema"]) for r in rows) == 4
    assert [r["position"] for r in rows[::8]] == ["1", "2", "3", "4", "5", "6"]


def test_a_row_says_what_decided_its_quadrant_and_its_joint() -> None:
    shown = next(j for j in EVIDENCE.joints if j.slice_number == 8 and j.side is Side.RIGHT)
    deep = replace(shown, deep_probability=0.7654, depth_mm=14.26, intensity_ratio=2.3456, joint_height_mm=50.04)
    rows = {(r["bone"], r["half"]): r for r in quadrant_rows(Evidence((deep,)))}
    assert rows["sacrum", "upper"] == {
        "slice": 8, "position": 1, "side": "right", "bone": "sacrum", "half": "upper", "scored": 1, "oedema": 1,
        "probability": 0.93, "oedema_area_mm2": 224.0, "bone_area_mm2": 625.0, "joint_height_mm": 50.0,
        "joint_intense": 0, "joint_intense_probability": 0.2, "joint_intensity_ratio": 2.346,
        "joint_deep": 1, "joint_deep_probability": 0.765, "joint_depth_mm": 14.3,
        "reader_oedema": None, "reader_intense": None, "reader_deep": None,
    }  # fmt: skip
    assert (rows["ilium", "lower"]["oedema"], rows["ilium", "lower"]["oedema_area_mm2"]) == (0, 0.0)


def test_intense_and_deep_need_oedema_that_is_scored() -> None:
    visit = made_visit.evidence((5,))
    flagged = Evidence(tuple(replace(j, intense=True, deep=True) for j in visit.joints))
    assert {(r["joint_intense"], r["joint_deep"]) for r in quadrant_rows(flagged)} == {(0, 0)}


def test_a_quadrant_that_is_not_scored_is_empty_never_0() -> None:
    low = Evidence(tuple(replace(j, joint_height_mm=20.0) for j in EVIDENCE.joints))
    rows = quadrant_rows(low)
    assert {(r["half"], r["scored"], r["oedema"] is None) for r in rows} == {("upper", 1, False), ("lower", 0, True)}


def test_what_a_reader_changed_is_in_columns_of_its_own() -> None:
    change = ItemChange(7, Side.RIGHT, "upper_sacrum", True, False)
    rows = quadrant_rows(EVIDENCE, (change,))
    changed = [r for r in rows if r["reader_oedema"] is not None]
    assert [(r["slice"], r["side"], r["bone"], r["half"], r["oedema"], r["reader_oedema"]) for r in changed] == [
        (7, "right", "sacrum", "upper", 1, 0)
    ]
    for item in ("intense", "deep"):
        rows = quadrant_rows(EVIDENCE, (ItemChange(7, Side.RIGHT, item, False, True),))
        changed = [
            (n, r["slice"], r["side"], r[n]) for r in rows for n in r if n.startswith("reader") and r[n] is not None
        ]
        assert changed == [(f"reader_{item}", 7, "right", 1)] * 4


def test_a_visit_without_a_score_has_a_header_alone() -> None:
    assert quadrants_csv(None).count("\n") == 1
