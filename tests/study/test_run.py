"""A study from folder to tables: every visit with a row, again without work, the same bytes, nothing of a patient."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pydicom
import pytest
from typer.testing import CliRunner

from mri_sij.cli.app import app
from mri_sij.study.check import differences, junit, record
from mri_sij.study.run import affordable
from mri_sij.study.tables import TABLES

SAMPLE = Path(__file__).parents[2] / "sample_data"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def contents(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "manifest.csv"
    path.write_text("patient,visit,path\n2,1,patient-2/visit-1\n2,2,patient-2/visit-2\n3,1,nowhere\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def done(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    told = CliRunner().invoke(app, ["run", str(SAMPLE), "-o", str(out), "--manifest", str(manifest), "--jobs", "2"])
    assert told.exit_code == 3, told.output
    return out


def test_every_visit_has_a_typed_row(done: Path) -> None:
    found = [(r["kind"], r["patient"], r["visit"], r["status"]) for r in rows(done / "status.csv")]
    assert found == [
        ("visit", "2", "1", "done"),
        ("visit", "2", "2", "done"),
        ("visit", "3", "1", "refused"),
        ("comparison", "2", "2", "done"),
    ]


def test_tables_have_the_columns_that_the_dictionary_names(done: Path) -> None:
    for name, columns in TABLES.items():
        with (done / name).open(encoding="utf-8", newline="") as stream:
            assert next(csv.reader(stream)) == [entry.name for entry in columns]


def test_the_follow_up_of_the_sample_patient_has_regressed(done: Path) -> None:
    (row,) = rows(done / "changes.csv")
    assert row["change_class"] == "regression"


def test_again_does_nothing_and_leaves_the_same_bytes(done: Path, manifest: Path) -> None:
    before = contents(done)
    times = {p: p.stat().st_mtime_ns for p in done.glob("visits/*/visit.json")}
    told = CliRunner().invoke(app, ["run", str(SAMPLE), "-o", str(done), "--manifest", str(manifest)])
    assert told.exit_code == 3
    assert contents(done) == before
    assert {p: p.stat().st_mtime_ns for p in done.glob("visits/*/visit.json")} == times


def test_a_lost_result_is_made_again_with_the_same_bytes(done: Path, manifest: Path) -> None:
    before = contents(done)
    (done / "status" / "sub-2_ses-2.json").unlink()
    CliRunner().invoke(app, ["run", str(SAMPLE), "-o", str(done), "--manifest", str(manifest)])
    assert contents(done) == before


def test_nothing_that_names_a_patient_is_written(done: Path) -> None:
    header = pydicom.dcmread(next(SAMPLE.rglob("*.dcm")), stop_before_pixels=True)
    names = [str(header[k].value) for k in ("PatientName", "PatientID", "StudyInstanceUID", "SeriesInstanceUID")]
    everything = b"".join(contents(done).values())
    for name in names:
        assert name and name.encode() not in everything


def test_dry_run_says_what_is_there_already(done: Path, manifest: Path) -> None:
    told = CliRunner().invoke(app, ["run", str(SAMPLE), "-o", str(done), "--manifest", str(manifest), "--dry-run"])
    assert "sub-2_ses-1: done before" in told.output


def test_check_tells_what_moved(done: Path) -> None:
    visits = [
        {**r, "sparcc_total": int(r["sparcc_total"]) if r["sparcc_total"] else None} for r in rows(done / "visits.csv")
    ]
    found = record(visits, rows(done / "changes.csv"), done)
    assert not any(differences(found, found, 0).values())
    moved = json.loads(json.dumps(found))
    moved["visits"]["sub-2_ses-1"]["sparcc_total"] += 3
    moved["visits"]["sub-2_ses-1"]["positive"].pop()
    told = differences(moved, found, 0)["sub-2_ses-1"]
    assert any("SPARCC" in line for line in told) and any(line.startswith("+ slice") for line in told)
    assert 'failures="1"' in junit(differences(moved, found, 0))


def test_an_out_of_a_newer_version_is_not_touched(done: Path, tmp_path: Path) -> None:
    (tmp_path / "provenance.json").write_text('{"version": "99.0.0"}', encoding="utf-8")
    told = CliRunner().invoke(app, ["run", str(SAMPLE), "-o", str(tmp_path)])
    assert told.exit_code != 0 and "99.0.0" in str(told.exception)


def test_memory_bounds_the_workers() -> None:
    assert affordable(4, 1e9) == 1
    assert affordable(3, 1e-6) == 3
