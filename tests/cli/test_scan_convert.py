"""`scan`, `convert` and `doctor` as a user calls them: exit status, streams, files."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "ingest"))

import awkward as a
from awkward_cases import CASES
from judge import is_same

from mri_sij.cli.app import main


@dataclass
class Done:
    """How a command ended and what it printed."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run the command line within this process, its exit included."""

    def run(*args: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["mri-sij", *args])
        monkeypatch.setenv("NO_COLOR", "1")
        capsys.readouterr()
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        printed = capsys.readouterr()
        return Done(status, printed.out, printed.err)

    return run


def _make(name: str, folder: Path) -> list[a.Truth]:
    folder.mkdir()
    return next(case for case in CASES if case.name == name).make(folder).truths


def test_scan_names_problems_first(tmp_path: Path, call: Callable[..., Done]) -> None:
    _make("dynamic_series_with_a_hole", tmp_path / "in")
    done = call("scan", str(tmp_path / "in"))
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "1 problem:"
    assert "missing_slices" in done.stdout.splitlines()[1]
    report = json.loads(call("scan", str(tmp_path / "in"), "--json").stdout)
    assert report["problems"][0]["code"] == "missing_slices"
    assert [volume["refused"] for volume in report["patients"][0]["visits"][0]["series"][0]["volumes"]] == [
        None, "missing_slices", None,
    ]  # fmt: skip


def test_packed_files_are_told_from_documents_and_all_are_listed(tmp_path: Path, call: Callable[..., Done]) -> None:
    _make("plain", tmp_path / "series")
    folder = tmp_path / "packed"
    folder.mkdir()
    image = next((tmp_path / "series").iterdir())
    (folder / "IM1.dcm.gz").write_bytes(gzip.compress(image.read_bytes()))
    for name, pack in (("a.zip", "zip"), ("b.tar.gz", "gztar")):
        shutil.move(shutil.make_archive(str(tmp_path / "x"), pack, tmp_path / "series"), folder / name)
    shutil.copy(folder / "a.zip", folder / "clinical.xlsx")
    (folder / "events.tsv.gz").write_bytes(gzip.compress(b"onset"))
    done = call("scan", str(folder))
    assert done.returncode == 4
    assert done.stdout.splitlines()[0] == "3 problems:"
    assert done.stdout.count("archive: The file is packed; nothing in it was read. Unpack it.") == 3
    assert done.stdout.splitlines()[-2:] == [
        "  clinical.xlsx: No image of a known format.", "  events.tsv.gz: No image of a known format.",
    ]  # fmt: skip
    for verb in ("convert", "score"):
        out = ["-o", str(tmp_path / "out")] if verb == "score" else [str(tmp_path / "x.nii")]
        done = call(verb, str(folder), *out)
        assert done.returncode == 4
        assert "IM1.dcm.gz: The file is packed; nothing in it was read. Hint: Unpack it." in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "ascii"])
def test_scan_prints_any_name_in_any_encoding(encoding: str, tmp_path: Path) -> None:
    _make("plain", tmp_path / "骶髂 é 😀")
    for option in ([], ["--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "mri_sij.cli", "scan", str(tmp_path), *option],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
    (patient,) = json.loads(done.stdout)["patients"]
    assert patient["visits"][0]["series"][0]["place"] == "骶髂 é 😀"


def test_scan_of_nothing_usable_ends_with_4(tmp_path: Path, call: Callable[..., Done]) -> None:
    (tmp_path / "x.dcm").write_bytes(b"no")
    done = call("scan", str(tmp_path))
    assert done.returncode == 4
    assert "damaged_header" in done.stdout
    assert call("scan", str(tmp_path / "absent")).returncode == 4
    assert call("scan").returncode == 2


def test_convert_writes_the_volume_that_is_asked_for(tmp_path: Path, call: Callable[..., Done]) -> None:
    truths = _make("dynamic_series", tmp_path / "in")
    listed = call("convert", str(tmp_path / "in"), str(tmp_path / "x.nii.gz"))
    assert listed.returncode == 2
    assert "3 volumes" in listed.stderr
    out = tmp_path / "x.nii.gz"
    assert call("convert", str(tmp_path / "in"), str(out), "--volume", "2").returncode == 0
    image = nib.load(out)
    assert is_same((np.asarray(image.dataobj), image.affine), truths[1])  # type: ignore[attr-defined]
    first = out.read_bytes()
    assert call("convert", str(tmp_path / "in"), str(out), "--volume", "2").returncode == 0
    assert out.read_bytes() == first


@pytest.mark.parametrize("name", ["missing_middle_slice", "gantry_like_shear", "one_truncated_file"])
def test_convert_refuses_with_4_and_leaves_nothing(name: str, tmp_path: Path, call: Callable[..., Done]) -> None:
    _make(name, tmp_path / "in")
    (tmp_path / "out").mkdir()
    done = call("convert", str(tmp_path / "in"), str(tmp_path / "out" / "x.nii.gz"))
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_convert_refuses_wrong_use(tmp_path: Path, call: Callable[..., Done]) -> None:
    _make("plain", tmp_path / "in")
    assert call("convert", str(tmp_path / "in"), str(tmp_path / "x.txt")).returncode == 2
    assert call("convert", str(tmp_path / "in"), str(tmp_path / "no" / "x.nii")).returncode == 2
    assert call("convert", str(tmp_path / "in"), str(tmp_path / "x.nii"), "--series", "7").returncode == 2
    assert call("convert", str(tmp_path / "in"), str(tmp_path / "x.nii"), "--volume", "7").returncode == 2


def test_convert_does_not_overwrite_what_it_reads(tmp_path: Path, call: Callable[..., Done]) -> None:
    series = tmp_path / "x.nii.gz"
    nib.save(nib.Nifti1Image(np.ones((6, 5, 4, 2), np.int16), np.eye(4)), series)
    before = series.read_bytes()
    (tmp_path / "link.nii.gz").symlink_to(series)
    for out in (series, tmp_path / "link.nii.gz"):
        done = call("convert", str(series), str(out), "--volume", "1")
        assert done.returncode == 2
        assert "the series itself" in done.stderr
    assert series.read_bytes() == before


def test_doctor(call: Callable[..., Done]) -> None:
    report = json.loads(call("doctor", "--json").stdout)
    assert all(report["codecs"].values())
    assert report["packages"]["pydicom"]
