"""For tests of studies: a finished visit that the stand-in for scoring copies, and a short way to run a study."""

from __future__ import annotations

from pathlib import Path

import made_visit
import pytest
import quick_study

from mri_sij.workflow import write_visit


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "visit"
    write_visit(made_visit.scored(), folder)
    return folder


@pytest.fixture
def run(_template: Path, monkeypatch: pytest.MonkeyPatch) -> quick_study.Run:
    """Run a study with the stand-in for scoring."""
    monkeypatch.setenv(quick_study.TEMPLATE, str(_template))
    return quick_study.run
