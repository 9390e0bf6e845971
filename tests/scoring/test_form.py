"""Forms in CSV: read strictly, written so that they read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from test_sparcc import visits
from worked_forms import WORKED, Worked, evidence

from mri_sij.config import ScoringSettings
from mri_sij.errors import Exit
from mri_sij.evidence import Evidence, Side
from mri_sij.scoring.form import HEADER, FormError, form_text, read_form, write_form
from mri_sij.scoring.sheet import score
from mri_sij.scoring.sparcc import score_sparcc, scored_quadrants

RULES = ScoringSettings()


def lines(*slices: str) -> list[str]:
    return form_text(evidence(*slices)).splitlines()


def written(tmp_path: Path, text: list[str] | str | bytes) -> Path:
    path = tmp_path / "form.csv"
    if isinstance(text, list):
        text = "\n".join(text)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("form", WORKED, ids=lambda form: form.name)
def test_worked_forms_come_back(form: Worked, tmp_path: Path) -> None:
    write_form(evidence(*form.slices), tmp_path / "form.csv")
    read = read_form(tmp_path / "form.csv")
    assert read == evidence(*form.slices)
    assert score_sparcc(read, RULES).total == form.right + form.left


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(visit=visits())
def test_any_form_keeps_its_score(visit: Evidence, tmp_path: Path) -> None:
    assume(any(scored_quadrants(joint) for joint in visit.joints))
    path = tmp_path / "form.csv"
    write_form(visit, path)
    assert score(read_form(path), RULES).sparcc == score(visit, RULES).sparcc


def test_a_form_as_a_spreadsheet_writes_it(tmp_path: Path) -> None:
    text = "\r\n".join(line.replace(",", ";").upper() for line in lines("1100i 0001")) + "\r\n;;;;;;;;\r\n"
    read = read_form(written(tmp_path, b"\xef\xbb\xbf" + text.encode()))
    assert score_sparcc(read, RULES).side(Side.RIGHT).total == 3


@pytest.mark.parametrize(
    "written_as",
    [
        lambda text: "\n;;;;;;;;\n" + text.replace(",", ";"),
        lambda text: "sep=;\r\n" + text.replace(",", ";"),
        lambda text: "sep=,\n" + text,
        lambda text: text.replace("\n", ",\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace(",", "\t").encode("utf-16"),
        lambda text: text.replace(",", ";").replace("41.5", "41,5"),
        lambda text: text.replace("41.5", '"41,5"'),
    ],
)
def test_what_spreadsheets_make_of_a_form(written_as: Callable[[str], str | bytes], tmp_path: Path) -> None:
    visit = evidence("1100i 0001", "1111id 0000")
    visit = Evidence(tuple(replace(joint, joint_height_mm=41.5) for joint in visit.joints))
    assert read_form(written(tmp_path, written_as(form_text(visit)))) == visit


def replaced(line: int, old: str, new: str) -> list[str]:
    form = lines("1100i 0001", "0000 0000")
    assert old in form[line - 1]
    form[line - 1] = form[line - 1].replace(old, new, 1)
    return form


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (replaced(2, "1,1,0", "2,1,0"), r"Line 2, column upper_ilium: expected 0 or 1 \(or na"),
        (replaced(2, "1,1,0", ",1,0"), "Line 2, column upper_ilium"),
        (replaced(2, "1,1,0", "yes,1,0"), "Line 2, column upper_ilium"),
        (replaced(2, "0,0,1,0", "0,0,na,0"), r"Line 2, column intense: expected 0 or 1\."),
        (replaced(3, "left", "both"), "Line 3, column side: expected left or right"),
        (replaced(3, "left", "right"), "left joint 0 times|right joint 2 times"),
        (replaced(3, "4,", "-4,"), "Line 3, column slice"),
        (replaced(3, "4,", "4.0,"), "Line 3, column slice"),
        (replaced(3, "4,", "400000,"), "Line 3, column slice"),
        (replaced(3, "0,0,0,1,0,0,", "0,0,0,1,0,0,tall"), "Line 3, column joint_height_mm"),
        (replaced(3, "0,0,0,1,0,0,", "0,0,0,1,0,0,nan"), "Line 3, column joint_height_mm"),
        (replaced(3, "0,0,0,1,0,0,", "0,0,0,1,0,0,-0.1"), "Line 3, column joint_height_mm"),
        (replaced(3, "0,0,0,1,0,0,", "0,0,0,1,0,0,200.1"), "Line 3, column joint_height_mm"),
        (replaced(3, "0,0,0,1,0,0,", "0,0,0,1,0,0,22"), "not scored at 22 mm"),
        (replaced(3, "0,0,0,1,0,0,", "0,0,0,1,0,0,,9"), "Line 3 has 10 cells, expected 9"),
        (replaced(4, "0,0,0,0,0,0", "0,0,0,0,0,1"), "Line 4: intense or deep is marked, but no quadrant has oedema"),
        (replaced(4, "0,0,0,0,0,0", "na,0,0,0,0,0"), "upper two"),
        (replaced(1, "upper_ilium", "upper_femur"), "missing: upper_ilium; 1 unknown"),
        (replaced(1, "lower_ilium", "upper_ilium"), "missing: lower_ilium; 1 given twice"),
        ([line + (",note" if line.endswith("mm") else ",0") for line in lines()], r"\(1 unknown\)"),
        ([line + (",deep" if line.endswith("mm") else ",1") for line in lines()], r"\(1 given twice\)"),
        (lines(*["xxxx xxxx"] * 6), "No quadrant of the form is scored"),
        ([line + ("" if line.endswith("mm") else "9") for line in lines()], "No quadrant of the form is scored"),
        (lines()[:-2], "5 are given"),
        (lines()[:-1], "left joint 0 times"),
        (lines()[:1], "0 are given"),
        ("", "columns are not those of a form"),
        ("\x00\x01,\x02", "columns are not those of a form|not CSV"),
        (b"\xff\xfe\x00", "cannot be read as text"),
        (["sep=;", *lines()], "columns are not those of a form"),
        (replaced(3, "0,0,0,1,0,0,", '0,0,0,1,0,0,"4,1.5"'), "Line 3, column joint_height_mm"),
        (",".join(HEADER) + "\n" + "a" * 200_000, "larger than"),
        (",".join(HEADER) + '\n"7,right,1', "not CSV"),
    ],
)
def test_what_is_refused(form: list[str] | str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(FormError, match=message) as caught:
        read_form(written(tmp_path, form))
    assert caught.value.exit_status == Exit.REFUSED
    assert caught.value.files == ("form.csv",)


def test_heights_from_0_to_200_mm_are_read(tmp_path: Path) -> None:
    heights = (0.0, 200.0, *[None] * 10)
    visit = evidence("xxxx 0001")
    visit = Evidence(tuple(replace(j, joint_height_mm=h) for j, h in zip(visit.joints, heights, strict=True)))
    assert read_form(written(tmp_path, form_text(visit))) == visit


def test_as_many_slices_as_the_settings_ask_for(tmp_path: Path) -> None:
    assert len(read_form(written(tmp_path, lines()[:-2]), ScoringSettings(slices=5)).slice_numbers) == 5


def test_a_form_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FormError, match="there is no such file"):
        read_form(tmp_path / "none.csv")


def test_what_a_reader_wrote_is_never_repeated(tmp_path: Path) -> None:
    for form in (replaced(2, "1,1,0", "DOE^JANE,1,0"), replaced(1, "upper_ilium", "DOE^JANE")):
        with pytest.raises(FormError) as caught:
            read_form(written(tmp_path, form))
        assert "JANE" not in str(caught.value).upper()
