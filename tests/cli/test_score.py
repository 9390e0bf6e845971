"""`mri-sij score`: forms alone, visits, and what it says when it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import made_visit
import pytest

from mri_sij import workflow
from mri_sij.cli import app
from mri_sij.scoring.form import write_form


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Exit status of the command line."""
    monkeypatch.setattr("sys.argv", ["mri-sij", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        app.main()
    return int(ended.value.code or 0)


@pytest.fixture
def form(tmp_path: Path) -> Path:
    write_form(made_visit.evidence((5, 6, 7, 8, 9, 10)), tmp_path / "form.csv")
    return tmp_path / "form.csv"


def test_a_form_alone(form: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "score", "--form", form) == 0
    told = capsys.readouterr()
    assert "8 of 72   (right 8, left 0)" in told.out
    assert "2009 positive" in told.out
    assert told.err == ""


def test_a_form_as_json(form: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "score", "--form", form, "--json") == 0
    assert json.loads(capsys.readouterr().out)["sparcc"]["right"]["total"] == 8


def test_a_form_without_one_joint_says_so(
    form: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = form.read_text().splitlines()
    form.write_text("\n".join(f"{r.split(',')[0]},left,na,na,na,na,0,0," if ",left," in r else r for r in rows))
    assert run(monkeypatch, "score", "--form", form) == 0
    assert "Caution: The left joint is not visible over more than 1 cm on slice 5, 6, 7" in capsys.readouterr().out
    assert run(monkeypatch, "score", "--form", form, "--json") == 0
    assert [c["code"] for c in json.loads(capsys.readouterr().out)["cautions"]] == ["joint_partly_seen"]


def test_a_wrong_form_is_refused_with_its_line(
    form: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    form.write_text(form.read_text().replace("5,right,0,0", "5,right,0,7", 1))
    assert run(monkeypatch, "score", "--form", form) == 4
    told = capsys.readouterr()
    assert "column upper_sacrum: expected 0 or 1" in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    "arguments",
    ["", "visit", "-o out", "visit --form f.csv", "--form f.csv -o out", "--form f.csv --overrule g.csv"],
)
def test_what_does_not_go_together(arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "score", *arguments.split()) == 2


def test_an_empty_folder_is_refused_and_nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "visit").mkdir()
    assert run(monkeypatch, "score", tmp_path / "visit", "-o", tmp_path / "out") == 4
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("as_json", [False, True])
def test_a_visit(
    as_json: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workflow, "score_visit", lambda *args, **kw: made_visit.scored())
    assert run(monkeypatch, "score", tmp_path, "-o", tmp_path / "out", *["--json"] * as_json) == 0
    told = capsys.readouterr().out
    if as_json:
        assert told == (tmp_path / "out" / "visit.json").read_text()
    else:
        assert "8 of 72" in told
        assert "Caution: A made-up visit. (made-up)" in told


def test_a_visit_that_is_not_scorable_is_done_not_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workflow, "score_visit", lambda *args, **kw: made_visit.refused())
    assert run(monkeypatch, "score", tmp_path, "-o", tmp_path / "out") == 0
    told = capsys.readouterr().out
    assert "Not scorable" in told
    assert "of 72" not in told
    assert json.loads((tmp_path / "out" / "visit.json").read_text())["status"] == "not_scorable"


def test_options_reach_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}

    def score_visit(path: Path, settings: object, **given: object) -> object:
        seen.update(given, path=path, settings=settings)
        return made_visit.scored()

    monkeypatch.setattr(workflow, "score_visit", score_visit)
    out = tmp_path / "out"
    assert run(monkeypatch, "score", tmp_path, "-o", out, "--segmenter", "masks:there", "--series", 3) == 0
    assert seen["settings"].anatomy.segmenter == "masks:there"  # type: ignore[attr-defined]
    assert seen["series"] == 3
