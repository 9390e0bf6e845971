"""What a task makes carries the labels of its visits, and only those."""

from __future__ import annotations

from pathlib import Path

import made_visit
import pytest

from mri_sij.config import Settings
from mri_sij.study import make
from mri_sij.study.job import Job
from mri_sij.study.plan import PlannedVisit
from mri_sij.study.run import basis_of


def test_a_comparison_says_whose_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "_result", lambda visit, job: made_visit.scored())
    pair = (PlannedVisit("002", "01", None, True), PlannedVisit("002", "02", None, False))
    job = Job(pair, basis_of(tmp_path, tmp_path / "out", Settings()))
    assert make.compare(job)[0] == "done"
    page = (job.folder / "comparison.html").read_text()
    assert "<title>sub-002: 01 → 02</title>" in page and "<h1>sub-002: 01 → 02</h1>" in page
