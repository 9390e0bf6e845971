"""What a task makes: the finished visit with its masks and thumbnail, or the finished comparison."""

from __future__ import annotations

from collections.abc import Mapping

from mri_sij.compare.visit import of_result
from mri_sij.compare.visits import compare_visits
from mri_sij.config import Settings
from mri_sij.errors import RefusedError
from mri_sij.ingest.choose import choose
from mri_sij.ingest.discover import index_files
from mri_sij.ingest.tree import FoundFile, printable
from mri_sij.ingest.visit import only_visit, read_visit
from mri_sij.report.thumbnail import thumbnail_png
from mri_sij.result import VisitResult
from mri_sij.study.job import Job
from mri_sij.study.plan import PlannedVisit
from mri_sij.study.results import write_derived
from mri_sij.study.state import paths_of, root_of
from mri_sij.study.task import Told
from mri_sij.workflow import score_images, write_comparison, write_visit


def score(job: Job) -> Told:
    """Score the visit of a job and write it. RefusedError where its images cannot be read without guessing."""
    (visit,) = job.visits
    result = _result(visit, job)
    write_visit(result, job.folder, visit.key)
    write_derived(job, _labels(result), thumbnail_png(result))
    if result.status == "scored":
        return "done", "", ""
    return "not_scorable", result.reasons[0].code, " ".join(reason.message for reason in result.reasons)


def compare(job: Job) -> Told:
    """Compare the two visits of a job and write the comparison."""
    settings = Settings.model_validate_json(job.basis.settings_json)
    baseline, followup = job.visits
    scored = [of_result(_result(visit, job)) for visit in job.visits]
    comparison = compare_visits(scored, settings)
    write_comparison(comparison, settings, job.folder, f"sub-{baseline.patient}: {baseline.visit} → {followup.visit}")
    last = comparison.followups[-1]
    if last.change is not None:
        return "done", "", ""
    return "not_scorable", last.reasons[0].code, " ".join(reason.message for reason in last.reasons)


def _result(visit: PlannedVisit, job: Job) -> VisitResult:
    settings = Settings.model_validate_json(job.basis.settings_json)
    root = root_of(job.basis.study, visit)
    files = [FoundFile(path, printable(path, root)) for _, path in paths_of(job.basis.study, visit)]
    missing = sum(not file.path.is_file() for file in files)
    if missing:
        raise RefusedError(f"{missing} of {len(files)} files went away after the study was listed.", hint="Run again.")
    found = only_visit(index_files(root, files))
    return score_images(read_visit(found, choose(found, settings.ingest, None)), settings)


def _labels(result: VisitResult) -> dict[str, Mapping[int, str]]:
    found: dict[str, Mapping[int, str]] = {}
    if result.segmentation is not None:
        found["anatomy.nii.gz"] = result.segmentation.labels.names
    if result.findings is not None and result.sheet is not None:
        found["oedema.nii.gz"] = result.findings.oedema.names
    return found
