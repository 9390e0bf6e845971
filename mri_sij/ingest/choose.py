"""Which series of a visit is the STIR of the sacroiliac joints, which T1 goes with it, and why not the others."""

from __future__ import annotations

from dataclasses import replace

from mri_sij.config import IngestSettings
from mri_sij.errors import RefusedError
from mri_sij.evidence import Reason
from mri_sij.geometry import Grid
from mri_sij.ingest.candidate import Candidate, Choice, NoStirError, SeriesChoice
from mri_sij.ingest.choose_t1 import choose_t1
from mri_sij.ingest.contrast import kind_by_contrast, looks_like_labels
from mri_sij.ingest.index import Visit
from mri_sij.ingest.plane import plane_of
from mri_sij.ingest.read import read_series_volume
from mri_sij.ingest.sequence import Sequence, is_fluid_sensitive, sequence_of

_KIND_RANK = {"stir": 3, "t2fs": 2, "pdfs": 1}
_PLANE_RANK = {"oblique coronal": 3, "coronal": 2, "oblique axial": 1, "axial": 1}


def choose(visit: Visit, settings: IngestSettings, series: int | None = None) -> Choice:
    """Choose by times and options, then plane, coverage and frame of reference, and words last.

    `series` names the STIR where the caller knows better; its geometry must still be sound, and NoStirError where its
    times are those of a T1. Reads pixels only of files that say nothing of themselves.
    """
    reasons: dict[tuple[int, int], str] = {}
    files: tuple[str, ...] = ()
    candidates = []
    for one in visit.series:
        for volume in one.volumes:
            sequence = sequence_of(volume.protocol, settings)
            if volume.grid is None:
                lost = volume.refused or RefusedError("no geometry")
                reasons[(one.number, volume.number)] = f"refused: {lost.message}"
                files += lost.files
                continue
            candidates.append(Candidate(one, volume, sequence, volume.grid))
    cautions: list[Reason] = []
    candidates = _dynamic_removed(candidates, reasons)
    candidates = [_told_by_contrast(one, candidates, cautions) for one in candidates]
    stir = _choose_stir(candidates, settings, series, reasons, cautions)
    t1 = choose_t1(stir, candidates, settings, reasons, cautions) if stir else None
    if stir:
        cautions.extend(_stir_cautions(stir))
    considered = _considered(visit, candidates, (stir, t1), reasons)
    return Choice(stir, t1, considered, tuple(dict.fromkeys(cautions)), files)


def _dynamic_removed(candidates: list[Candidate], reasons: dict[tuple[int, int], str]) -> list[Candidate]:
    """A series of many volumes that differ only in time or diffusion is dynamic: none of them is the STIR."""
    kept = []
    for one in candidates:
        count = len(one.series.volumes)
        if count > 1 and any(word in one.volume.distinct for word in ("time", "diffusion", "trigger", "volume")):
            reasons[one.key] = f"a dynamic series of {count} volumes; {one.sequence.reason}"
        else:
            kept.append(one)
    return kept


def _told_by_contrast(one: Candidate, candidates: list[Candidate], cautions: list[Reason]) -> Candidate:
    """The kind by contrast, for an image that says nothing of itself in a visit where no other says STIR."""
    if one.sequence.kind != "unknown" or any(is_fluid_sensitive(other.sequence.kind) for other in candidates):
        return one
    if plane_of(one.grid).name == "sagittal":
        return one
    try:
        volume, _ = read_series_volume(one.volume)
    except RefusedError as error:
        return replace(one, sequence=Sequence("other", "", f"refused: {error.message}"))
    if looks_like_labels(volume):
        return replace(one, sequence=Sequence("other", "contrast", "a mask by its voxels"))
    kind = kind_by_contrast(volume)
    if kind == "unknown":
        return one
    cautions.append(
        Reason("kind_by_contrast", f"Series {one.series.number} says nothing of itself; by its contrast it is {kind}.")
    )
    name = "fat-suppressed" if kind == "stir" else "T1"
    return replace(one, sequence=Sequence(kind, "contrast", f"{name} by its contrast alone"))


def _choose_stir(
    candidates: list[Candidate],
    settings: IngestSettings,
    series: int | None,
    reasons: dict[tuple[int, int], str],
    cautions: list[Reason],
) -> Candidate | None:
    if series is not None:
        return _named(candidates, series, reasons, cautions)
    fitting = []
    for one in candidates:
        reason = _why_no_stir(one, settings)
        if reason:
            reasons[one.key] = reason
        else:
            fitting.append(one)
    if not fitting:
        return None
    best = sorted(fitting, key=lambda one: (*(-v for v in _stir_rank(one)), *one.key))
    chosen = best[0]
    equal = [one for one in best[1:] if _stir_rank(one) == _stir_rank(chosen)]
    if equal:
        cautions.append(_equally_good(chosen, equal))
    for one in best[1:]:
        word = "as good as" if one in equal else "fits less well than"
        reasons[one.key] = f"{one.sequence.reason}, {_plane_text(one)}: {word} series {chosen.label}"
    return chosen


def _equally_good(chosen: Candidate, equal: list[Candidate]) -> Reason:
    labels = ", ".join(one.label for one in equal)
    way = "Name one with --series"
    if any(one.series is chosen.series for one in equal):
        way = f"Take one out with `mri-sij convert --series {chosen.series.number} --volume K`"
    message = f"Series {chosen.label} and {labels} are equally good; the first is used. {way} to decide."
    return Reason("equally_good", message)


def _named(
    candidates: list[Candidate], series: int, reasons: dict[tuple[int, int], str], cautions: list[Reason]
) -> Candidate:
    found = [one for one in candidates if one.series.number == series]
    if not found:
        why = next((reason for (number, _), reason in reasons.items() if number == series), "it is not there")
        raise NoStirError(
            f"Series {series} cannot be used: {why.rstrip('.')}.",
            hint="`mri-sij scan` lists the series of this folder with their numbers; `mri-sij convert --series N "
            "--volume K` takes one volume of a dynamic series out.",
        )
    best = sorted(found, key=lambda one: (*(-v for v in _named_rank(one)), *one.key))
    chosen = best[0]
    equal = [one for one in best[1:] if _named_rank(one) == _named_rank(chosen)]
    if equal:
        cautions.append(_equally_good(chosen, equal))
    elif len(found) > 1:
        told = f"Series {series} holds {len(found)} volumes; volume {chosen.volume.number} is used"
        cautions.append(Reason("one_of_several_volumes", f"{told}: {chosen.sequence.reason}."))
    if chosen.sequence.kind == "t1" and chosen.sequence.decided_by == "timing":
        raise NoStirError(
            f"Series {series} cannot be used: {chosen.sequence.reason}, on which oedema is not bright.",
            hint="`mri-sij scan` lists the series of this folder with their numbers.",
        )
    if not is_fluid_sensitive(chosen.sequence.kind):
        cautions.append(
            Reason(
                "named_by_caller", f"Series {series} was named by the caller; by itself it is {chosen.sequence.reason}."
            )
        )
        return replace(chosen, sequence=Sequence("stir", "caller", chosen.sequence.reason))
    if chosen.sequence.decided_by == "words":
        return replace(chosen, sequence=replace(chosen.sequence, decided_by="caller"))
    return chosen


def _named_rank(one: Candidate) -> tuple[float, ...]:
    """Among the volumes of a series that the caller named, a fluid-sensitive one comes first whatever its plane."""
    return is_fluid_sensitive(one.sequence.kind), *_stir_rank(one)


def _why_no_stir(one: Candidate, settings: IngestSettings) -> str:
    """Why this volume cannot be the STIR; "" where it can."""
    reason = one.sequence.reason
    if not is_fluid_sensitive(one.sequence.kind):
        return _with_part(one, f"not fluid-sensitive: {reason}")
    if _elsewhere(one):
        return f"{reason}, but of another part of the body"
    plane = plane_of(one.grid)
    if plane.name == "sagittal":
        return f"{reason}, but sagittal"
    width, depth, slices = _extent(one.grid)
    if slices < settings.min_slices or depth < settings.min_depth_mm:
        return (
            f"{reason}, but {slices} slices over {depth:.0f} mm (expected {settings.min_slices} over "
            f"{settings.min_depth_mm:g} mm or more)"
        )
    if width < settings.min_width_mm:
        return f"{reason}, but {width:.0f} mm wide; both joints need {settings.min_width_mm:g} mm"
    return ""


def _with_part(one: Candidate, reason: str) -> str:
    return reason + "; of another part of the body" if _elsewhere(one) else reason


def _elsewhere(one: Candidate) -> bool:
    protocol = one.volume.protocol
    here = {"sacroiliac", "pelvis"} & (protocol.words | protocol.study_words)
    return protocol.body_part == "other" or ("other_part" in protocol.words and not here)


def _extent(grid: Grid) -> tuple[float, float, int]:
    """Width from left to right (mm), depth through the slices (mm), number of slices."""
    k = grid.slice_axis
    in_plane = [axis for axis in range(3) if axis != k]
    wide = max(in_plane, key=lambda axis: abs(grid.directions[0, axis]))
    return grid.shape[wide] * grid.spacing_mm[wide], grid.shape[k] * grid.spacing_mm[k], grid.shape[k]


def _stir_rank(one: Candidate) -> tuple[float, ...]:
    words = one.volume.protocol.words | one.volume.protocol.study_words
    return (
        _PLANE_RANK.get(plane_of(one.grid).name, 0),
        _KIND_RANK.get(one.sequence.kind, 0),
        one.sequence.decided_by == "timing",
        not one.volume.protocol.contrast_agent,
        "sacroiliac" in words,
    )


def _stir_cautions(stir: Candidate) -> list[Reason]:
    found = []
    plane = plane_of(stir.grid)
    if "axial" in plane.name:
        found.append(Reason("axial", f"The STIR is {plane.name}; SPARCC is defined on semicoronal slices."))
    if stir.volume.protocol.contrast_agent:
        found.append(Reason("contrast_agent", "The STIR was taken after a contrast agent."))
    if stir.sequence.decided_by == "words":
        found.append(
            Reason("kind_by_words", "No times say what the image is; it was taken for fat-suppressed by its words.")
        )
    found.extend(stir.series.cautions)
    return found


def _plane_text(one: Candidate) -> str:
    plane = plane_of(one.grid)
    return f"{plane.name} ({plane.tilt_deg:.0f} degrees from coronal)"


def _considered(
    visit: Visit,
    candidates: list[Candidate],
    used: tuple[Candidate | None, Candidate | None],
    reasons: dict[tuple[int, int], str],
) -> tuple[SeriesChoice, ...]:
    told = {one.key: one for one in candidates}
    uses = {one.key: use for one, use in zip(used, ("stir", "t1"), strict=True) if one}
    told.update({one.key: one for one in used if one})
    result = []
    for series in visit.series:
        for volume in series.volumes:
            key = (series.number, volume.number)
            plane = plane_of(volume.grid) if volume.grid else None
            candidate = told.get(key)
            kind = candidate.sequence.kind if candidate else ""
            reason = reasons.get(key, "")
            if key in uses and candidate:
                reason = f"{candidate.sequence.reason}, {_plane_text(candidate)}"
            result.append(
                SeriesChoice(
                    series.number,
                    volume.number,
                    uses.get(key, ""),
                    kind,
                    plane.name if plane else "",
                    round(plane.tilt_deg, 1) if plane else None,
                    reason or (candidate.sequence.reason if candidate else ""),
                )
            )
    return tuple(result)
