"""`mri-sij check`: what cannot be a record or cannot be written is told before anything is scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mri_sij.cli.app import app
from mri_sij.errors import UsageError
from mri_sij.study.check import read_recorded
from mri_sij.study.files import OutputError

SAMPLE = Path(__file__).parents[2] / "sample_data"


@pytest.mark.parametrize(
    "text",
    [
        '{"schema": 2}',
        '{"schema": 2, "visits": [], "changes": {}}',
        '{"schema": 2, "visits": {"sub-1_ses-1": 5}, "changes": {}}',
        '{"schema": 2, "visits": {"sub-1_ses-1": {"status": "done"}}, "changes": {}}',
    ],
)
def test_a_record_that_is_not_whole_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "expected.json").write_text(text)
    with pytest.raises(UsageError, match="not a record of schema 2"):
        read_recorded(tmp_path / "expected.json")


def test_the_project_s_own_record_is_one() -> None:
    assert len(read_recorded(SAMPLE / "expected.json")["visits"]) == 4


@pytest.mark.parametrize("option", ["--record", "--junit"])
def test_what_cannot_be_written_is_told_before_scoring(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def score(*args: Any, **more: Any) -> None:
        raise AssertionError("scored")

    monkeypatch.setattr("mri_sij.cli.run.score_study", score)
    (tmp_path / "file").touch()
    target = str(tmp_path / "file" / "found")
    how = ["--expected", target, option] if option == "--record" else ["--junit", target]
    expected = [] if option == "--record" else ["--expected", str(SAMPLE / "expected.json")]
    told = CliRunner().invoke(app, ["check", str(SAMPLE), *expected, *how])
    assert isinstance(told.exception, OutputError), told.exception
