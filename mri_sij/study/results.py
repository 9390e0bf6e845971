"""The files that the result of a visit or comparison consists of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mri_sij.report.folder import COMPARISON_FILES, VISIT_FILES
from mri_sij.study.job import Job
from mri_sij.whole import write_whole


def masks(job: Job) -> dict[str, Path]:
    """The places of a visit's masks as a BIDS derivative, by the names that they have in the finished visit."""
    visit = job.visits[0]
    place = job.basis.out / f"sub-{visit.patient}" / f"ses-{visit.visit}" / "anat"
    return {
        "anatomy.nii.gz": place / f"{visit.key}_desc-sij_dseg.nii.gz",
        "oedema.nii.gz": place / f"{visit.key}_desc-oedema_dseg.nii.gz",
    }


def _names_of(mask: Path) -> Path:
    """Where the names of a mask's labels go."""
    return mask.with_name(mask.name.replace(".nii.gz", ".tsv"))


def thumbnail(job: Job) -> Path:
    """Where the thumbnail of a visit goes."""
    return job.basis.out / "thumbnails" / f"{job.key}.png"


def write_derived(job: Job, labels: Mapping[str, Mapping[int, str]], picture: bytes | None) -> None:
    """Write the masks of a finished visit under the names of a BIDS derivative, and its thumbnail.

    `labels` holds the names of each mask's labels; a mask without any, and a picture that is None, are taken away.
    """
    beside = job.folder.parent  # one folder to look through for what a kill leaves
    for name, target in masks(job).items():
        table = _names_of(target)
        names = labels.get(name)
        if names:
            rows = "".join(f"{n}\t{what}\n" for n, what in sorted(names.items()))
            write_whole(target, (job.folder / name).read_bytes(), beside=beside)
            write_whole(table, f"index\tname\n{rows}", beside=beside)
        else:
            target.unlink(missing_ok=True)
            table.unlink(missing_ok=True)
    if picture is None:
        thumbnail(job).unlink(missing_ok=True)
    else:
        write_whole(thumbnail(job), picture, beside=beside)


def own_files(job: Job) -> list[Path]:
    """The files of a job's result that are there. What somebody else put into its folder is none of them."""
    names = VISIT_FILES if len(job.visits) == 1 else COMPARISON_FILES
    found = [path for path in job.folder.glob("*") if re.fullmatch(names, path.name)]
    if len(job.visits) == 1:
        for mask in masks(job).values():
            found += [mask, _names_of(mask)]
        found.append(thumbnail(job))
    return [path for path in found if path.is_file()]


def sizes_of(job: Job) -> dict[str, int | None]:
    """Each file of a job's result, relative to OUT, with its length; a form is its reader's to change, so without."""
    return {
        path.relative_to(job.basis.out).as_posix(): None if path.name == "form.csv" else path.stat().st_size
        for path in own_files(job)
    }


def harm_to(out: Path, sizes: Mapping[str, int | None]) -> str:
    """What befell the files of a result since it was made, "" for nothing."""
    for name, size in sizes.items():
        try:
            found = (out / name).stat().st_size
        except OSError:
            return "files are missing"
        if size is not None and size != found:
            return "files were changed"
    return ""


def discard(job: Job) -> None:
    """Take away what an earlier run made of a job that has no result now: it rests on what is no longer so."""
    for path in own_files(job):
        path.unlink(missing_ok=True)
    with suppress(OSError):  # of a folder that is not there, or holds files of a reader: those stay
        job.folder.rmdir()
