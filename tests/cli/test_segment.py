from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mri_sij.cli.app import app
from mri_sij.geometry import AxisOrder
from mri_sij.ingest.nifti import read_volume, write_nifti
from mri_sij.volume import LabelMap, Volume

sys.path.insert(0, str(Path(__file__).parent.parent / "anatomy"))
import pelvis

FILES = {"anatomy.nii.gz", "joint.json", "quality.json", "anatomy.png"}
ORDER = AxisOrder((2, 0, 1), (True, False, True))


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, LabelMap]:
    """A STIR stored slices first and from behind, with masks of its bones beside it in another folder."""
    folder = tmp_path_factory.mktemp("visit")
    labels = pelvis.labels(pelvis.grid(30, (150, 110, 18), 1.3))
    (folder / "scan").mkdir()
    whole = Volume(np.rint(pelvis.stir(labels).data).astype(np.int16), labels.grid)
    write_nifti(whole.reordered(ORDER), folder / "scan" / "stir.nii.gz")
    write_nifti(labels, folder / "masks.nii.gz")
    return folder / "scan", folder / "masks.nii.gz", labels


def _run(*words: str) -> str:
    done = CliRunner().invoke(app, ["segment", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_segment_writes_bones_on_the_stir_s_own_grid(visit: tuple[Path, Path, LabelMap], tmp_path: Path) -> None:
    scan, masks, labels = visit
    out = tmp_path / "out"
    told = _run(str(scan), "-o", str(out), "--segmenter", f"masks:{masks}")
    assert "Slices to score" in told
    assert {file.name for file in out.iterdir()} == FILES
    written, stored = read_volume(out / "anatomy.nii.gz"), read_volume(scan / "stir.nii.gz")
    assert written.grid.same_as(stored.grid)
    assert (written.data == labels.reordered(ORDER).data).all()
    quality = json.loads((out / "quality.json").read_text())
    assert quality["status"] == "scorable"
    assert len(quality["slices"]["numbers"]) == 6
    assert all(check["passed"] for check in quality["checks"])
    joints = json.loads((out / "joint.json").read_text())
    for side, sign in (("left", -1), ("right", 1)):
        for there in joints["joints"][side]:
            voxel, world = (np.array(there[f"midline_{name}"]) for name in ("voxel", "world_mm"))
            assert np.abs(stored.grid.world(voxel) - world).max() < 0.1
            assert (voxel[:, joints["slice_axis"]] == there["slice"]).all()
            assert (world[:, 0] * sign > 0).all()
    assert Image.open(out / "anatomy.png").width > 500


def test_segment_writes_the_same_bytes_twice(visit: tuple[Path, Path, LabelMap], tmp_path: Path) -> None:
    scan, masks, _ = visit
    for name in ("one", "two", "two"):
        _run(str(scan), "-o", str(tmp_path / name), "--segmenter", f"masks:{masks}")
    for file in FILES:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_what_is_no_sacroiliac_joint_is_told_with_reasons(visit: tuple[Path, Path, LabelMap], tmp_path: Path) -> None:
    _, _, labels = visit
    noise = np.random.default_rng(1).rayleigh(100, labels.grid.shape).astype(np.int16)
    (tmp_path / "scan").mkdir()
    write_nifti(Volume(noise, labels.grid), tmp_path / "scan" / "stir.nii.gz")
    told = _run(str(tmp_path / "scan"), "-o", str(tmp_path / "out"))
    assert "Not scorable" in told
    quality = json.loads((tmp_path / "out" / "quality.json").read_text())
    assert quality["status"] == "not_scorable"
    assert quality["reasons"]
    assert quality["slices"] is None
    assert {file.name for file in (tmp_path / "out").iterdir()} == FILES
