"""A study from real files to tables, nothing stood in for: what is wrong with a visit costs that visit alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pydicom
from pydicom.uid import generate_uid
from typer.testing import CliRunner

from mri_sij.cli.app import app

SAMPLE = Path(__file__).parents[2] / "sample_data" / "patient-1" / "visit-1"


def visit(folder: Path, *series: str) -> Path:
    """A person of its own with these series of the sample's first visit."""
    study = generate_uid(entropy_srcs=[folder.name])
    for n, name in enumerate(series, start=1):
        target = folder / f"{n}"
        target.mkdir(parents=True)
        for path in sorted((SAMPLE / name).iterdir()):
            ds = pydicom.dcmread(path)
            ds.PatientID, ds.StudyInstanceUID, ds.SeriesNumber = folder.name, study, n
            ds.SeriesInstanceUID = generate_uid(entropy_srcs=[folder.name, str(n)])
            ds.SOPInstanceUID = generate_uid(entropy_srcs=[folder.name, str(n), path.name])
            ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
            ds.save_as(target / path.name)
    return folder


def test_every_visit_has_its_row(tmp_path: Path) -> None:
    study, out = tmp_path / "study", tmp_path / "out"
    visit(study / "1-good", "stir", "t1")
    visit(study / "2-no-stir", "t1")
    visit(study / "3-two-stirs", "stir", "t1", "stir")
    hole = visit(study / "4-a-slice-missing", "stir", "t1")
    (hole / "1" / "0009.dcm").unlink()
    done = CliRunner().invoke(app, ["run", str(study), "-o", str(out), "--jobs", "2"])
    with (out / "status.csv").open(encoding="utf-8", newline="") as stream:
        status = {row["patient"]: row for row in csv.DictReader(stream) if row["kind"] == "visit"}
    assert done.exit_code == 3
    assert {name: (row["status"], row["code"]) for name, row in status.items()} == {
        "001": ("done", ""), "002": ("refused", "no_stir"), "003": ("done", ""), "004": ("refused", "no_stir"),
    }  # fmt: skip
    assert "1 of 18 slices is missing" in status["004"]["message"]
    named = [path.name for path in out.rglob("*") if path.is_file() and b"a-slice-missing" in path.read_bytes()]
    assert named == [], "folders are often named after people"
    one, two = (json.loads((out / "visits" / f"sub-{n}_ses-01" / "visit.json").read_text()) for n in ("001", "003"))
    assert one["cautions"] == [] and [caution["code"] for caution in two["cautions"]] == ["equally_good"]
    assert one["sparcc"] == two["sparcc"]
