from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pelvis
import pytest
from people import scanned

from mri_sij.anatomy.backends import BACKENDS, SegmenterError, segment_visit
from mri_sij.anatomy.labels import LEFT_ILIUM, NAMES, RIGHT_ILIUM, SACRUM
from mri_sij.config import AnatomySettings
from mri_sij.errors import UsageError
from mri_sij.geometry import AxisOrder, Grid
from mri_sij.ingest.nifti import write_nifti
from mri_sij.network.maps import Maps
from mri_sij.volume import LabelMap, Volume

TRUE = pelvis.labels(pelvis.grid(30))
STIR = pelvis.stir(TRUE)


def _maps() -> Maps:
    bone = [(TRUE.data == n).astype(np.float32) for n in (0, SACRUM)]
    ilium, none = (TRUE.data > SACRUM).astype(np.float32), np.zeros(TRUE.grid.shape, np.float32)
    return Maps(TRUE.grid, bone[0], bone[1], ilium, none, none, none, 1.0, "ab" * 32)


def _segmented(segmenter: str, **more: object) -> np.ndarray:
    settings = AnatomySettings(segmenter=segmenter, **more)  # type: ignore[arg-type]
    return segment_visit(STIR, None, _maps(), settings).labels.data


def _write(path: Path, numbers: tuple[int, int, int], on: AxisOrder | None = None) -> None:
    data = np.array([0, *numbers], np.uint8)[TRUE.data]
    labels = LabelMap(data, TRUE.grid, {n: str(n) for n in numbers})
    write_nifti(labels if on is None else labels.reordered(on), path)


def test_builtin_takes_the_most_probable_bone_and_the_affine_s_sides() -> None:
    found = _segmented("builtin")
    assert (found == TRUE.data).mean() > 0.995
    assert not ((found == LEFT_ILIUM) & (TRUE.data == RIGHT_ILIUM)).any()


def test_masks_of_any_axis_order_and_numbers_come_back_voxel_for_voxel(tmp_path: Path) -> None:
    path = tmp_path / "masks.nii.gz"
    _write(path, (7, 9, 8), AxisOrder((2, 0, 1), (True, False, True)))
    numbers = {"sacrum": [7], "left_ilium": [9], "right_ilium": [8]}
    assert (_segmented(f"masks:{path}", mask_labels=numbers) == TRUE.data).all()


def test_masks_with_the_shape_of_a_pelvis_are_fitted_and_others_taken_as_they_are(tmp_path: Path) -> None:
    person = scanned(1, -35.0)
    boxes = np.zeros_like(person.data)
    boxes[40:70, 40:70, 4:18], boxes[75:100, 40:70, 4:18], boxes[10:35, 40:70, 4:18] = SACRUM, LEFT_ILIUM, RIGHT_ILIUM
    for labels, fitted in ((person, True), (LabelMap(boxes, person.grid, NAMES), False)):
        write_nifti(labels, tmp_path / "masks.nii.gz")
        settings = AnatomySettings(segmenter=f"masks:{tmp_path / 'masks.nii.gz'}")
        found = segment_visit(pelvis.stir(labels), None, _maps(), settings)
        assert found.labels.data.any()
        assert (found.shape is not None) == fitted


def test_cartilage_is_taken_from_masks_that_mark_it_and_left_to_be_found_otherwise(tmp_path: Path) -> None:
    path, numbers = tmp_path / "masks.nii.gz", {"sacrum": [1], "left_ilium": [2], "right_ilium": [3], "cartilage": [4]}
    _write(path, (1, 2, 3))
    settings = AnatomySettings(segmenter=f"masks:{path}", mask_labels=numbers)
    assert segment_visit(STIR, None, _maps(), settings).cartilage is None
    marked = TRUE.data.copy()
    marked[(marked == 0) & (np.arange(marked.shape[2]) < 9)] = 4
    write_nifti(LabelMap(marked, TRUE.grid, {**NAMES, 4: "cartilage"}), path)
    found = segment_visit(STIR, None, _maps(), settings)
    assert (found.labels.data == TRUE.data).all()
    assert found.cartilage is not None
    assert (found.cartilage == (marked == 4)).all()
    assert segment_visit(STIR, None, _maps(), AnatomySettings(segmenter=f"masks:{path}")).cartilage is None


def test_a_name_that_mask_labels_does_not_know_is_an_error(tmp_path: Path) -> None:
    _write(tmp_path / "masks.nii.gz", (1, 2, 3))
    numbers = {"sacrum": [1], "left_ilium": [2], "right_ilium": [3], "cartilege": [4]}
    with pytest.raises(UsageError, match="does not know cartilege"):
        _segmented(f"masks:{tmp_path / 'masks.nii.gz'}", mask_labels=numbers)


def test_sides_come_from_the_affine_where_the_masks_swap_them(tmp_path: Path) -> None:
    path = tmp_path / "masks.nii.gz"
    _write(path, (SACRUM, RIGHT_ILIUM, LEFT_ILIUM))
    assert (_segmented(f"masks:{path}") == TRUE.data).all()


def test_finished_output_of_other_segmenters_is_read(tmp_path: Path) -> None:
    _write(tmp_path / "mr_seg.nii.gz", (26, 27, 28))
    _write(tmp_path / "total.nii.gz", (18, 38, 39))
    assert (_segmented(f"mrsegmentator:{tmp_path / 'mr_seg.nii.gz'}") == TRUE.data).all()
    assert (_segmented(f"totalsegmentator:{tmp_path / 'total.nii.gz'}") == TRUE.data).all()
    folder = tmp_path / "total"
    folder.mkdir()
    for name, label in (("sacrum", 1), ("hip_left", 2), ("hip_right", 3)):
        one = LabelMap((TRUE.data == label).astype(np.uint8), TRUE.grid, {1: name})
        write_nifti(one, folder / f"{name}.nii.gz")
    assert (_segmented(f"totalsegmentator:{folder}") == TRUE.data).all()
    (folder / "sacrum.nii.gz").unlink()
    with pytest.raises(SegmenterError, match="sacrum"):
        _segmented(f"totalsegmentator:{folder}")


def test_a_segmenter_of_the_user_s_environment_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path / "answer.nii.gz", (26, 27, 28))
    program = tmp_path / "mrsegmentator"
    program.write_text(
        f"#!{sys.executable}\nimport os, shutil, sys\n"
        f"os.makedirs(sys.argv[4], exist_ok=True)\n"
        f"shutil.copy({str(tmp_path / 'answer.nii.gz')!r}, sys.argv[4] + '/stir_seg.nii.gz')\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert (_segmented("mrsegmentator") == TRUE.data).all()
    program.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(SegmenterError, match="status 3"):
        _segmented("mrsegmentator")


def test_a_segmenter_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SegmenterError, match="TotalSegmentator is not installed"):
        _segmented("totalsegmentator")


def test_masks_of_another_place_are_refused(tmp_path: Path) -> None:
    far = np.array(TRUE.grid.affine)
    far[:3, 3] += 500
    write_nifti(LabelMap(TRUE.data, Grid(TRUE.grid.shape, far), TRUE.names), tmp_path / "far.nii.gz")
    with pytest.raises(SegmenterError, match="0%"):
        _segmented(f"masks:{tmp_path / 'far.nii.gz'}")


@pytest.mark.parametrize("segmenter", ["nobody", "masks", "masks:/nowhere/at/all.nii.gz", "builtin:x"])
def test_what_cannot_be_meant_is_a_usage_error(segmenter: str) -> None:
    with pytest.raises(UsageError):
        _segmented(segmenter)


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"not a network")
    with pytest.raises(SegmenterError, match="cannot be run"):
        _segmented(f"onnx:{tmp_path / 'net.onnx'}")


def test_the_table_names_every_backend() -> None:
    assert set(BACKENDS) == {"builtin", "masks", "totalsegmentator", "mrsegmentator", "onnx"}


def test_the_stir_is_left_alone() -> None:
    before = STIR.data.tobytes()
    _segmented("builtin")
    assert isinstance(STIR, Volume)
    assert STIR.data.tobytes() == before
