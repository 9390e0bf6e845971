"""`mri-sij run`: what it prints, and its exit statuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import quick_study
from typer.testing import CliRunner

from mri_sij import __version__
from mri_sij.cli.app import VERBS, app
from mri_sij.cli.run import exit_of
from mri_sij.errors import Exit
from mri_sij.study.files import OutputError


@pytest.mark.parametrize(
    ("visits", "comparisons", "status"),
    [
        ("done not_scorable", "done not_scorable refused", Exit.DONE),
        ("done done", "failed", Exit.SOME_FAILED),
        ("done refused", "not_scorable", Exit.SOME_FAILED),
        ("refused failed", "not_scorable", Exit.REFUSED),
    ],
)
def test_a_study_with_anything_that_failed_does_not_end_with_0(visits: str, comparisons: str, status: Exit) -> None:
    assert exit_of(visits.split(), comparisons.split()) is status


def test_dry_run_and_shards_speak_json_too(tmp_path: Path) -> None:
    study = quick_study.write_study(tmp_path / "study", patients=2, visits=1)
    call = ["run", str(study), "-o", str(tmp_path / "out"), "--json"]
    told = json.loads(CliRunner().invoke(app, [*call, "--dry-run"]).stdout)
    assert [(one["key"], one["to_do"]) for one in told["results"]] == [
        ("sub-0001_ses-1", "not done yet"), ("sub-0002_ses-1", "not done yet"),
    ]  # fmt: skip
    assert not (tmp_path / "out").exists()
    told = json.loads(CliRunner().invoke(app, [*call, "--shard", "2/2"]).stdout)
    assert (told["shard"], told["done_now"], told["comparisons"]) == ("2/2", 1, [])
    assert [one["key"] for one in told["visits"]] == ["sub-0002_ses-1"]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_an_example(verb: str) -> None:
    told = CliRunner().invoke(app, [verb, "--help"]).stdout
    assert re.search(rf"Examples?:\s+mri-sij\s+{verb}", told)


def test_help_flows_to_the_width_of_the_terminal() -> None:
    told = CliRunner().invoke(app, ["phantom", "--help"], env={"COLUMNS": "80"}).stdout
    assert "Writes visit-1, visit-2, ... into OUT," in told
    assert "each with its images, and truth.json beside them." in told


@pytest.mark.parametrize(
    "call", ["score V -o F/new", "segment V -o F/new", "compare V V -o F/new", "phantom F/new", "schema -o F/new"]
)
def test_a_folder_that_takes_no_file_is_named_before_any_work(tmp_path: Path, call: str) -> None:
    (tmp_path / "F").write_text("a file", encoding="utf-8")
    words = [word.replace("F/", f"{tmp_path}/F/").replace("V", f"{tmp_path}/no-visit") for word in call.split()]
    ended = CliRunner().invoke(app, words)
    assert isinstance(ended.exception, OutputError)
    assert "cannot be written to" in str(ended.exception)


def test_the_version_is_told_without_a_verb() -> None:
    told = CliRunner().invoke(app, ["--version"])
    assert (told.exit_code, told.stdout) == (0, f"mri_sij {__version__}\n")
