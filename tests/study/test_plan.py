"""Plans of studies: labels, baselines, and manifests that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from mri_sij.errors import RefusedError, UsageError
from mri_sij.study.plan import plan_study
from mri_sij.study.run import require_room

SAMPLE = Path(__file__).parents[2] / "sample_data"


def manifest(folder: Path, text: str) -> Path:
    path = folder / "manifest.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_sample_study_has_two_patients_with_a_follow_up_each() -> None:
    plan = plan_study(SAMPLE, None)
    assert [v.key for v in plan.visits] == ["sub-001_ses-01", "sub-001_ses-02", "sub-002_ses-01", "sub-002_ses-02"]
    assert [(b.visit, f.visit) for b, f in plan.followups()] == [("01", "02"), ("01", "02")]


def test_manifest_gives_labels_and_baseline(tmp_path: Path) -> None:
    path = manifest(
        tmp_path, "patient,visit,path,role\nA,late,patient-1/visit-2,\nA,early,patient-1/visit-1,baseline\n"
    )
    plan = plan_study(SAMPLE, path)
    assert [v.key for v in plan.visits] == ["sub-A_ses-early", "sub-A_ses-late"]
    assert [v.baseline for v in plan.visits] == [True, False]


def test_a_path_that_is_not_there_is_a_row_with_its_reason(tmp_path: Path) -> None:
    path = manifest(tmp_path, "patient,visit,path\nA,1,nowhere\nB,1,patient-2/visit-1\n")
    plan = plan_study(SAMPLE, path)
    assert plan.visits[0].found is None and plan.visits[0].problem
    assert plan.visits[1].found is not None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("patient,visit\nA,1\n", "column path"),
        ("patient,visit,path\n", "rows"),
        ("patient,visit,path\nA/..,1,x\n", "letters and digits"),
        ("patient,visit,path,role\nA,1,x,first\n", "role"),
        ("patient,visit,path,role\nA,1,patient-1/visit-1,baseline\nA,2,patient-1/visit-2,baseline\n", "baselines"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        plan_study(SAMPLE, manifest(tmp_path, text))


def test_one_label_twice_is_refused(tmp_path: Path) -> None:
    path = manifest(tmp_path, "patient,visit,path\nA,1,patient-1/visit-1\nA,1,patient-1/visit-2\n")
    with pytest.raises(RefusedError, match="same label"):
        plan_study(SAMPLE, path)


def test_out_inside_the_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="inside"):
        require_room(tmp_path, tmp_path / "out")
