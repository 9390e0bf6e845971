"""Plans of studies: labels, order, baselines, whose visits are whose, and manifests that cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pydicom
import pytest
import quick_study

from mri_sij.errors import RefusedError, UsageError
from mri_sij.study.find import find_listed, find_visits
from mri_sij.study.listing import plan_study
from mri_sij.study.manifest import read_manifest
from mri_sij.study.plan import Plan, from_plain, part_of, to_plain

SAMPLE = Path(__file__).parents[2] / "sample_data"


def slices(study: Path, folder: str, **header: str) -> Path:
    """Four slices of the sample's STIR with other header values, as one visit."""
    out = study / folder
    out.mkdir(parents=True)
    for source in sorted((SAMPLE / "patient-1" / "visit-1" / "stir").iterdir())[:4]:
        ds = pydicom.dcmread(source)
        for name, value in header.items():
            setattr(ds, name, value)
        ds.save_as(out / source.name)
    return out


def keys(plan: Plan) -> list[str]:
    return [visit.key for visit in plan.visits]


def from_manifest(folder: Path, text: str, study: Path = SAMPLE) -> Plan:
    path = folder / "manifest.csv"
    path.write_text(text, encoding="utf-8")
    return find_listed(study, read_manifest(path))


def test_dicom_by_patient_and_date() -> None:
    plan = find_visits(SAMPLE)
    assert keys(plan) == ["sub-001_ses-01", "sub-001_ses-02", "sub-002_ses-01", "sub-002_ses-02"]
    assert [(b.visit, f.visit) for b, f in plan.followups()] == [("01", "02"), ("01", "02")]
    assert [visit.day for visit in plan.visits] == [0, 731, 0, 366]
    assert all(len(visit.files) == 36 for visit in plan.visits)
    assert plan.notes == ()


def test_files_are_known_again_under_another_number_and_told_from_all_others(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE / "patient-2", tmp_path / "elsewhere")
    before, after = find_visits(SAMPLE).visits, find_visits(tmp_path).visits
    assert all(visit.numbered for visit in before)
    assert len({visit.files_sha256 for visit in before}) == 4
    assert [v.key for v in after] == ["sub-001_ses-01", "sub-001_ses-02"]
    assert [v.files_sha256 for v in after] == [v.files_sha256 for v in before[2:]]
    image = next((tmp_path / "elsewhere" / "visit-1" / "stir").iterdir())
    content = bytearray(image.read_bytes())
    content[len(content) // 2] ^= 1
    image.write_bytes(content)
    assert find_visits(tmp_path).visits[0].files_sha256 != after[0].files_sha256


def test_bids_labels(tmp_path: Path) -> None:
    quick_study.write_study(tmp_path, patients=2)
    plan = find_visits(tmp_path)
    assert keys(plan) == ["sub-0001_ses-1", "sub-0001_ses-2", "sub-0002_ses-1", "sub-0002_ses-2"]
    assert not any(visit.numbered for visit in plan.visits)
    assert [len(visit.files) for visit in plan.visits] == [2] * 4  # the image and its side-car


def test_a_bids_visit_whose_images_are_damaged_has_a_row(tmp_path: Path) -> None:
    quick_study.write_visit_of(tmp_path, "01", "1")
    damaged = quick_study.write_visit_of(tmp_path, "01", "2")
    next(damaged.glob("*.nii.gz")).write_bytes(b"")
    plan = find_visits(tmp_path)
    assert [(v.key, v.code) for v in plan.visits] == [("sub-01_ses-1", ""), ("sub-01_ses-2", "empty_file")]


def test_dicom_in_bids_folders_is_labelled_and_grouped_by_them(tmp_path: Path) -> None:
    for n, label in enumerate(("A", "B")):
        slices(tmp_path, f"sub-{label}/ses-1", PatientID="anonymous", StudyInstanceUID=f"1.2.3.{n}")
    plan = find_visits(tmp_path)
    assert keys(plan) == ["sub-A_ses-1", "sub-B_ses-1"]
    assert plan.followups() == ()


def test_two_people_with_one_id_are_not_compared(tmp_path: Path) -> None:
    for n, born in enumerate(("19800101", "19900101"), start=1):
        slices(
            tmp_path, f"{n}", PatientID="7", PatientBirthDate=born, StudyInstanceUID=f"1.{n}", StudyDate=f"202{n}0101"
        )
    (pair,) = find_visits(tmp_path).followups()
    assert pair[1].pair_code == "two_people"
    assert "19" not in pair[1].pair_message


def test_other_names_without_a_date_of_birth_are_two_people(tmp_path: Path) -> None:
    for n, name in enumerate(("Roe^Ann", "Doe^Jane"), start=1):
        own = {"PatientName": name, "PatientBirthDate": "", "StudyInstanceUID": f"1.{n}", "StudyDate": f"202{n}0101"}
        slices(tmp_path, f"{n}", PatientID="7", **own)
    assert find_visits(tmp_path).followups()[0][1].pair_code == "two_people"


def test_one_person_with_two_ids_is_told(tmp_path: Path) -> None:
    for n, name in enumerate(("Roe^Ann", "ROE ANN"), start=1):
        own = {"PatientName": name, "PatientBirthDate": "19800101", "StudyInstanceUID": f"1.{n}"}
        slices(tmp_path, f"{n}", PatientID=f"{n}", **own)
    plan = find_visits(tmp_path)
    assert [note.code for note in plan.notes] == ["one_person_twice"]
    assert "sub-001 and sub-002" in plan.notes[0].message


def test_two_visits_with_one_label_are_both_refused(tmp_path: Path) -> None:
    for n in (1, 2):
        slices(tmp_path, f"sub-A/ses-1/{n}", StudyInstanceUID=f"1.{n}")
    plan = find_visits(tmp_path)
    assert [(v.key, v.code) for v in plan.visits] == [
        ("sub-A_ses-1x1", "one_label_twice"),
        ("sub-A_ses-1x2", "one_label_twice"),
    ]


def test_one_study_under_two_labels_is_nobodys(tmp_path: Path) -> None:
    slices(tmp_path, "sub-A/ses-1")
    slices(tmp_path, "sub-B/ses-1")
    slices(tmp_path, "sub-C/ses-1", StudyInstanceUID="1.2", PatientID="C")
    visits = find_visits(tmp_path).visits
    code = "one_study_many_labels"
    assert [(v.key, v.code) for v in visits] == [("sub-A_ses-1", code), ("sub-B_ses-1", code), ("sub-C_ses-1", "")]
    assert "sub-A_ses-1, sub-B_ses-1" in visits[0].message


def test_files_that_belong_to_no_visit_are_told_without_their_names(tmp_path: Path) -> None:
    slices(tmp_path, "visit")
    (tmp_path / "Roe Ann").mkdir()
    (tmp_path / "Roe Ann" / "1.dcm").write_bytes(b"")
    (note,) = find_visits(tmp_path).notes
    assert note.code == "files_refused"
    assert "1 empty_file" in note.message and "Ann" not in note.message


def test_nothing_to_score_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="No image"):
        plan_study(tmp_path, None)


def test_manifest_gives_labels_order_and_baseline(tmp_path: Path) -> None:
    plan = from_manifest(
        tmp_path, "patient,visit,path,role\nA,late,patient-1/visit-2,\nA,early,patient-1/visit-1,baseline\n"
    )
    assert keys(plan) == ["sub-A_ses-early", "sub-A_ses-late"]
    assert [v.baseline for v in plan.visits] == [True, False]
    assert [v.day for v in plan.visits] == [0, 731]
    assert plan.visits[1].pair_code == ""


def test_a_baseline_dated_after_its_follow_up_is_not_compared(tmp_path: Path) -> None:
    plan = from_manifest(tmp_path, "patient,visit,path,role\nA,1,patient-1/visit-1,\nA,2,patient-1/visit-2,baseline\n")
    ((base, followup),) = plan.followups()
    assert (base.visit, followup.pair_code) == ("2", "wrong_order")
    assert "731 days after" in followup.pair_message


def test_what_a_manifest_names_and_is_not_there_has_a_row(tmp_path: Path) -> None:
    (tmp_path / "study" / "empty").mkdir(parents=True)
    shutil.copytree(SAMPLE / "patient-1", tmp_path / "study" / "both")
    text = "patient,visit,path\nA,1,nowhere\nB,1,empty\nC,1,both\nC,2,both/visit-1\n"
    plan = from_manifest(tmp_path, text, tmp_path / "study")
    codes = {v.key: v.code for v in plan.visits}
    assert codes == {
        "sub-A_ses-1": "not_there",
        "sub-B_ses-1": "not_one_visit",
        "sub-C_ses-2": "",
        "sub-C_ses-1": "not_one_visit",
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("patient,visit\nA,1\n", "column path"),
        ("patient,visit,path,extra\nA,1,x,y\n", "unknown"),
        ("patient,visit,path\n", "no rows"),
        ("patient,visit,path\nA/..,1,x\n", "line 2: .*letters and digits"),
        ("patient,visit,path\nA,1,\n", "line 2: the path is empty"),
        ("patient,visit,path\nA,1\n", "line 2: expected 3 cells"),
        ("patient,visit,path,role\nA,1,x,first\n", "role"),
        ("patient,visit,path,role\nA,1,x,baseline\nA,2,y,baseline\n", "line 3: a second baseline"),
        ("patient,visit,path\nA,1,x\na,1,y\n", "line 3: the same patient and visit as in line 2"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        from_manifest(tmp_path, text)


def test_shards_hold_every_patient_once(tmp_path: Path) -> None:
    plan = find_visits(quick_study.write_study(tmp_path, patients=5))
    parts = [part_of(plan, n, 3) for n in (1, 2, 3)]
    assert sorted(key for part in parts for key in keys(part)) == keys(plan)
    for n in (0, 4):
        with pytest.raises(UsageError, match="Shard"):
            part_of(plan, n, 3)


def test_a_plan_is_kept_without_the_names_of_files() -> None:
    plan = find_visits(SAMPLE)
    assert "0001.dcm" not in str(to_plain(plan))
    assert keys(from_plain(to_plain(plan))) == keys(plan)


def test_a_plan_is_made_again_only_when_a_file_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, out = quick_study.write_study(tmp_path / "study", patients=2), tmp_path / "out"
    plan = plan_study(study, None, out=out)
    monkeypatch.setattr("mri_sij.study.listing._in_a_process", lambda *args: Plan(()))
    assert plan_study(study, None, out=out) == plan
    quick_study.write_visit_of(study, "0003", "1")
    assert plan_study(study, None, out=out) == Plan(())
