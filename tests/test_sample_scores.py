"""No change moves a score unnoticed: the sample study against what was recorded (`mri-sij check --record`)."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from mri_sij.cli.app import app

SAMPLE = Path(__file__).parents[1] / "sample_data"


def test_the_sample_study_scores_as_recorded() -> None:
    # Processors differ in the last bit of the network's output, which may tip an item at its threshold.
    options = ["--expected", str(SAMPLE / "expected.json"), "--points", "3", "--jobs", "2"]
    told = CliRunner().invoke(app, ["check", str(SAMPLE), *options])
    assert told.exit_code == 0, told.output
