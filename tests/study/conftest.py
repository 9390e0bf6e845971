"""For tests of studies: a finished visit that the stand-in for scoring copies, and a short way to run a study."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import made_visit
import pytest
import quick_study

from mri_sij.config import Settings
from mri_sij.study.clinical import Records
from mri_sij.study.listing import plan_study
from mri_sij.study.plan import part_of
from mri_sij.study.pool import run_tasks
from mri_sij.study.report import begin
from mri_sij.study.run import Event, Executor, Outcome, basis_of, run_study
from mri_sij.workflow import write_visit


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "visit"
    write_visit(made_visit.scored(), folder)
    return folder


@pytest.fixture
def run(_template: Path, monkeypatch: pytest.MonkeyPatch) -> quick_study.Run:
    """Run a study with the stand-in; `heard` takes every event."""
    monkeypatch.setenv(quick_study.TEMPLATE, str(_template))

    def go(
        study: Path,
        out: Path,
        *,
        workers: int = 1,
        shard: tuple[int, int] = (1, 1),
        settings: Settings | None = None,
        clinical: Records | None = None,
        executor: Executor | None = None,
        heard: list[Event] | None = None,
        manifest: Path | None = None,
    ) -> Outcome:
        chosen = settings or Settings()
        out.mkdir(exist_ok=True)
        plan = plan_study(study, manifest, out=out)
        basis = basis_of(study, out, chosen)
        begin(out, plan, chosen, basis.settings_sha256, clinical or {})
        told = (heard if heard is not None else []).append
        here = executor or partial(run_tasks, workers=workers, limit_s=chosen.study.visit_limit_s)
        return run_study(part_of(plan, *shard), basis, here, told=told, work=quick_study.do)

    return go
