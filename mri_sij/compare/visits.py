"""Compare a baseline with one or more follow-ups: align, carry, read the same levels, judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mri_sij.anatomy.labels import SACRUM
from mri_sij.compare import levels
from mri_sij.compare.align import Alignment, align, measure
from mri_sij.compare.beside import read_beside
from mri_sij.compare.change import compare_forms
from mri_sij.compare.comparability import compare_grids, compare_sequences
from mri_sij.compare.outcome import ChangeClass, certainly, class_probabilities, judge
from mri_sij.compare.records import CHANGE_NAMES, NEW, PERSISTING, RESOLVED, Change, Comparison, FollowUp, VolumeChange
from mri_sij.compare.refine import refine_all
from mri_sij.compare.rigid import pair_up
from mri_sij.compare.surface import find_surfaces
from mri_sij.compare.trajectory import follow
from mri_sij.compare.visit import Visit
from mri_sij.config import Settings
from mri_sij.evidence import Reason
from mri_sij.lesions.search import Search
from mri_sij.scoring.sparcc import HIGHEST, Sparcc, score_sparcc
from mri_sij.volume import LabelMap, Volume

Scored = Visit | tuple[Reason, ...]
_ALL = 0.99
"""Share of the scored bone from which it counts as seen: less than a hundredth turns no item."""


def compare_visits(visits: Sequence[Scored], settings: Settings) -> Comparison:
    """Compare the first visit with each later one, in order of time; a visit that is not scorable comes as its reasons.

    Never raises for what the images hold: a follow-up that cannot be compared carries its reasons.
    """
    baseline = visits[0]
    if not isinstance(baseline, Visit):
        reasons = (Reason("baseline_not_scorable", "The baseline is not scorable."), *baseline)
        later = tuple(_not_compared(n, v, reasons) for n, v in enumerate(visits[1:], start=1))
        return Comparison(None, None, later, None, reasons)
    search = levels.search_of(baseline, settings.lesions)
    found = tuple(
        _follow_up(n, visit, baseline, search, _order(visits, n), settings)
        for n, visit in enumerate(visits[1:], start=1)
    )
    totals = [float(baseline.form.total), *(None if f.change is None else float(f.change.form.total) for f in found)]
    return Comparison(baseline, search, found, follow(totals, settings.compare), ())


def _not_compared(number: int, visit: Scored, reasons: tuple[Reason, ...]) -> FollowUp:
    return FollowUp(number, visit if isinstance(visit, Visit) else None, None, None, None, reasons, ())


def _follow_up(
    number: int, visit: Scored, baseline: Visit, search: Search, order: tuple[Reason, ...], settings: Settings
) -> FollowUp:
    if not isinstance(visit, Visit):
        reason = Reason("followup_not_scorable", "The follow-up is not scorable.")
        return _not_compared(number, visit, (reason, *visit))
    sequences = compare_sequences(baseline.acquisition, visit.acquisition, settings.compare)
    if order:
        return FollowUp(number, visit, None, None, None, order, ())
    alignment = align_visits(baseline, visit, settings)
    if alignment.failures:
        reasons = (*sequences.reasons, *alignment.failures)
        return FollowUp(number, visit, alignment, None, None, reasons, sequences.cautions)
    grids = compare_grids(baseline.labels.grid, visit.labels.grid, alignment.bones[SACRUM].motion, settings.compare)
    carried = levels.carry(search, visit, alignment)
    if baseline.intensity is None:
        carried = replace(carried, ratio=None)  # there is nothing to hold the follow-up's signal against
    seen = levels.levels_seen(search, carried, baseline.slices, settings.lesions)
    reasons = (*sequences.reasons, *grids.reasons, *_unseen(seen, settings))
    cautions = (
        *sequences.cautions, *grids.cautions, *_same_scan(baseline, visit), *_without_images(baseline, visit),
        *_partly_seen(seen),
    )  # fmt: skip
    change = None
    if not reasons:
        own = levels.own_oedema(search, baseline)
        carried = read_beside(search, own, carried, settings.compare)
        whole = levels.completed(search, carried, own)
        later = _followup_form(search, whole, (baseline, visit), alignment, settings)
        nearest = levels.nearest_slices(baseline, visit, alignment)
        change = _change(
            baseline, visit, (search, carried.oedema, carried.seen), (baseline.form, later), nearest, settings
        )
    return FollowUp(number, visit, alignment, grids.tilt_deg, change, reasons, cautions)


def _followup_form(
    search: Search, carried: levels.Carried, visits: tuple[Visit, Visit], alignment: Alignment, settings: Settings
) -> Sparcc:
    """The follow-up's form on the baseline's levels."""
    baseline, followup = visits
    if _is_same_scan(baseline, followup):
        return baseline.form
    evidence = levels.read_followup(search, carried, visits, alignment, settings)
    return score_sparcc(evidence, settings.scoring)


def _is_same_scan(baseline: Visit, followup: Visit) -> bool:
    same = baseline.input_sha256 == followup.input_sha256
    return same and baseline.labels.grid.same_as(followup.labels.grid)


def align_visits(baseline: Visit, followup: Visit, settings: Settings) -> Alignment:
    """Lay the follow-up's bones on the baseline's, refined on the images where both visits have them."""
    if _is_same_scan(baseline, followup):
        return _unmoved(baseline)
    found = align(baseline.labels, followup.labels, settings.compare)
    pairs = [(baseline.t1, followup.t1), (baseline.stir, followup.stir)]
    images: list[tuple[Volume, Volume]] = [(a, b) for a, b in pairs if a is not None and b is not None]
    if found.failures or not images:
        return found
    return refine_all(found, baseline.labels, images, settings.compare)


def _unmoved(visit: Visit) -> Alignment:
    """The alignment of a scan with itself: nothing moved, nothing to search for."""
    surfaces = find_surfaces(visit.labels)
    own = {bone: measure(bone, pair_up(s, s, 100), np.eye(4)) for bone, s in surfaces.items()}
    return Alignment(np.eye(4), MappingProxyType(own), ())


def _order(visits: Sequence[Scored], number: int) -> tuple[Reason, ...]:
    """Why visit `number` is not the next in order of time: an earlier one that says its day was scanned after it."""
    days = [v.day if isinstance(v, Visit) else None for v in visits[: number + 1]]
    day = days.pop()
    before = [(other, n) for n, other in enumerate(days) if other is not None]
    if day is None or not before or max(before)[0] <= day:
        return ()
    latest, n = max(before)
    name = f"follow-up {n}" if n else "the baseline"
    text = f"The follow-up was scanned {latest - day} days before {name}: name the visits in order of time."
    return (Reason("wrong_order", text),)


def _same_scan(baseline: Visit, visit: Visit) -> tuple[Reason, ...]:
    if not _is_same_scan(baseline, visit):
        return ()
    return (Reason("same_scan", "Both visits are the same scan: there is no change, and none could be seen."),)


def _without_images(baseline: Visit, visit: Visit) -> tuple[Reason, ...]:
    if baseline.stir is not None and visit.stir is not None:
        return ()
    text = "Finished visits were compared without their images: aligned on the bones' surfaces alone."
    return (Reason("without_images", text),)


def _unseen(seen: float, settings: Settings) -> tuple[Reason, ...]:
    if seen >= settings.compare.levels_seen:
        return ()
    text = (
        f"The follow-up shows {seen:.0%} of the bone that is scored at the baseline's levels; "
        f"{settings.compare.levels_seen:.0%} are needed."
    )
    return (Reason("levels_not_seen", text),)


def _partly_seen(seen: float) -> tuple[Reason, ...]:
    if seen >= _ALL:
        return ()
    text = (
        f"The follow-up shows {seen:.1%} of the bone that is scored at the baseline's levels: the rest counts as "
        f"unchanged, and volumes leave it out."
    )
    return (Reason("levels_partly_seen", text),)


def _change(
    baseline: Visit,
    visit: Visit,
    arrays: tuple[Search, NDArray[np.bool_], NDArray[np.bool_]],
    forms: tuple[Sparcc, Sparcc],
    nearest: Mapping[int, int],
    settings: Settings,
) -> Change:
    search, oedema, seen = arrays
    first, second = forms
    changes = compare_forms(first, second)
    if _is_same_scan(baseline, visit):
        probabilities = certainly(ChangeClass.STABILITY)
    else:
        shares = followup_shares(baseline, visit, first.total, second.total)
        probabilities = class_probabilities(shifted(baseline, first.total), shares, settings.compare)
    outcome = judge(first.total, second.total, settings.compare, gained=changes.gained, lost=changes.lost)
    own = levels.own_oedema(search, baseline)
    label = np.zeros(search.code.shape, np.uint8)
    label[own & ~oedema & seen] = RESOLVED
    label[own & oedema] = PERSISTING
    label[~own & oedema] = NEW
    whole = np.zeros(search.grid.shape, np.uint8)
    whole[search.box] = label
    return Change(
        form=second,
        changes=changes,
        outcome=outcome,
        probabilities=probabilities,
        volumes=_volumes(search, label),
        followup_slices=tuple(nearest[k] for k in baseline.slices),
        oedema=oedema,
        labels=LabelMap(whole, search.grid, CHANGE_NAMES),
    )


def followup_shares(baseline: Visit, followup: Visit, first: int, second: int) -> dict[int, float]:
    """The distribution of the follow-up's total where the totals at the compared levels are `first` and `second`.

    A follow-up whose own reading finds nothing holds what is left of the baseline's oedema: where a reading finds less
    of that, less of it is left.
    """
    if followup.form.total or not (first and second):
        return shifted(followup, second)
    return _moved(baseline, second, lambda value: round(value * second / first))


def shifted(visit: Visit, total: int) -> dict[int, float]:
    """The distribution of a visit's total, moved from its own slices' total to that of the compared levels (0-72)."""
    return _moved(visit, total, lambda value: value - visit.form.total + total)


def _moved(visit: Visit, total: int, to: Callable[[int], int]) -> dict[int, float]:
    """The distribution of a visit's total with each value carried `to` another within 0-72; all at `total` without."""
    shares: dict[int, float] = {}
    for value, share in visit.shares:
        place = int(np.clip(to(value), 0, HIGHEST))
        shares[place] = shares.get(place, 0.0) + share
    return shares or {total: 1.0}


def _volumes(search: Search, label: NDArray[np.uint8]) -> tuple[VolumeChange, ...]:
    found = []
    for where in (0, 1, 2, 3, 4):
        own = label if where == 0 else np.where(search.code == where, label, 0)
        counts = np.bincount(own.ravel(), minlength=4) * search.grid.voxel_ml
        found.append(VolumeChange(where, float(counts[RESOLVED]), float(counts[PERSISTING]), float(counts[NEW])))
    return tuple(found)
