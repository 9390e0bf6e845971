"""What a finished visit keeps: a comparison of folders gives the same bytes as one of visits just scored."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import made_visit
import numpy as np
import pytest

from mri_sij.compare.folder import VISIT, FinishedVisitError, read_finished
from mri_sij.compare.kept import KEPT, KeptError, arrays_of, kept_of
from mri_sij.compare.visit import Visit, of_result
from mri_sij.compare.visits import compare_visits
from mri_sij.compare.write import comparison_json
from mri_sij.config import Settings
from mri_sij.geometry import Grid
from mri_sij.result import VisitResult
from mri_sij.volume import Volume
from mri_sij.workflow import write_visit

SETTINGS = Settings()


@pytest.fixture(scope="module")
def results() -> tuple[VisitResult, VisitResult]:
    """A visit, and another scan of it with a little noise, stored in another axis order."""
    first, second = made_visit.scored(), made_visit.scored(made_visit.REVERSED)
    noise = np.random.default_rng(3).normal(0, 3, second.stir.grid.shape)
    stir = Volume((second.stir.values + noise).astype(np.float32), second.stir.grid)
    return first, replace(second, stir=stir, images=replace(second.images, input_sha256="ef" * 32))


@pytest.fixture(scope="module")
def folders(results: tuple[VisitResult, VisitResult], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    out = tmp_path_factory.mktemp("finished")
    for number, result in enumerate(results):
        write_visit(result, out / str(number))
    return [out / "0", out / "1"]


def test_finished_folders_compare_as_the_visits_themselves(
    results: tuple[VisitResult, VisitResult], folders: list[Path]
) -> None:
    at_once = compare_visits([of_result(r) for r in results], SETTINGS)
    later = compare_visits([read_finished(f, SETTINGS) for f in folders], SETTINGS)
    assert later.followups[0].change is not None
    assert comparison_json(later, SETTINGS) == comparison_json(at_once, SETTINGS)


def test_a_folder_without_the_record_is_compared_and_says_so(folders: list[Path], tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for file in folders[1].iterdir():
        if file.name != KEPT:
            (old / file.name).write_bytes(file.read_bytes())
    found = compare_visits([read_finished(folders[0], SETTINGS), read_finished(old, SETTINGS)], SETTINGS)
    assert "without_images" in {caution.code for caution in found.followups[0].cautions}


def test_the_record_is_the_same_twice_and_holds_no_text(
    results: tuple[VisitResult, VisitResult], folders: list[Path], tmp_path: Path
) -> None:
    write_visit(results[0], tmp_path / "again")
    assert (tmp_path / "again" / KEPT).read_bytes() == (folders[0] / KEPT).read_bytes()
    with np.load(folders[0] / KEPT) as archive:
        assert {archive[name].dtype.kind for name in archive.files} <= set("iuf")


@pytest.mark.parametrize(("vessels", "expected"), [(2.0, 2.3), (4.6, 2.53), (9.0, 3.0), (None, None)])
def test_the_limit_of_intense_is_kept_as_the_visit_was_scored_by_it(
    results: tuple[VisitResult, VisitResult], vessels: float | None, expected: float | None
) -> None:
    findings = results[0].findings
    assert findings is not None
    fluid = replace(findings.reference.fluid, ratio=vessels)
    changed = replace(results[0], findings=replace(findings, reference=replace(findings.reference, fluid=fluid)))
    kept = kept_of(arrays_of(changed), changed.stir.grid).intense_from
    assert kept == (None if expected is None else pytest.approx(expected))


def test_signal_is_kept_finer_than_noise_near_the_bones(results: tuple[VisitResult, VisitResult]) -> None:
    result = results[0]
    kept = kept_of(arrays_of(result), result.stir.grid)
    bone = made_visit.bones().labels.data > 0
    assert np.abs(kept.stir.values - result.stir.values)[bone].max() < 0.5
    assert kept.t1 is not None and result.anatomy is not None
    for own, other in (
        (kept.joints.left, result.anatomy.joints.left),
        (kept.joints.right, result.anatomy.joints.right),
    ):
        assert sorted(own.slices) == sorted(other.slices)
        assert all(np.array_equal(own.slices[k].midline, other.slices[k].midline) for k in own.slices)
        assert all(own.slices[k].height_mm == other.slices[k].height_mm for k in own.slices)


def test_signal_of_any_size_is_kept_alike(results: tuple[VisitResult, VisitResult]) -> None:
    """Quantitative maps and rescaled series hold numbers of any size."""
    result = results[0]
    assert result.findings is not None
    reference = result.findings.reference
    marrow = replace(reference.marrow, signal=np.ldexp(reference.marrow.signal, -40))
    findings = replace(result.findings, reference=replace(reference, marrow=marrow))
    stir = Volume(np.ldexp(result.stir.values, -40), result.stir.grid)
    one, small = arrays_of(result), arrays_of(replace(result, stir=stir, findings=findings))
    assert all(np.array_equal(one[name], small[name]) for name in ("ratio", "stir"))
    assert small["stir_step"] == np.ldexp(one["stir_step"], -40)


@pytest.mark.parametrize("harm", ["cut", "not_npz", "other_version", "other_shape", "other_place", "missing", "pickle"])
def test_a_damaged_record_is_refused(
    results: tuple[VisitResult, VisitResult], folders: list[Path], tmp_path: Path, harm: str
) -> None:
    for file in folders[0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    arrays, stream = arrays_of(results[0]), io.BytesIO()
    if harm == "other_version":
        arrays["version"] = np.array(99)
    elif harm == "other_shape":
        arrays["stir"] = arrays["stir"][1:]
    elif harm == "other_place":
        arrays["affine"] = arrays["affine"] + np.eye(4)[:, ::-1]
    elif harm == "missing":
        del arrays["left_points"]
    elif harm == "pickle":
        arrays["ratio"] = np.array([{"a": 1}], object)
    np.savez_compressed(stream, **arrays)
    whole = stream.getvalue()
    (tmp_path / KEPT).write_bytes({"cut": whole[: len(whole) // 2], "not_npz": b"no archive"}.get(harm, whole))
    with pytest.raises(KeptError):
        read_finished(tmp_path, SETTINGS)


def test_a_visit_read_back_knows_no_day(folders: list[Path]) -> None:
    found = read_finished(folders[0], SETTINGS)
    assert isinstance(found, Visit) and found.day is None


def test_a_grid_of_another_visit_is_refused(results: tuple[VisitResult, VisitResult]) -> None:
    grid = results[0].stir.grid
    with pytest.raises(KeptError):
        kept_of(arrays_of(results[0]), Grid((grid.shape[0], grid.shape[1], grid.shape[2] + 1), grid.affine))


def test_a_visit_scored_with_other_settings_is_refused(folders: list[Path]) -> None:
    other = Settings(lesions=SETTINGS.lesions.model_copy(update={"min_area_mm2": 40.0}))
    with pytest.raises(FinishedVisitError, match=r"lesions\.min_area_mm2 = 10\.0, the comparison has 40\.0"):
        read_finished(folders[0], other)
    beside = SETTINGS.model_copy(update={"compare": SETTINGS.compare.model_copy(update={"strict": True})})
    assert isinstance(read_finished(folders[0], beside), Visit)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("interval",), None),
        (("series", "stir"), None),
        (("sparcc", "slices"), []),
        (("sparcc", "slices", 0, "left", "depth"), 5),
        (("sparcc", "slices", 0, "left", "upper_ilium"), "yes"),
        (("interval", "probabilities", 0, "probability"), float("nan")),
        (("settings",), {}),
    ],
)
def test_a_damaged_visit_json_is_refused(
    folders: list[Path], tmp_path: Path, keys: tuple[str | int, ...], value: object
) -> None:
    for file in folders[0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    plain = json.loads((tmp_path / VISIT).read_text())
    inner = plain
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    (tmp_path / VISIT).write_text(json.dumps(plain))
    with pytest.raises(FinishedVisitError, match=r"visit\.json"):
        read_finished(tmp_path, SETTINGS)
