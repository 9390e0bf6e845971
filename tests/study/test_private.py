"""Nothing of a patient is written, whatever fails: canaries in headers and names, and every stage made to fail."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import canary
import pytest
import quick_study
from typer.testing import CliRunner

from mri_sij import workflow
from mri_sij.cli.app import app
from mri_sij.config import Settings
from mri_sij.study import make, task
from mri_sij.study import run as run_module
from mri_sij.study.find import find_visits
from mri_sij.study.job import Job
from mri_sij.study.plan import Plan
from mri_sij.study.report import begin, gather
from mri_sij.volume import Volume

SAMPLE = Path(__file__).parents[2] / "sample_data"
SLOW = ("predict", "segment_visit", "find_anatomy", "find_oedema")
STAGES = [
    *((make, name) for name in ("index_files", "only_visit", "choose", "read_visit", "score_images")),
    *((workflow, name) for name in ("usable_t1", "look_at_stir", *SLOW, "score", "partly_seen")),
    *((workflow, name) for name in ("visit_json", "quadrants_csv", "visit_page", "write_form", "write_nifti")),
    *((make, name) for name in ("write_visit", "thumbnail_png", "write_derived")),
    *((make, name) for name in ("of_result", "compare_visits", "write_comparison")),
    *((workflow, name) for name in ("comparison_json", "comparison_page")),
]
COMPARING = ("of_result", "compare_visits", "write_comparison", "comparison_json", "comparison_page")


def singing(kind: type[Exception]) -> Callable[..., Any]:
    def fail(*args: Any, **more: Any) -> Any:
        if kind is OSError:
            raise OSError(5, canary.WORD, f"/{canary.WORD}")
        raise kind(f"{canary.WORD} {canary.DIGITS} {canary.BORN}")

    return fail


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    for name in ("visit-1", "visit-2"):
        canary.dicom_visit(SAMPLE / "patient-2" / name, folder / canary.WORD)
    return folder


@pytest.fixture(scope="module")
def plan(study: Path) -> Plan:
    return find_visits(study)


@pytest.fixture(scope="module")
def _once() -> Iterator[None]:
    """Slow stages are computed once for each visit."""
    with pytest.MonkeyPatch.context() as patch:
        for name in SLOW:
            patch.setattr(workflow, name, _remembering(getattr(workflow, name)))
        yield


def _remembering(stage: Callable[..., Any]) -> Callable[..., Any]:
    kept: dict[int, Any] = {}

    def again(stir: Volume, *args: Any) -> Any:
        key = hash(stir.data.tobytes())
        if key not in kept:
            kept[key] = stage(stir, *args)
        return kept[key]

    return again


def run(study: Path, plan: Plan, out: Path) -> list[str]:
    """Run the study in this process and make its tables; the statuses."""
    settings = Settings()
    out.mkdir(exist_ok=True)
    basis = run_module.basis_of(study, out, settings)
    begin(plan, basis, settings, {})

    def here(work: Callable[[Job], Any], jobs: Any) -> Generator[tuple[int, Any], None, None]:
        yield from ((n, work(job)) for n, job in enumerate(jobs))

    outcome = run_module.run_study(plan, basis, here, told=lambda event: None)
    gather(out)
    return [status.status for status in (*outcome.visits, *outcome.comparisons)]


@pytest.fixture(scope="module")
def done(study: Path, plan: Plan, tmp_path_factory: pytest.TempPathFactory, _once: None) -> Path:
    out = tmp_path_factory.mktemp("done") / "out"
    assert run(study, plan, out) == ["done", "done", "done"]
    return out


def test_a_study_of_canaries_is_scored_and_no_output_has_one(study: Path, done: Path) -> None:
    assert canary.hits(study)
    assert canary.hits(done) == []


def test_no_canary_when_any_stage_fails(study: Path, plan: Plan, done: Path, tmp_path: Path) -> None:
    baseline = Plan(plan.visits[:1])
    for n, (module, name) in enumerate(STAGES):
        out = tmp_path / f"out{n}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, name, singing(OSError if n % 2 else ValueError))
            if name in COMPARING:
                shutil.copytree(done, out)
                next(out.glob("status/*_vs_*")).unlink()
                assert run(study, plan, out) == ["done", "done", "failed"], name
            else:
                assert run(study, baseline, out) == ["failed"], name
    assert canary.hits(tmp_path) == []


@pytest.mark.parametrize("name", ["seen_of", "content_of", "remember_input", "keep"])
def test_no_canary_when_a_task_s_own_files_fail(
    study: Path, plan: Plan, tmp_path: Path, done: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(done, tmp_path / "out")
    for path in (tmp_path / "out" / "status").iterdir():
        path.unlink()
    monkeypatch.setattr(task, name, singing(OSError))
    try:
        run(study, Plan(plan.visits[:1]), tmp_path / "out")
    except OSError:
        assert name == "keep"  # nothing can be written: the run ends, see below for what is said then
    assert canary.hits(tmp_path) == []


@pytest.mark.parametrize("place", ["study.listing.plan_study", "study.run.run_study", "study.report.study_page"])
def test_no_canary_on_the_terminal_when_the_program_itself_fails(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], run: Any
) -> None:
    from mri_sij.cli.app import main  # noqa: PLC0415

    quick_study.write_visit_of(tmp_path / "study", "1", "1")
    monkeypatch.setattr(f"mri_sij.{place}", singing(ValueError))
    monkeypatch.setattr("sys.argv", ["mri-sij", "run", str(tmp_path / "study"), "-o", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capfd.readouterr()
    assert ended.value.code == 1 and "unexpected: ValueError at test_private.py" in told.err
    assert not any(mark in (told.out + told.err).encode() for mark in canary.MARKS)
    assert canary.hits(tmp_path) == []


def test_side_cars_and_nifti_headers(tmp_path: Path) -> None:
    folder = quick_study.write_visit_of(tmp_path / "study", "1", "1")
    canary.nifti_sidecar(next(folder.glob("*.json")))
    assert canary.hits(tmp_path / "study")
    told = CliRunner().invoke(app, ["run", str(tmp_path / "study"), "-o", str(tmp_path / "out")])
    assert json.loads((tmp_path / "out" / "plan.json").read_text())["visits"][0]["patient"] == "1"
    assert not any(mark in told.output.encode() for mark in canary.MARKS)
    assert canary.hits(tmp_path / "out") == []
