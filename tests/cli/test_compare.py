"""`mri-sij compare`: what it prints and writes, and its exit statuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import made_visit
import pytest
from typer.testing import CliRunner

from mri_sij.cli.app import app
from mri_sij.ingest.nifti import read_volume
from mri_sij.ingest.visit import load_visit
from mri_sij.result import VisitResult
from mri_sij.workflow import write_visit

RUNNER = CliRunner()


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A finished visit, stored in another axis order than the reading frame."""
    write_visit(made_visit.scored(made_visit.REVERSED), tmp_path / "visit")
    return tmp_path / "visit"


def test_a_finished_visit_against_itself(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = RUNNER.invoke(app, ["compare", str(finished), str(finished), "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert "is stable: SPARCC 8 to 8" in result.stdout
    assert "same scan" in result.stdout
    assert {f.name for f in out.iterdir()} == {"comparison.json", "comparison.html", "change.nii.gz"}
    plain = json.loads((out / "comparison.json").read_text())
    assert plain["change"]["class"] == "stability" and plain["change"]["sparcc_delta"] == 0
    change, anatomy = read_volume(out / "change.nii.gz"), read_volume(finished / "anatomy.nii.gz")
    assert change.grid.same_as(anatomy.grid)
    assert change.data.max() == 2


def test_json_on_stdout_is_the_file(finished: Path, tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["compare", str(finished), str(finished), "-o", str(tmp_path / "out"), "--json"])
    assert result.stdout == (tmp_path / "out" / "comparison.json").read_text()


def test_a_visit_without_a_score_is_refused_and_written(finished: Path, tmp_path: Path) -> None:
    write_visit(made_visit.refused(), tmp_path / "refused")
    result = RUNNER.invoke(app, ["compare", str(finished), str(tmp_path / "refused"), "-o", str(tmp_path / "out")])
    assert result.exit_code == 4
    assert "cannot be compared" in result.stdout
    plain = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert plain["status"] == "not_comparable" and plain["change"]["sparcc_delta"] is None
    assert not (tmp_path / "out" / "change.nii.gz").exists()


def test_of_several_follow_ups_each_says_which_it_is(finished: Path, tmp_path: Path) -> None:
    write_visit(made_visit.refused(), tmp_path / "refused")
    visits = [str(finished), str(finished), str(tmp_path / "refused")]
    result = RUNNER.invoke(app, ["compare", *visits, "-o", str(tmp_path / "out")])
    assert result.exit_code == 3
    assert "Follow-up 1: Bone-marrow oedema" in result.stdout and "Follow-up 2: The two visits cannot" in result.stdout
    page = (tmp_path / "out" / "comparison.html").read_text(encoding="utf-8")
    assert "The two visits cannot be compared" not in page and "Why the visits cannot be compared" in page


def test_a_visit_that_cannot_be_read_is_named_by_its_place(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "MEIER^ANNA").mkdir()
    told = RUNNER.invoke(app, ["compare", str(finished), str(tmp_path / "MEIER^ANNA"), "-o", str(tmp_path / "out")])
    assert str(told.exception).startswith("Visit 2 of 2: No image was found")
    assert "MEIER" not in str(told.exception)


def test_a_lone_visit_is_a_usage_error(finished: Path, tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["compare", str(finished), "-o", str(tmp_path / "out")])
    assert result.exit_code != 0 and "follow-up" in str(result.exception)


@pytest.mark.parametrize("harm", ["no_oedema", "not_json", "other_schema"])
def test_a_finished_visit_that_is_not_whole_is_refused(finished: Path, tmp_path: Path, harm: str) -> None:
    visit = finished / "visit.json"
    if harm == "no_oedema":
        (finished / "oedema.nii.gz").unlink()
    elif harm == "not_json":
        visit.write_text("{")
    else:
        visit.write_text(json.dumps(json.loads(visit.read_text()) | {"schema": 99}))
    result = RUNNER.invoke(app, ["compare", str(finished), str(finished), "-o", str(tmp_path / "out")])
    assert getattr(result.exception, "code", "") == "finished_visit"
    assert not (tmp_path / "out").exists()


def test_nothing_of_the_path_is_in_what_is_written(tmp_path: Path) -> None:
    secret = tmp_path / "MEIER^ANNA"
    write_visit(replace(made_visit.scored()), secret)
    RUNNER.invoke(app, ["compare", str(secret), str(secret), "-o", str(tmp_path / "out")])
    for file in (tmp_path / "out").iterdir():
        assert b"MEIER" not in file.read_bytes()


def test_two_dicom_folders_in_the_wrong_order_are_refused_without_a_date_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days: list[int] = []

    def scored(path: Path, *_: object, **__: object) -> VisitResult:
        read, made = load_visit(path), made_visit.scored()
        assert read.day is not None
        days.append(read.day)
        return replace(made, images=replace(made.images, day=read.day, input_sha256=read.input_sha256))

    monkeypatch.setattr("mri_sij.workflow.score_visit", scored)
    person = Path(__file__).parents[2] / "sample_data" / "patient-1"
    first, second = (str(person / f"visit-{n}") for n in (1, 2))
    right = RUNNER.invoke(app, ["compare", first, second, "-o", str(tmp_path / "right")])
    assert right.exit_code == 0, right.output
    interval = days[1] - days[0]
    assert interval > 0
    assert json.loads((tmp_path / "right" / "comparison.json").read_text())["followups"][0]["interval_days"] == interval
    wrong = RUNNER.invoke(app, ["compare", second, first, "-o", str(tmp_path / "wrong")])
    assert wrong.exit_code == 4
    assert f"scanned {interval} days before the baseline" in wrong.stdout
    for file in (*(tmp_path / "right").iterdir(), *(tmp_path / "wrong").iterdir()):
        assert not any(str(day).encode() in file.read_bytes() for day in days)
