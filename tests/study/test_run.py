"""How a study is run: every visit with a typed status whatever befalls it, again without work, the same bytes."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import quick_study
from quick_study import Run
from typer.testing import CliRunner

from mri_sij import __version__
from mri_sij.cli.app import app
from mri_sij.config import Settings
from mri_sij.errors import RefusedError, UsageError
from mri_sij.study import clinical as clinical_module
from mri_sij.study import files, report
from mri_sij.study import run as run_module
from mri_sij.study.columns import TABLES
from mri_sij.study.files import OutputError
from mri_sij.study.plan import Plan, PlannedVisit, read_plan
from mri_sij.study.report import begin, gather, next_time
from mri_sij.study.run import Event, require_room, workers_for
from mri_sij.whole import write_whole


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return quick_study.write_study(tmp_path / "study", patients=3)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_fate_has_its_row(tmp_path: Path, run: Run) -> None:
    fates = ("", "crash", "hang", "refuse", "raise", "unseen")
    for n, fate in enumerate(fates):
        quick_study.write_visit_of(tmp_path / "study", f"{n}", "1", fate, seed=n)
    quick_study.write_visit_of(tmp_path / "study", "1", "2", seed=99)
    settings = Settings.model_validate({"study": {"visit_limit_s": 6.0}})
    run(tmp_path / "study", tmp_path / "out", workers=2, settings=settings)
    found = gather(tmp_path / "out")
    listed = [row for row in rows(tmp_path / "out" / "status.csv") if row["kind"] != "note"]
    assert [(r["kind"], r["patient"], r["visit"], r["status"], r["code"]) for r in listed] == [
        ("visit", "0", "1", "done", ""),
        ("visit", "1", "1", "failed", "crashed"),
        ("visit", "1", "2", "done", ""),
        ("visit", "2", "1", "failed", "timed_out"),
        ("visit", "3", "1", "refused", "refused"),
        ("visit", "4", "1", "failed", "unexpected"),
        ("visit", "5", "1", "not_scorable", "quality"),
        ("comparison", "1", "2", "not_scorable", "visit_without_score"),
    ]
    assert [row["status"] for row in found.visits].count("done") == 2
    everything = b"".join(quick_study.outputs(tmp_path / "out").values())
    assert quick_study.CANARY.encode() not in everything
    assert b"An unexpected ValueError at quick_study.py:" in everything


def test_tables_have_the_columns_that_the_dictionary_names(study: Path, tmp_path: Path, run: Run) -> None:
    run(study, tmp_path / "out")
    gather(tmp_path / "out")
    for name, columns in TABLES.items():
        with (tmp_path / "out" / name).open(encoding="utf-8", newline="") as stream:
            assert next(csv.reader(stream)) == [entry.name for entry in columns]
    assert len(rows(tmp_path / "out" / "visits.csv")) == 6
    assert len(rows(tmp_path / "out" / "quadrants.csv")) == 6 * 48
    assert {row["sparcc_total"] for row in rows(tmp_path / "out" / "visits.csv")} == {"8"}
    assert {row["change_class"] for row in rows(tmp_path / "out" / "changes.csv")} == {"regression"}
    assert list((tmp_path / "out").glob("sub-0001/ses-1/anat/*_dseg.*"))


def test_again_does_nothing_and_says_so(study: Path, tmp_path: Path, run: Run) -> None:
    first, second = [], []
    run(study, tmp_path / "out", heard=first)
    before = quick_study.outputs(tmp_path / "out")
    assert run(study, tmp_path / "out", heard=second).fresh == 0
    assert [event.why for event in first] == ["not done yet"] * 9
    assert [event.why for event in second] == [""] * 9
    assert quick_study.outputs(tmp_path / "out") == before


def why_of(run: Run, study: Path, out: Path, **more: Any) -> dict[str, str]:
    heard: list[Event] = []
    run(study, out, heard=heard, **more)
    return {event.status.key: event.why for event in heard if event.why}


def test_only_what_changed_is_done_again_with_its_reason(study: Path, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "out"
    run(study, out)
    sidecar = next((study / "sub-0002" / "ses-1").rglob("*.json"))
    sidecar.write_text(sidecar.read_text().replace("0.15", "0.16"))
    assert why_of(run, study, out) == {
        "sub-0002_ses-1": "another input",
        "sub-0002_ses-1_vs_ses-2": "another input",
    }
    (out / "visits" / "sub-0003_ses-1" / "form.csv").unlink()
    assert why_of(run, study, out) == {"sub-0003_ses-1": "files are missing"}
    settings = Settings.model_validate({"scoring": {"asas_2009_slices": 3}})
    assert set(why_of(run, study, out, settings=settings).values()) == {"other settings"}
    assert len(why_of(run, study, out)) == 9


def test_how_a_study_is_run_changes_no_result(study: Path, tmp_path: Path, run: Run) -> None:
    run(study, tmp_path / "out")
    settings = Settings.model_validate({"study": {"visit_limit_s": 9.0}})
    assert why_of(run, study, tmp_path / "out", settings=settings) == {}


def test_a_touched_file_is_read_but_not_scored_again(study: Path, tmp_path: Path, run: Run) -> None:
    run(study, tmp_path / "out")
    for path in study.rglob("*.nii.gz"):
        os.utime(path, (1, 1))
    assert why_of(run, study, tmp_path / "out") == {}


def test_without_its_memory_of_files_a_run_scores_nothing_again(study: Path, tmp_path: Path, run: Run) -> None:
    run(study, tmp_path / "out")
    for path in (tmp_path / "out" / ".state").iterdir():
        path.unlink()
    assert why_of(run, study, tmp_path / "out") == {}


def test_another_version_or_other_models_are_a_reason(study: Path, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "out"
    run(study, out)
    for key, name, value in (("sub-0001_ses-1", "version", "0.0.1"), ("sub-0001_ses-2", "model_sha256", "ab")):
        path = out / "status" / f"{key}.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    assert why_of(run, study, out) == {"sub-0001_ses-1": "made by version 0.0.1", "sub-0001_ses-2": "other models"}


def test_other_masks_in_the_folder_of_a_segmenter_are_other_models(tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    (masks / "1").mkdir(parents=True)
    (masks / "1" / "sacrum.nii.gz").write_bytes(b"a")
    settings = Settings.model_validate({"anatomy": {"segmenter": f"masks:{masks}"}})
    found = [run_module.basis_of(tmp_path, tmp_path, settings).model_sha256]
    (masks / "1" / "sacrum.nii.gz").write_bytes(b"b")
    found.append(run_module.basis_of(tmp_path, tmp_path, settings).model_sha256)
    (masks / "1" / "sacrum.nii.gz").rename(masks / "1" / "hip.nii.gz")
    found.append(run_module.basis_of(tmp_path, tmp_path, settings).model_sha256)
    assert len(set(found)) == 3
    masks.rename(tmp_path / "moved")
    assert (
        found[2]
        == run_module.basis_of(
            tmp_path, tmp_path, Settings.model_validate({"anatomy": {"segmenter": f"masks:{tmp_path / 'moved'}"}})
        ).model_sha256
    )


def test_a_visit_that_is_refused_now_leaves_no_older_score_behind(study: Path, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "out"
    run(study, out)
    sidecar = next((study / "sub-0002" / "ses-1").rglob("*.json"))
    sidecar.write_text(json.dumps({"Fate": "refuse"}))
    run(study, out)
    gather(out)
    assert not (out / "visits" / "sub-0002_ses-1").exists()
    assert not list((out / "sub-0002" / "ses-1").rglob("*.nii.gz"))
    assert not (out / "comparisons" / "sub-0002_ses-1_vs_ses-2").exists()
    assert [r["sparcc_total"] for r in rows(out / "visits.csv") if r["patient"] == "0002"] == ["", "8"]


def test_files_of_a_reader_stay_whatever_becomes_of_the_visit(study: Path, tmp_path: Path, run: Run) -> None:
    visit, pair = (tmp_path / "out" / name for name in ("visits/sub-0002_ses-1", "comparisons/sub-0002_ses-1_vs_ses-2"))
    run(study, tmp_path / "out")
    for folder in (visit, pair):
        (folder / "notes.txt").write_text("seen on Monday")
    settings = Settings.model_validate({"scoring": {"asas_2009_slices": 3}})
    outcome = run(study, tmp_path / "out", settings=settings)
    assert [status.status for status in outcome.visits].count("failed") == 1
    for folder in (visit, pair):
        assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    (visit / "notes.txt").unlink()
    (pair / "notes.txt").unlink()
    outcome = run(study, tmp_path / "out", settings=settings)
    assert {status.status for status in (*outcome.visits, *outcome.comparisons)} == {"done"}


def test_same_bytes_with_one_and_two_workers_and_with_shards(study: Path, tmp_path: Path, run: Run) -> None:
    run(study, tmp_path / "one")
    gather(tmp_path / "one")
    run(study, tmp_path / "two", workers=2)
    gather(tmp_path / "two")
    for number in (3, 1):
        run(study, tmp_path / "parts", shard=(number, 3))
    told = gather(tmp_path / "parts")
    assert [row["code"] for row in told.visits] == ["", "", "not_run", "not_run", "", ""]
    assert [row["next_time"] for row in next_time(tmp_path / "parts")].count("not done yet") == 3
    run(study, tmp_path / "parts", shard=(2, 3))
    gather(tmp_path / "parts")
    one = quick_study.outputs(tmp_path / "one")
    assert one == quick_study.outputs(tmp_path / "two") == quick_study.outputs(tmp_path / "parts")


def codes(out: Path) -> dict[str, str]:
    return {f"{row['patient']}-{row['visit']}": row["code"] for row in gather(out).visits}


def test_gather_gives_no_visit_the_score_of_another_that_had_its_label(study: Path, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "out"
    run(study, out)
    shutil.rmtree(study / "sub-0001")
    for path in sorted(study.rglob("*0002*"), reverse=True):  # the numbers of a study move on when a patient leaves it
        path.rename(path.with_name(path.name.replace("0002", "0001")))
    run(study, out, shard=(2, 2))
    assert codes(out) == {"0001-1": "out_of_date", "0001-2": "out_of_date", "0003-1": "", "0003-2": ""}
    assert {row["status"] for row in gather(out).changes} == {"failed", "done"}
    assert [row["sparcc_total"] for row in rows(out / "visits.csv")] == ["", "", "8", "8"]
    assert {row["patient"] for row in rows(out / "quadrants.csv")} == {"0003"}
    assert "another input" in rows(out / "status.csv")[0]["message"]
    run(study, out, shard=(1, 2))
    assert set(codes(out).values()) == {""}


def test_results_of_a_visit_that_left_the_study_are_told(study: Path, tmp_path: Path, run: Run) -> None:
    run(study, tmp_path / "out")
    told = "in no table: sub-0003_ses-1, sub-0003_ses-1_vs_ses-2, sub-0003_ses-2."
    assert "in no table" not in str(gather(tmp_path / "out").notes)
    shutil.rmtree(study / "sub-0003")
    run(study, tmp_path / "out")
    assert told in str(gather(tmp_path / "out").notes)


def plan_of(*images: str) -> Plan:
    """Numbered visits of one patient each."""
    return Plan(
        tuple(
            PlannedVisit(f"{n:03d}", "01", None, True, numbered=True, files_sha256=image)
            for n, image in enumerate(images, start=1)
        )
    )


def test_numbers_that_mean_other_visits_now_take_no_clinical_data(tmp_path: Path) -> None:
    basis, settings = run_module.basis_of(tmp_path, tmp_path / "out", Settings()), Settings()
    clinical = {("001", "01"): clinical_module.Clinical()}
    begin(plan_of("a", "b", "c"), basis, settings, clinical)
    begin(plan_of("a", "b", "new"), basis, settings, clinical)  # a scan was replaced by a better one: whose is clear
    for _ in range(2):
        with pytest.raises(UsageError, match=r"sub-001_ses-01.* another patient"):
            begin(plan_of("b", "new"), basis, settings, clinical)
    for _ in range(2):
        begin(plan_of("b", "new"), basis, settings, {})
        assert [note.code for note in read_plan(tmp_path / "out")[0].notes] == ["renumbered"]
    with pytest.raises(UsageError, match="another patient"):
        begin(plan_of("b", "new"), basis, settings, clinical)
    manifest = Plan(tuple(replace(visit, numbered=False) for visit in plan_of("new", "b").visits))
    begin(manifest, basis, settings, clinical)


def test_gather_mixes_no_settings(study: Path, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "out"
    run(study, out)
    run(study, out, shard=(1, 3), settings=Settings.model_validate({"scoring": {"asas_2009_slices": 3}}))
    assert list(codes(out).values()) == ["", "", *["out_of_date"] * 4]
    why = "other settings"
    assert [row["next_time"] for row in next_time(out)] == ["", "", why, why, why, why, "", why, why]


@pytest.mark.parametrize("name", ["visits/sub-0001_ses-1/visit.json", "visits/sub-0001_ses-1/quadrants.csv"])
def test_a_damaged_result_is_not_gathered_and_made_again(study: Path, tmp_path: Path, run: Run, name: str) -> None:
    out = tmp_path / "out"
    run(study, out)
    (out / name).write_text("")
    assert codes(out)["0001-1"] == "out_of_date"
    assert next_time(out)[0]["next_time"] == "files were changed"
    assert why_of(run, study, out) == {"sub-0001_ses-1": "files were changed"}


def test_a_form_that_its_reader_filled_in_stays(study: Path, tmp_path: Path, run: Run) -> None:
    run(study, tmp_path / "out")
    form = tmp_path / "out" / "visits" / "sub-0001_ses-1" / "form.csv"
    form.write_text("a reader's")
    assert why_of(run, study, tmp_path / "out") == {}
    assert form.read_text() == "a reader's"


def test_a_moved_study_and_out_go_on(study: Path, tmp_path: Path, run: Run) -> None:
    run(study, tmp_path / "out")
    study.rename(tmp_path / "elsewhere")
    (tmp_path / "out").rename(tmp_path / "there")
    assert why_of(run, tmp_path / "elsewhere", tmp_path / "there") == {}


def test_a_full_disk_ends_the_run_with_what_is_done(
    study: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, out = write_whole, tmp_path / "out"

    def full(path: Path, *args: Any, **more: Any) -> None:
        if path.parent.name == "status" and len(list(path.parent.glob("*.json"))) >= 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, *args, **more)

    def here(function: Any, tasks: Any) -> Any:
        return ((n, function(task)) for n, task in enumerate(tasks))

    monkeypatch.setattr("mri_sij.study.task.write_whole", full)
    with pytest.raises(OutputError, match=r"No space left on device\. 2 of 9 results are there"):
        run(study, out, executor=here)
    monkeypatch.undo()


def test_an_out_that_cannot_be_written_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*args: Any, **more: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(files.tempfile, "TemporaryFile", read_only)
    (tmp_path / "study").mkdir()
    with pytest.raises(OutputError, match="Read-only"):
        require_room(tmp_path / "study", tmp_path / "out")


def test_out_inside_the_study_or_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="inside"):
        require_room(tmp_path, tmp_path / "out")
    (tmp_path / "study").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        require_room(tmp_path / "study", tmp_path / "file")


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_a_folder_that_is_no_study_of_ours_is_not_touched(study: Path, tmp_path: Path, dry: list[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in ("clinical.csv", "plan.json", "index.html"):
        (out / name).write_text('{"mine": 1}')
    told = CliRunner().invoke(app, ["run", str(study), "-o", str(out), *dry])
    assert isinstance(told.exception, UsageError) and "not empty (entries: 3)" in str(told.exception)
    assert quick_study.outputs(out) == dict.fromkeys(("clinical.csv", "index.html", "plan.json"), b'{"mine": 1}')


def test_an_out_is_ours_from_the_first_moment_and_without_hidden_files(study: Path, tmp_path: Path, run: Run) -> None:
    require_room(study, tmp_path / "killed")
    (tmp_path / "killed" / "dataset_description.json").touch()
    require_room(study, tmp_path / "killed")
    run(study, tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / ".state")
    require_room(study, tmp_path / "out")


def test_an_out_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"version": "99.0.0"}', encoding="utf-8")
    with pytest.raises(UsageError, match=rf"99\.0\.0, this is {__version__}"):
        report.require_same_or_older(tmp_path)


def test_memory_bounds_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "free_memory_gb", lambda: 5.0)
    assert workers_for(4, 2.0) == 2
    assert workers_for(1, 2.0) == 1
    with pytest.raises(RefusedError, match=r"5\.0 GB"):
        workers_for(4, 6.0)


def test_nothing_in_out_blocks_a_run(study: Path, tmp_path: Path, run: Run) -> None:
    run(study, tmp_path / "clean")
    out = tmp_path / "out"
    for folder in ("visits", "status", "comparisons", ".state"):
        (out / folder).mkdir(parents=True)
        key = "sub-0001_ses-1_vs_ses-2" if folder == "comparisons" else "sub-0001_ses-1"
        (out / folder / f".{key}-abcdefgh").mkdir()
        (out / folder / f".{key}.json-abcdefgh").write_text("half")
    (out / "status" / "sub-0001_ses-1.json").write_text("half")
    (out / ".state" / "plan.json").write_text("{}")
    (out / "visits" / "sub-0001_ses-2").mkdir()
    (out / "visits" / "sub-0001_ses-2" / "visit.json").write_text("half")
    run(study, out)
    for folder in (tmp_path / "clean", out):
        gather(folder)
    assert quick_study.outputs(out) == quick_study.outputs(tmp_path / "clean")
