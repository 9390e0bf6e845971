"""No change moves a score unnoticed: the sample study against what was recorded (`mri-sij check --record`)."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from mri_sij.cli.app import app

SAMPLE = Path(__file__).parents[1] / "sample_data"


def test_the_sample_study_scores_as_recorded() -> None:
    options = ["--expected", str(SAMPLE / "expected.json"), "--tolerance", str(SAMPLE / "tolerance.toml")]
    told = CliRunner().invoke(app, ["check", str(SAMPLE), *options, "--jobs", "2"])
    assert told.exit_code == 0, told.output
