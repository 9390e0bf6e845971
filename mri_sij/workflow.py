"""The way of a visit from its folder to its score; nothing else joins the stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mri_sij.anatomy.backends import segment_visit
from mri_sij.anatomy.before import look_at_stir, usable_t1
from mri_sij.anatomy.find import Anatomy, Unusable, beside_joints, find_anatomy
from mri_sij.anatomy.t1_place import unseen
from mri_sij.compare.folder import is_finished, read_finished
from mri_sij.compare.kept import KEPT, write_kept
from mri_sij.compare.records import Comparison
from mri_sij.compare.visit import Visit, of_result
from mri_sij.compare.visits import compare_visits
from mri_sij.compare.write import comparison_json
from mri_sij.config import Settings
from mri_sij.errors import RefusedError, UsageError
from mri_sij.evidence import Evidence, NotScorable, Reason
from mri_sij.ingest.nifti import write_nifti
from mri_sij.ingest.visit import VisitImages, load_visit
from mri_sij.lesions.assess import find_oedema
from mri_sij.network.maps import Maps
from mri_sij.network.run import predict
from mri_sij.report.comparison import TITLE as COMPARISON_TITLE
from mri_sij.report.comparison import comparison_page
from mri_sij.report.folder import COMPARISON_FILES, VISIT_FILES, whole_folder
from mri_sij.report.masks import in_native_order
from mri_sij.report.page import TITLE, visit_page
from mri_sij.report.record import visit_json
from mri_sij.report.tables import quadrants_csv
from mri_sij.result import Reading, VisitResult
from mri_sij.scoring.form import write_form
from mri_sij.scoring.overrule import overrule
from mri_sij.scoring.seen import not_enough_seen, partly_seen
from mri_sij.scoring.sheet import score
from mri_sij.volume import Volume

Progress = Callable[[str], None]


def _silent(stage: str) -> None:
    """Tell nobody."""


def score_visit(
    path: Path,
    settings: Settings,
    *,
    series: int | None = None,
    overrule_form: Path | None = None,
    progress: Progress = _silent,
) -> VisitResult:
    """Score the visit in a folder (or file): what cannot be scored comes back with its reasons.

    `series` names the STIR by the number that `mri-sij scan` lists; `overrule_form` holds a reader's changes to single
    items. RefusedError when the input or the form cannot be read without guessing.
    """
    progress("reading")
    images = load_visit(path, series=series, settings=settings.ingest)
    result = score_images(images, settings, progress=progress)
    if overrule_form is None or result.evidence is None:
        return result
    return _with_reader(result, result.evidence, overrule_form)


def score_images(images: VisitImages, settings: Settings, *, progress: Progress = _silent) -> VisitResult:
    """Score images that were read: network, anatomy, oedema, scores. What cannot be scored has its reasons instead."""
    stir = images.stir.reordered(images.stir.grid.reading_order)
    t1, left_out = usable_t1(images.t1, stir)
    result = VisitResult(images, stir, t1, settings, cautions=(*images.cautions, *left_out))
    seen = look_at_stir(stir, result.native_slice)
    if isinstance(seen, NotScorable):
        return replace(result, reasons=seen.reasons)
    result = replace(result, cautions=(*result.cautions, *seen))
    maps, t1, anatomy, partial = find(stir, t1, settings, progress)
    result = replace(result, t1=t1, cautions=(*result.cautions, *partial))
    if isinstance(anatomy, Unusable):
        return replace(result, unusable=anatomy, reasons=anatomy.why.reasons)
    result = replace(result, anatomy=anatomy, cautions=(*result.cautions, *anatomy.slice_choice.cautions))
    progress("oedema")
    findings = find_oedema(stir, t1, anatomy, maps, settings.lesions)
    if isinstance(findings, NotScorable):
        return replace(result, reasons=findings.reasons)
    progress("scores")
    evidence = _in_native_numbers(findings.evidence, result)
    sheet = score(evidence, settings.scoring)
    unseen = not_enough_seen(sheet.sparcc, settings.scoring)
    if unseen:
        return replace(result, reasons=unseen)
    cautions = (*result.cautions, *findings.cautions, *partly_seen(sheet.sparcc))
    return replace(result, findings=findings, evidence=evidence, sheet=sheet, cautions=cautions)


def find(
    stir: Volume, t1: Volume | None, settings: Settings, progress: Progress = _silent
) -> tuple[Maps, Volume | None, Anatomy | Unusable, tuple[Reason, ...]]:
    """What the network says, the T1 that was used, the anatomy (all in the reading frame), and why a T1 was left out.

    A T1 that does not show the joints is known by the joints alone, so they are found a second time without it.
    """
    progress("network")
    maps = predict(stir, t1)
    progress("anatomy")
    anatomy = find_anatomy(stir, segment_visit(stir, t1, maps, settings.anatomy), settings.anatomy, t1)
    partial = () if t1 is None else unseen(t1, beside_joints(anatomy, settings.lesions.reach_mm))
    if not partial:
        return maps, t1, anatomy, ()
    maps, t1, anatomy, _ = find(stir, None, settings, progress)
    return maps, t1, anatomy, partial


def _in_native_numbers(evidence: Evidence, result: VisitResult) -> Evidence:
    """Evidence that names slices as the series does, not as the reading frame."""
    return Evidence(tuple(replace(j, slice_number=result.native_slice(j.slice_number)) for j in evidence.joints))


def _with_reader(result: VisitResult, evidence: Evidence, form: Path) -> VisitResult:
    changed = overrule(evidence, form)
    return replace(result, reading=Reading(changed, score(changed.evidence, result.settings.scoring)))


def compare_paths(paths: Sequence[Path], settings: Settings, *, progress: Progress = _silent) -> Comparison:
    """Compare the visits in `paths`, the baseline first: folders of images, which are scored, or of finished visits.

    A visit that is not scorable, or a follow-up that cannot be compared, comes back with its reasons. UsageError for
    fewer than two visits; RefusedError when one cannot be read without guessing.
    """
    if len(paths) < 2:
        raise UsageError(
            "A comparison needs a baseline and at least one follow-up.", hint="mri-sij compare VISIT1 VISIT2 -o OUT"
        )
    visits: list[Visit | tuple[Reason, ...]] = []
    for number, path in enumerate(paths, start=1):
        try:
            visits.append(
                read_finished(path, settings)
                if is_finished(path)
                else of_result(score_visit(path, settings, progress=progress))
            )
        except RefusedError as error:  # told by its place: the name of a folder may be a person's
            error.message = f"Visit {number} of {len(paths)}: {error.message}"
            raise
    progress("comparing")
    return compare_visits(visits, settings)


def write_comparison(comparison: Comparison, settings: Settings, out: Path, title: str = COMPARISON_TITLE) -> None:
    """Write `comparison.json`, `comparison.html` and, for each follow-up that was compared, `change.nii.gz` (further
    ones as `change-1.nii.gz` and so on, the last one plain) to the folder `out`: all of it or nothing."""
    with whole_folder(out, COMPARISON_FILES) as folder:
        _write_text(folder / "comparison.json", comparison_json(comparison, settings))
        _write_text(folder / "comparison.html", comparison_page(comparison, title))
        last = comparison.followups[-1].number
        for followup in comparison.followups:
            if followup.change is not None and comparison.baseline is not None:
                name = "change.nii.gz" if followup.number == last else f"change-{followup.number}.nii.gz"
                write_nifti(in_native_order(followup.change.labels, comparison.baseline.native), folder / name)


def write_visit(result: VisitResult, out: Path, title: str = TITLE) -> None:
    """Write the finished visit to the folder `out`: all of it or nothing, built beside it and renamed.

    `visit.json`, `quadrants.csv` and `report.html` always; `anatomy.nii.gz` where bones were found; `oedema.nii.gz`,
    `form.csv` (which a reader can change and give back with `--overrule`) and `followup.npz` (for comparisons) where
    the visit is scored. A finished visit that is already there is replaced; UsageError when `out` is a file or holds
    anything else.
    """
    with whole_folder(out, VISIT_FILES) as folder:
        _write_into(result, folder, title)


def _write_into(result: VisitResult, folder: Path, title: str) -> None:
    changes = result.reading.overruled.changes if result.reading else ()
    _write_text(folder / "visit.json", visit_json(result))
    _write_text(folder / "quadrants.csv", quadrants_csv(result.evidence, changes))
    _write_text(folder / "report.html", visit_page(result, title))
    if result.evidence is not None:
        write_form(result.evidence, folder / "form.csv")
    segmentation, findings, native = result.segmentation, result.findings, result.images.stir.grid
    if segmentation is not None:
        write_nifti(in_native_order(segmentation.labels, native), folder / "anatomy.nii.gz")
    if findings is not None:
        write_nifti(in_native_order(findings.oedema, native), folder / "oedema.nii.gz")
    if result.status == "scored":
        write_kept(result, folder / KEPT)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")
