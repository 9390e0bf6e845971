"""From a folder to a finished visit: the stages in order, all of the output or none of it, the same bytes each time."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import made_visit
import numpy as np
import pytest

from mri_sij import workflow
from mri_sij.anatomy.find import Anatomy
from mri_sij.config import Settings
from mri_sij.errors import RefusedError, UsageError
from mri_sij.evidence import Evidence, NotScorable, Reason, Side
from mri_sij.geometry import AxisOrder, Grid
from mri_sij.ingest.nifti import read_volume, write_nifti
from mri_sij.lesions.records import Findings
from mri_sij.report.folder import VISIT_FILES
from mri_sij.result import VisitResult
from mri_sij.scoring.form import FormError, read_form
from mri_sij.scoring.sparcc import score_sparcc
from mri_sij.volume import Volume
from mri_sij.workflow import score_visit, write_visit

REAL = Path(os.environ.get("MRI_SIJ_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The made-up visit in place of reading, network and search for oedema; everything between is the program's own."""
    monkeypatch.setattr(workflow, "load_visit", lambda path, **kw: made_visit.images(made_visit.REVERSED))
    monkeypatch.setattr(workflow, "predict", lambda stir, t1: None)
    monkeypatch.setattr(workflow, "segment_visit", lambda stir, t1, maps, settings: made_visit.bones())
    monkeypatch.setattr(workflow, "find_oedema", lambda stir, t1, anatomy, maps, settings: made_visit.findings(anatomy))


def everything(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.mark.usefixtures("stages")
def test_stages_in_order_and_slices_in_the_series_own_numbers(tmp_path: Path) -> None:
    told: list[str] = []
    result = score_visit(tmp_path, Settings(), progress=told.append)
    assert told == ["reading", "network", "anatomy", "oedema", "scores"]
    assert result.status == "scored"
    assert result.sheet is not None
    assert result.sheet.sparcc.total == 8
    assert result.sheet.sparcc.slice_numbers == (6, 5, 4, 3, 2, 1)
    assert np.array_equal(result.stir.data, made_visit.stir().data)


@pytest.mark.usefixtures("stages")
def test_a_reader_may_overrule_and_the_machine_keeps_its_score(tmp_path: Path) -> None:
    form = tmp_path / "reader.csv"
    header = "slice,side,upper_ilium,upper_sacrum,lower_ilium,lower_sacrum,intense,deep"
    form.write_text(f"{header}\n6,right,1,,,,1,\n5,right,,0,,,,0\n")
    result = score_visit(tmp_path, Settings(), overrule_form=form)
    assert result.sheet is not None
    assert result.reading is not None
    assert (result.sheet.sparcc.total, result.reading.sheet.sparcc.total) == (8, 8 + 2 - 2)
    write_visit(result, tmp_path / "out")
    plain = json.loads((tmp_path / "out" / "visit.json").read_text())
    assert plain["sparcc"]["total"] == 8
    assert len(plain["reader"]["changes"]) == 4
    form.write_text(f"{header}\n13,right,1,,,,,\n")
    with pytest.raises(FormError, match="not among the scored slices"):
        score_visit(tmp_path, Settings(), overrule_form=form)


@pytest.mark.usefixtures("stages")
def test_a_t1_that_lies_elsewhere_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = made_visit.images()
    assert images.t1 is not None
    affine = images.t1.grid.affine.copy()
    affine[0, 3] += 8
    off = replace(images, t1=Volume(images.t1.data, Grid(images.t1.grid.shape, affine)))
    given: list[object] = []
    monkeypatch.setattr(workflow, "load_visit", lambda path, **kw: off)
    monkeypatch.setattr(workflow, "predict", lambda stir, t1: given.append(t1))
    result = score_visit(tmp_path, Settings())
    assert given == [None] and result.t1 is None and result.status == "scored"
    assert [caution.code for caution in result.cautions] == ["t1_off"]


@pytest.mark.usefixtures("stages")
def test_a_t1_that_shows_a_part_of_the_joints_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = made_visit.images()
    assert images.t1 is not None
    affine = images.t1.grid.affine.copy()
    affine[:3, 3] += 5 * affine[:3, 2]  # without its first five slices; the bones begin on the second
    data = np.ascontiguousarray(images.t1.data[:, :, 5:])
    part = replace(images, t1=Volume(data, Grid(data.shape, affine)))
    given: list[object] = []
    monkeypatch.setattr(workflow, "load_visit", lambda path, **kw: part)
    monkeypatch.setattr(workflow, "predict", lambda stir, t1: given.append(t1))
    result = score_visit(tmp_path, Settings())
    assert len(given) == 2 and given[1] is None and result.t1 is None and result.status == "scored"
    assert [caution.code for caution in result.cautions] == ["t1_partial"]
    assert "The T1 shows nothing of 33% of the bone beside the joints" in result.cautions[0].message


@pytest.mark.usefixtures("stages")
def test_a_blank_slice_is_refused_before_the_network_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = made_visit.images(made_visit.REVERSED)
    signal = np.array(images.stir.values)
    signal[5] = 0
    blank = replace(images, stir=Volume(signal, images.stir.grid))
    monkeypatch.setattr(workflow, "load_visit", lambda path, **kw: blank)
    monkeypatch.setattr(workflow, "predict", lambda stir, t1: pytest.fail("the network was run"))
    result = score_visit(tmp_path, Settings())
    assert (result.status, [reason.code for reason in result.reasons]) == ("not_scorable", ["blank_slice"])
    assert "Slice 5 of the STIR" in result.reasons[0].message
    write_visit(result, tmp_path / "out")
    assert set(everything(tmp_path / "out")) == {"visit.json", "quadrants.csv", "report.html"}


@pytest.mark.usefixtures("stages")
def test_not_scorable_never_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    why = NotScorable((Reason("no-normal-marrow", "No normal marrow."),))
    monkeypatch.setattr(workflow, "find_oedema", lambda *args: why)
    result = score_visit(tmp_path, Settings())
    assert (result.status, result.reasons) == ("not_scorable", why.reasons)
    write_visit(result, tmp_path / "out")
    assert set(everything(tmp_path / "out")) == {"visit.json", "quadrants.csv", "report.html", "anatomy.nii.gz"}


@pytest.mark.usefixtures("stages")
def test_a_joint_that_is_not_seen_is_not_scored_as_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def low(stir: object, t1: object, anatomy: Anatomy, maps: object, settings: object) -> Findings:
        found = made_visit.findings(anatomy)
        joints = (replace(j, joint_height_mm=4.0 if j.side is Side.LEFT else 50.0) for j in found.evidence.joints)
        return replace(found, evidence=Evidence(tuple(joints)))

    monkeypatch.setattr(workflow, "find_oedema", low)
    result = score_visit(tmp_path, Settings())
    assert result.status == "not_scorable"
    assert [reason.code for reason in result.reasons] == ["joint_not_seen"]
    write_visit(result, tmp_path / "out")
    plain = json.loads((tmp_path / "out" / "visit.json").read_text())
    assert plain["sparcc"]["total"] is None
    assert plain["interval"] is None
    assert plain["oedema"]["volume_ml"] is None


def test_pictures_of_boxes_are_not_scorable_from_end_to_end(tmp_path: Path) -> None:
    visit = tmp_path / "visit"
    visit.mkdir()
    write_nifti(made_visit.stir(), visit / "stir.nii.gz")
    result = score_visit(visit, Settings())
    assert result.status == "not_scorable"
    assert result.reasons
    assert result.sheet is None


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        score_visit(tmp_path, Settings())


@pytest.fixture(scope="module")
def result() -> VisitResult:
    return made_visit.scored(made_visit.REVERSED)


def test_all_files_of_a_scored_visit(result: VisitResult, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    write_visit(result, out)
    assert len(everything(out)) == 7
    assert all(re.fullmatch(VISIT_FILES, name) for name in everything(out))
    assert [p.name for p in out.parent.iterdir()] == ["out"]
    native = result.images.stir.grid
    for name, label in (("anatomy.nii.gz", made_visit.bones().labels), ("oedema.nii.gz", made_visit.oedema_labels())):
        written = read_volume(out / name)
        assert written.grid.same_as(native)
        assert np.array_equal(written.data, made_visit.REVERSED.apply(label.data))
    assert score_sparcc(read_form(out / "form.csv"), result.settings.scoring).total == 8
    assert out.stat().st_mode & 0o777 == 0o777 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_same_result_same_bytes(result: VisitResult, tmp_path: Path) -> None:
    write_visit(result, tmp_path / "one")
    write_visit(made_visit.scored(made_visit.REVERSED), tmp_path / "two")
    assert everything(tmp_path / "one") == everything(tmp_path / "two")


def test_any_axis_order_gives_the_same_score(tmp_path: Path) -> None:
    totals = set()
    for order in (made_visit.AS_READ, made_visit.REVERSED, AxisOrder((1, 2, 0), (False, True, True))):
        made = made_visit.scored(order)
        assert made.sheet is not None
        totals.add((made.sheet.sparcc.total, made.sheet.sparcc.side(made_visit.Side.RIGHT).total))
        write_visit(made, tmp_path / str(order.axes))
    assert totals == {(8, 8)}


def test_a_finished_visit_is_replaced_anything_else_is_left_alone(result: VisitResult, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_visit(made_visit.refused(), out)
    write_visit(result, out)
    assert json.loads((out / "visit.json").read_text())["status"] == "scored"
    (out / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"somebody else \(1\)"):
        write_visit(result, out)
    assert (out / "notes.txt").read_text() == "mine"
    with pytest.raises(UsageError, match="is a file"):
        write_visit(result, out / "notes.txt")


@pytest.mark.parametrize("broken", ["visit_json", "quadrants_csv", "visit_page", "write_form", "write_nifti"])
def test_a_stage_that_fails_leaves_nothing_and_keeps_what_was_there(
    broken: str, result: VisitResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write_visit(made_visit.refused(), out)
    before = everything(out)

    def fail(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(workflow, broken, fail)
    with pytest.raises(OSError, match="disk full"):
        write_visit(result, out)
    assert everything(out) == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.real
def test_a_real_patient_in_dicom(tmp_path: Path) -> None:
    patient = REAL / "sij_dicom" / "patient1"
    if not patient.is_dir():
        pytest.skip("real scans are not here")
    write_visit(score_visit(patient, Settings()), tmp_path / "out")
    plain = json.loads((tmp_path / "out" / "visit.json").read_text())
    assert plain["status"] in ("scored", "not_scorable")
    assert plain["series"]["stir"]["inversion_time_ms"] == 140
    assert (plain["sparcc"]["total"] is None) == (plain["status"] == "not_scorable")
