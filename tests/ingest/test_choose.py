"""Which series is the STIR and which its T1, and that every other one has a reason."""

from __future__ import annotations

import json
from pathlib import Path

import awkward as a
import nibabel as nib
import numpy as np
import pytest
from pydicom.dataset import Dataset

from mri_sij.config import IngestSettings
from mri_sij.errors import RefusedError
from mri_sij.geometry import Grid
from mri_sij.ingest.candidate import Choice, NoStirError
from mri_sij.ingest.choose import choose
from mri_sij.ingest.discover import index
from mri_sij.ingest.frame import Protocol
from mri_sij.ingest.nifti import write_nifti
from mri_sij.ingest.plane import plane_of
from mri_sij.ingest.sequence import sequence_of
from mri_sij.ingest.visit import load_visit
from mri_sij.ingest.words import concepts
from mri_sij.volume import Volume

SETTINGS = IngestSettings()


def _affine(tilt_deg: float = 38.0) -> np.ndarray:
    """A stack wide enough for both joints: 24 pixels of 5.4 mm, slices 9.7 mm apart."""
    affine = a.oblique(tilt_deg, 0.0)
    affine[:3, :2] *= 6
    affine[:3, 2] *= 2.2
    return affine


def _series(folder: Path, number: int, changes: dict[str, object], affine: np.ndarray | None = None) -> None:
    slices = a.slice_set(a.voxels(number), _affine() if affine is None else affine, series=str(number))
    for ds in slices:
        _change(ds, changes)
    a.write_all(slices, folder / f"s{number}")


def _change(ds: Dataset, changes: dict[str, object]) -> None:
    for name, value in changes.items():
        if value is None:
            delattr(ds, name)
        else:
            setattr(ds, name, value)


T1 = {
    "ScanningSequence": "SE", "ScanOptions": "SK", "RepetitionTime": "550", "EchoTime": "9", "InversionTime": None,
    "SeriesDescription": "T1 COR",
}  # fmt: skip
T2FS = {
    "ScanningSequence": "SE", "ScanOptions": "FS", "RepetitionTime": "4000", "EchoTime": "70", "InversionTime": None,
    "SeriesDescription": "T2 FS COR",
}  # fmt: skip


def _choice(folder: Path, series: int | None = None) -> Choice:
    (visit,) = index(folder).visits
    return choose(visit, SETTINGS, series)


def _uses(choice: Choice) -> dict[int, str]:
    assert all(one.reason for one in choice.considered)
    return {one.series: one.use for one in choice.considered}


def test_stir_and_t1_by_their_times_whatever_they_are_called(tmp_path: Path) -> None:
    _series(tmp_path, 1, {**T1, "SeriesDescription": "STIR"})
    _series(tmp_path, 2, {"SeriesDescription": "T1 COR"})
    assert _uses(_choice(tmp_path)) == {1: "t1", 2: "stir"}


def test_stir_is_preferred_to_fat_suppressed_t2_and_coronal_to_axial(tmp_path: Path) -> None:
    _series(tmp_path, 1, T2FS)
    _series(tmp_path, 2, {}, _affine(95.0))
    _series(tmp_path, 3, {})
    choice = _choice(tmp_path)
    assert _uses(choice) == {1: "", 2: "", 3: "stir"}
    assert "no_t1" in {one.code for one in choice.cautions}


def test_axial_alone_is_used_and_marked(tmp_path: Path) -> None:
    _series(tmp_path, 1, {}, _affine(95.0))
    choice = _choice(tmp_path)
    assert _uses(choice) == {1: "stir"}
    assert "axial" in {one.code for one in choice.cautions}


def test_two_equally_good_are_said_and_the_caller_may_name_one(tmp_path: Path) -> None:
    _series(tmp_path, 1, {})
    _series(tmp_path, 2, {})
    choice = _choice(tmp_path)
    assert choice.stir is not None
    assert choice.stir.series.number == 1
    assert "equally_good" in {one.code for one in choice.cautions}
    named = _choice(tmp_path, series=2)
    assert named.stir is not None
    assert named.stir.series.number == 2
    with pytest.raises(RefusedError, match="Series 9 cannot be used"):
        _choice(tmp_path, series=9)


def test_a_t1_is_not_scored_though_the_caller_names_it(tmp_path: Path) -> None:
    _series(tmp_path, 1, {})
    _series(tmp_path, 2, T1)
    with pytest.raises(RefusedError, match="Series 2 cannot be used: a T1 spin echo"):
        _choice(tmp_path, series=2)


def test_a_named_series_of_several_volumes_gives_the_best_of_them(tmp_path: Path) -> None:
    echoes = {1: ("15", "pdfs"), 2: ("80", "t2fs")}
    slices = []
    for echo, (time, _) in echoes.items():
        more = a.slice_set(a.voxels(echo), _affine(), start=100 * echo)
        for ds in more:
            _change(ds, {**T2FS, "EchoTime": time, "EchoNumbers": str(echo), "SeriesDescription": "PD T2 FS"})
        slices += more
    a.write_all(slices, tmp_path)
    choice = _choice(tmp_path, series=1)
    assert choice.stir and choice.stir.key == (1, 2)
    told = {one.code: one.message for one in choice.cautions}
    assert "volume 2 is used: fat-suppressed T2" in told["one_of_several_volumes"]


def test_a_named_series_of_magnitude_and_phase_gives_the_magnitude(tmp_path: Path) -> None:
    phase, magnitude = a.slice_set(a.voxels(1), _affine()), a.slice_set(a.voxels(2), _affine(), start=101)
    for ds in phase:
        ds.ImageType = ["ORIGINAL", "PRIMARY", "P", "ND"]
    a.write_all(phase + magnitude, tmp_path)
    choice = _choice(tmp_path, series=1)
    assert choice.stir and choice.stir.key == (1, 2)


def test_two_equally_good_volumes_of_one_series_are_parted_by_convert(tmp_path: Path) -> None:
    slices = a.slice_set(a.voxels(1), _affine()) + a.slice_set(a.voxels(2), _affine(), start=101)
    for ds in slices[a.SLICES :]:
        ds.AcquisitionNumber = 2
    a.write_all(slices, tmp_path)
    for choice in (_choice(tmp_path), _choice(tmp_path, series=1)):
        (told,) = [one.message for one in choice.cautions if one.code == "equally_good"]
        assert told.startswith("Series 1 (volume 1) and 1 (volume 2) are equally good")
        assert "mri-sij convert --series 1 --volume K" in told


def test_a_volume_of_a_dynamic_file_is_taken_out_with_convert(tmp_path: Path) -> None:
    affine = a.LPS_TO_RAS @ _affine()
    nib.save(nib.Nifti1Image(np.ones((24, 20, 12, 2), np.int16), affine), tmp_path / "stir.nii.gz")
    assert "convert --series N --volume K" in str(_choice(tmp_path).refusal)
    with pytest.raises(RefusedError, match="Series 1 cannot be used: a dynamic series of 2 volumes") as refused:
        _choice(tmp_path, series=1)
    assert "convert --series N --volume K" in refused.value.hint


@pytest.mark.parametrize("lost", [1, 2])
def test_end_slices_that_are_refused_by_themselves_are_said(lost: int, tmp_path: Path) -> None:
    slices = a.slice_set(affine=_affine())
    for ds in slices[-lost:]:
        del ds.PixelSpacing
    a.write_all(slices, tmp_path)
    choice = _choice(tmp_path)
    assert choice.stir and choice.stir.grid.shape[2] == a.SLICES - lost
    told = {one.code: one.message for one in choice.cautions}
    assert told["end_slices_may_be_missing"].startswith(f"Of 12 images of the series {lost} cannot be used.")


def test_a_t1_must_share_the_frame_of_reference_and_the_tilt(tmp_path: Path) -> None:
    _series(tmp_path, 1, {})
    _series(tmp_path, 2, {**T1, "FrameOfReferenceUID": a.ROOT + ".1.7"})
    _series(tmp_path, 3, T1, _affine(80.0))
    choice = _choice(tmp_path)
    assert _uses(choice) == {1: "stir", 2: "", 3: ""}
    reasons = {one.series: one.reason for one in choice.considered}
    assert "frame of reference" in reasons[2]
    assert "tilted 42 degrees" in reasons[3]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"InversionTime": "2200"}, "does not null fat"),
        ({"ScanningSequence": "GR", "ScanOptions": "PER", "InversionTime": None}, "gradient echo"),
        ({**T2FS, "ScanOptions": "SK", "SeriesDescription": "T2 COR"}, "without fat suppression"),
        ({**T1, "ScanOptions": "FS"}, "fat-suppressed T1"),
        ({"SeriesDescription": "STIR BRAIN"}, "another part of the body"),
        ({"BodyPartExamined": "KNEE"}, "another part of the body"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, "derived"),
        ({"SeriesDescription": "LOCALIZER"}, "localizer"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_seen(
    changes: dict[str, object], reason: str, tmp_path: Path
) -> None:
    _series(tmp_path, 1, changes)
    choice = _choice(tmp_path)
    assert choice.stir is None
    assert reason in str(choice.refusal)


@pytest.mark.parametrize(
    ("pulses", "excited", "times", "kind"),
    [
        ({"SpectrallySelectedSuppression": "FAT"}, "NONE", ("4500", 60.0), "t2fs"),
        ({"SpectrallySelectedSuppression": "FAT_AND_WATER"}, "NONE", ("4500", 60.0), "other"),
        ({"SpectrallySelectedSuppression": "NONE"}, "WATER", ("4500", 60.0), "t2fs"),
        ({"SpectrallySelectedSuppression": "NONE"}, "FAT", ("4500", 60.0), "other"),
        ({"EchoPulseSequence": "SPIN"}, "NONE", ("600", 15.0), "t1"),
        ({"EchoPulseSequence": "GRADIENT"}, "NONE", ("600", 15.0), "other"),
        ({"EchoPulseSequence": "BOTH"}, "NONE", ("600", 15.0), "t1"),
    ],
)
def test_enhanced_image_says_its_fat_and_echoes_in_tags_of_its_own(
    pulses: dict[str, str], excited: str, times: tuple[str, float], kind: str, tmp_path: Path
) -> None:
    shared = a.shared_groups()
    modifier = shared.MRModifierSequence[0]
    modifier.InversionRecovery, modifier.SpectrallySelectedExcitation = "NO", excited
    del modifier.InversionTimes
    shared.MRTimingAndRelatedParametersSequence[0].RepetitionTime = times[0]
    shared.MREchoSequence[0].EffectiveEchoTime = times[1]
    ds = a.enhanced(a.voxels().transpose(2, 1, 0), [a.frame_group(_affine(), k) for k in range(a.SLICES)], shared)
    _change(ds, {"SeriesDescription": "COR", **pulses})
    a.write(ds, tmp_path / "E")
    assert [one.kind for one in _choice(tmp_path).considered] == [kind]


def test_too_few_slices_and_too_narrow(tmp_path: Path) -> None:
    a.write_all(a.slice_set(), tmp_path / "narrow")
    assert "both joints need" in str(_choice(tmp_path).refusal)
    few = tmp_path / "few"
    a.write_all(a.slice_set(a.voxels()[:, :, :4], _affine()), few)
    assert "4 slices" in str(_choice(few).refusal)


def _nifti(path: Path, seed: int = 0, skewed: bool | None = None) -> None:
    data = np.random.default_rng(seed).normal(100, 10, (48, 40, 12))
    if skewed:
        data = np.random.default_rng(seed).lognormal(3, 0.9, (48, 40, 12))
    affine = a.LPS_TO_RAS @ _affine()
    affine[:3, :2] /= 2
    write_nifti(Volume(data.astype(np.float32), Grid((48, 40, 12), affine)), path)


def test_nifti_by_words_in_many_languages(tmp_path: Path) -> None:
    for name in ("08_sakroiliak_koronal_tirm", "09_T1_tse_parakoronal", "segmentation_stir"):
        _nifti(tmp_path / f"{name}.nii.gz")
    images = load_visit(tmp_path)
    assert [one.use for one in images.series_considered] == ["stir", "t1", ""]
    assert images.stir_acquisition.kind_from == "words"
    assert "kind_by_words" in {one.code for one in images.cautions}


def test_names_that_the_pictures_contradict(tmp_path: Path) -> None:
    _nifti(tmp_path / "t1.nii.gz", skewed=True)
    _nifti(tmp_path / "stir.nii.gz", 1)
    assert "stir_like_t1" in {one.code for one in load_visit(tmp_path).cautions}
    image = nib.load(tmp_path / "stir.nii.gz")
    image.header["descrip"] = "TE=8"  # as dcm2niix leaves it
    nib.save(image, tmp_path / "stir.nii.gz")
    with pytest.raises(NoStirError, match=r"looks like a T1, and its echo time \(8 ms\) is that of one"):
        load_visit(tmp_path)
    assert load_visit(tmp_path, series=1).stir_acquisition.kind_from == "caller"


def test_a_stir_under_the_name_of_the_t1_too_is_left_out(tmp_path: Path) -> None:
    for name in ("stir", "t1"):
        _nifti(tmp_path / f"{name}.nii.gz", skewed=True)
    images = load_visit(tmp_path)
    assert images.t1 is None and images.t1_acquisition is None
    assert {one.code for one in images.cautions} == {"kind_by_words", "t1_is_stir"}


def test_nifti_by_sidecar(tmp_path: Path) -> None:
    folder = tmp_path / "sub-01" / "ses-2" / "anat"
    folder.mkdir(parents=True)
    _nifti(folder / "sub-01_ses-2_run-1_T2w.nii.gz")
    _nifti(folder / "sub-01_ses-2_T1w.nii.gz", 1)
    about = {"RepetitionTime": 4.0, "EchoTime": 0.06, "InversionTime": 0.16, "ScanningSequence": "SE_IR"}
    (folder / "sub-01_ses-2_run-1_T2w.json").write_text(json.dumps(about))
    images = load_visit(tmp_path)
    assert images.stir_acquisition.inversion_time_ms == 160
    assert images.stir_acquisition.kind_from == "timing"
    assert images.t1 is not None


def test_nifti_that_says_nothing_is_told_by_contrast_and_said_so(tmp_path: Path) -> None:
    _nifti(tmp_path / "a.nii.gz")
    _nifti(tmp_path / "b.nii.gz", 1, skewed=True)
    images = load_visit(tmp_path)
    assert [one.use for one in images.series_considered] == ["t1", "stir"]
    assert images.stir_acquisition.kind_from == "contrast"
    assert "kind_by_contrast" in {one.code for one in images.cautions}


def test_files_of_several_subjects_in_one_folder_are_never_mixed(tmp_path: Path) -> None:
    for subject in ("anna", "bert"):
        _nifti(tmp_path / f"{subject}_stir.nii.gz")
        _nifti(tmp_path / f"{subject}_t1.nii.gz")
    found = index(tmp_path)
    assert len(found.patients) == 2
    with pytest.raises(RefusedError, match="2 visits are here"):
        load_visit(tmp_path)


@pytest.mark.parametrize(
    ("names", "subjects", "pair", "caution"),
    [
        ("a_stir a_t1 b_stir b_t1", 1, ("b_stir", "b_t1"), False),
        ("a_stir a_t1 b_stir b_t1 c_stir c_t1", 3, None, False),
        ("a_stir a_t1_tse b_stir b_t1_tse c_stir c_t1_tse", 3, None, False),
        ("x_t2 a_stir b_t1", 1, ("a_stir", "b_t1"), True),
        ("x_t2 3_COR_STIR 4_COR_T1", 1, ("3_COR_STIR", "4_COR_T1"), True),
        ("x_t2 stir t1", 1, ("stir", "t1"), False),
        ("x_t2 smith_stir smith_t1_tse", 1, ("smith_stir", "smith_t1_tse"), False),
        ("sub-02_T2w sub-01_run-1_STIR sub-01_run-2_T1w", 1, ("sub-01_run-1_STIR", "sub-01_run-2_T1w"), False),
        ("x_t2 张三_stir 张三_t1 李四_stir 李四_t1", 2, None, False),
    ],
)
def test_the_t1_is_of_the_one_whose_name_the_stir_bears(
    names: str, subjects: int, pair: tuple[str, str] | None, caution: bool, tmp_path: Path
) -> None:
    first, *others = names.split()
    for name in others:
        _nifti(tmp_path / f"{name}.nii.gz")
    (tmp_path / f"{first}.nii.gz").write_bytes(b"damaged")
    found = index(tmp_path)
    assert len(found.patients) == subjects
    if pair:
        choice = _choice(tmp_path)
        assert choice.stir and choice.t1
        assert (choice.stir.series.place, choice.t1.series.place) == (f"{pair[0]}.nii.gz", f"{pair[1]}.nii.gz")
        assert ("t1_named_apart" in {one.code for one in choice.cautions}) == caution
        assert "equally_good_t1" not in {one.code for one in choice.cautions}


def test_a_t1_is_not_taken_from_another_stir_that_its_name_goes_with(tmp_path: Path) -> None:
    about = {"RepetitionTime": 4.0, "EchoTime": 0.06, "InversionTime": 0.16, "ScanningSequence": "SE_IR"}
    for name in ("a_cor", "b_cor", "b_t1"):
        _nifti(tmp_path / f"{name}.nii.gz")
    for name in ("a_cor", "b_cor"):
        (tmp_path / f"{name}.json").write_text(json.dumps(about))
    choice = _choice(tmp_path)
    assert choice.stir and choice.stir.series.place == "a_cor.nii.gz"
    assert choice.t1 is None
    assert "another fluid-sensitive image" in {one.series: one.reason for one in choice.considered}[3]


def test_baseline_and_followup_are_two_visits_of_one_patient(tmp_path: Path) -> None:
    for time in ("baseline", "followup"):
        _nifti(tmp_path / f"{time}_stir.nii.gz")
    (patient,) = index(tmp_path).patients
    assert [visit.series[0].place for visit in patient.visits] == ["baseline_stir.nii.gz", "followup_stir.nii.gz"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t2_tirm_cor_320_3mm", {"stir", "t2", "coronal"}),
        ("PD SPAIR para-coronaal SI gewricht", {"fat_suppressed", "coronal", "sacroiliac", "pd"}),
        ("Крестцово-подвздошные STIR корональные", {"stir", "coronal", "sacroiliac"}),
        ("骶髂关节 T2 压脂 冠状", {"fat_suppressed", "t2", "coronal", "sacroiliac"}),
        ("T1w_TSE_sagital", {"t1", "sagittal"}),
        ("ISG Kreuzbein T1 KM", {"t1", "sacroiliac", "contrast"}),
        ("sub-01_ses-2_acq-stir_T2w", {"stir", "t2"}),
    ],
)
def test_words(text: str, expected: set[str]) -> None:
    assert expected == concepts(text)


def test_plane_by_hand() -> None:
    def grid(tilt_deg: float) -> Grid:
        return Grid((24, 20, 12), a.LPS_TO_RAS @ _affine(tilt_deg))

    assert plane_of(grid(0)).name == "coronal"
    assert plane_of(grid(40)).name == "oblique coronal"
    assert plane_of(grid(40)).tilt_deg == pytest.approx(40, abs=1e-6)
    assert plane_of(grid(90)).name == "axial"
    assert plane_of(grid(-50)).name == "oblique axial"


def test_times_decide_before_words() -> None:
    protocol = Protocol(
        inversion_time_ms=160,
        repetition_time_ms=4000,
        echo_time_ms=60,
        words=frozenset({"t1"}),
        scanning_sequence=("IR",),
    )
    assert sequence_of(protocol, SETTINGS).kind == "stir"
