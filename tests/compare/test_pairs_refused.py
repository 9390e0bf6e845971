"""Pairs of visits that must not be compared, and the laws that a comparison keeps."""

from __future__ import annotations

from dataclasses import replace

import altered
import numpy as np
import pytest

from mri_sij.compare import levels
from mri_sij.compare.beside import read_beside
from mri_sij.compare.change import Trend
from mri_sij.compare.outcome import ChangeClass
from mri_sij.compare.records import FollowUp
from mri_sij.compare.visit import Intensity, Visit
from mri_sij.compare.visits import align_visits, compare_visits
from mri_sij.compare.write import sentence
from mri_sij.config import CompareSettings, Settings
from mri_sij.lesions.items import NUMBER_OF_HALF
from mri_sij.lesions.records import OEDEMA_LABELS
from mri_sij.scoring.sparcc import Sparcc

SETTINGS = Settings()
OTHER = "ef" * 32


@pytest.fixture(scope="module")
def visit(pictured: Visit) -> Visit:
    return replace(pictured, stir=None, t1=None, intensity=None)


def followup(*visits: Visit) -> FollowUp:
    return compare_visits(visits, SETTINGS).followups[0]


def test_two_persons_are_refused_and_told_apart(visit: Visit) -> None:
    found = compare_visits([visit, altered.of_another_size(visit, 1.2)], SETTINGS)
    assert found.followups[0].change_class is ChangeClass.NOT_COMPARABLE
    assert "not_aligned" in {r.code for r in found.followups[0].reasons}
    assert "Another person" in sentence(found.followups[0])
    assert found.followups[0].change is None


def test_another_plane_is_refused_and_a_little_tilt_is_not(visit: Visit) -> None:
    far, near = followup(visit, altered.tilted(visit, 55)), followup(visit, altered.tilted(visit, 10))
    assert {"plane"} <= {r.code for r in far.reasons}
    assert "degrees apart" in " ".join(r.message for r in far.reasons)
    assert "plane" not in {r.code for r in near.reasons}
    assert near.tilt_deg == pytest.approx(10, abs=1.5)


def test_no_overlap_is_refused(visit: Visit) -> None:
    shape = visit.labels.grid.shape
    back = followup(visit, altered.cut(visit, np.array([0.0, 0, 10]), (shape[0], shape[1], 4)))
    assert back.change_class is ChangeClass.NOT_COMPARABLE
    assert {r.code for r in back.reasons} & {"no_overlap", "levels_not_seen"}
    assert "are needed" in " ".join(r.message for r in back.reasons)


def test_a_field_of_view_without_one_joint_is_refused(visit: Visit) -> None:
    shape = visit.labels.grid.shape
    half = followup(visit, altered.cut(visit, np.array([0.0, 0, 0]), (100, shape[1], shape[2])))
    assert [r.code for r in half.reasons] == ["bone_missing"]
    assert "left ilium" in half.reasons[0].message


def test_visits_in_the_wrong_order_are_refused_and_the_interval_is_told_otherwise(visit: Visit) -> None:
    later = replace(visit, day=730_400, input_sha256=OTHER)
    earlier = replace(visit, day=730_001)
    assert [r.code for r in followup(later, earlier).reasons] == ["wrong_order"]
    assert "399 days before" in followup(later, earlier).reasons[0].message
    assert followup(earlier, later).interval_days(earlier) == 399


def test_swapped_visits_negate(visit: Visit) -> None:
    gone = altered.without_oedema(visit)
    there, back = followup(visit, gone).change, followup(gone, visit).change
    assert there is not None and back is not None
    assert there.outcome.delta == -back.outcome.delta
    for one, other in zip(there.changes.quadrants, back.changes.quadrants, strict=True):
        assert (one.baseline, one.followup) == (other.followup, other.baseline)
    assert there.volume.resolved_ml == pytest.approx(back.volume.new_ml)
    assert there.changes.count(Trend.RESOLVED) == back.changes.count(Trend.NEW)


def test_mirrored_visits_swap_sides(visit: Visit) -> None:
    gone = altered.without_oedema(visit)
    plain = followup(visit, gone).change
    other = followup(altered.mirrored(visit), altered.mirrored(gone)).change
    assert plain is not None and other is not None
    assert (plain.changes.left.delta, plain.changes.right.delta) == (0, -8)
    assert (other.changes.left.delta, other.changes.right.delta) == (-8, 0)
    by_place = {v.where: v.resolved_ml for v in plain.volumes}
    assert {v.where: v.resolved_ml for v in other.volumes} == {
        {0: 0, 1: 3, 2: 4, 3: 1, 4: 2}[where]: ml for where, ml in by_place.items()
    }


def seen_twice(pictured: Visit, faded: float) -> Visit:
    """Another scan in which oedema lost a share of its excess over marrow, and whose own reading calls none."""
    assert pictured.intensity is not None
    ratio = np.where(
        pictured.oedema.data > 0, 1 + (pictured.intensity.ratio - 1) * (1 - faded), pictured.intensity.ratio
    )
    gone = altered.without_oedema(pictured)
    return replace(gone, stir=None, t1=None, intensity=Intensity(ratio.astype(np.float32), 3.0))


def test_oedema_as_bright_as_before_has_not_gone_although_it_was_not_called(pictured: Visit) -> None:
    plain = replace(pictured, stir=None, t1=None)
    same = seen_twice(plain, 0.1)
    stayed, came = followup(plain, same).change, followup(same, plain).change
    assert stayed is not None and came is not None
    assert stayed.outcome.delta == 0 and stayed.volume.resolved_ml == 0
    assert came.outcome.delta == 0 and came.volume.new_ml == 0


def test_oedema_that_faded_is_what_the_visits_own_reading_says(pictured: Visit) -> None:
    plain = replace(pictured, stir=None, t1=None)
    faded = seen_twice(plain, 0.9)
    went, came = followup(plain, faded).change, followup(faded, plain).change
    assert went is not None and came is not None
    assert (went.outcome.delta, came.outcome.delta) == (-8, 8)


@pytest.mark.parametrize(
    ("intense", "limit", "changed"),
    [(False, 2.4, 0), (False, 2.1, 1), (True, 2.6, 0), (True, 3.0, -1)],  # the oedema is 2.5 times marrow
)
def test_a_joint_becomes_intense_or_ceases_to_be_by_a_tenth_of_the_limit_at_least(
    pictured: Visit, intense: bool, limit: float, changed: int
) -> None:
    assert pictured.intensity is not None
    joints = tuple(replace(j, intensity=int(intense and j.total > 0)) for j in pictured.form.joints)
    first = replace(
        pictured, stir=None, t1=None, form=Sparcc(joints), intensity=replace(pictured.intensity, intense_from=limit)
    )
    found = followup(first, replace(first, input_sha256=OTHER)).change
    assert found is not None
    assert found.outcome.delta == changed * sum(j.total > 0 for j in joints)


@pytest.mark.parametrize(
    ("before", "mm2", "after"), [(True, 6, True), (True, 4, False), (False, 14, False), (False, 16, True)]
)
def test_a_quadrant_becomes_positive_or_ceases_to_be_by_half_of_the_least_area_at_least(
    pictured: Visit, before: bool, mm2: float, after: bool
) -> None:
    plain = replace(pictured, stir=None, t1=None)
    joint, place = next((j, item.quadrant) for j in plain.form.joints for item in j.items if item.value)
    items = tuple(replace(i, value=int(before)) if i.quadrant == place else i for i in joint.items)
    joints = tuple(replace(j, items=items) if j is joint else j for j in plain.form.joints)
    search = levels.search_of(plain, SETTINGS.lesions)
    k, half = joint.slice_number - search.first_slice, NUMBER_OF_HALF[place.half]
    code = OEDEMA_LABELS[joint.side, place.bone]
    cell = np.argwhere((search.code[:, :, k] == code) & (search.half[:, :, k] == half) & search.cartilaginous[:, :, k])
    oedema = np.zeros(search.code.shape, bool)
    for i, j in cell[np.argsort(search.depth_mm[:, :, k][tuple(cell.T)])][: round(mm2 / search.pixel_mm2)]:
        oedema[i, j, k] = True
    carried = levels.Carried(oedema, search.ratio, search.code > 0)
    visits = (replace(plain, form=Sparcc(joints)), plain)
    found = levels.read_followup(search, carried, visits, align_visits(plain, plain, SETTINGS), SETTINGS)
    there = next(j for j in found.joints if (j.side, j.slice_number) == (joint.side, joint.slice_number))
    assert [q.oedema for q in there.quadrants if q.quadrant == place] == [after]


def test_a_reference_that_is_off_does_not_make_a_change(pictured: Visit) -> None:
    plain = replace(pictured, stir=None, t1=None)
    assert plain.intensity is not None
    search = levels.search_of(plain, SETTINGS.lesions)
    oedema = levels.own_oedema(search, plain)
    off = levels.Carried(np.zeros_like(oedema), (search.ratio * 0.8).astype(np.float32), search.code > 0)
    assert np.array_equal(read_beside(search, oedema, off, CompareSettings()).oedema, oedema)


def test_new_oedema_that_rose_by_no_more_than_normal_bone_varies_is_none(pictured: Visit) -> None:
    plain = replace(pictured, stir=None, t1=None)
    search = levels.search_of(plain, SETTINGS.lesions)
    called = levels.own_oedema(search, plain)
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.2, search.ratio.shape)
    first = replace(search, ratio=np.where(called, 0.9, 1 + noise).astype(np.float32))
    nothing = np.zeros_like(called)

    def new(rise: float) -> int:
        second = np.where(called, 0.9 + rise, 1.0).astype(np.float32)
        carried = levels.Carried(called, second, search.code > 0)
        return int(read_beside(first, nothing, carried, CompareSettings()).oedema.sum())

    assert new(0.02) == 0
    assert new(2.0) == called.sum()


def test_oedema_fainter_than_normal_bone_is_uneven_has_not_gone_while_it_looks_the_same(pictured: Visit) -> None:
    plain = replace(pictured, stir=None, t1=None)
    search = levels.search_of(plain, SETTINGS.lesions)
    called = levels.own_oedema(search, plain)
    uneven = np.random.default_rng(2).normal(0, 0.8, search.ratio.shape)
    first = replace(search, ratio=np.where(called, 1.3, 1 + uneven).astype(np.float32))
    again = levels.Carried(np.zeros_like(called), first.ratio, search.code > 0)
    assert np.array_equal(read_beside(first, called, again, CompareSettings()).oedema, called)


def test_the_rim_of_what_has_gone_does_not_keep_a_visit_active(pictured: Visit) -> None:
    """All but one slice of the oedema faded: that slice persists, unless it is a small part and all that is left."""
    search = levels.search_of(replace(pictured, stir=None, t1=None), SETTINGS.lesions)
    called = levels.own_oedema(search, pictured)
    same, elsewhere = np.zeros_like(called), np.zeros_like(called)
    last = int(np.flatnonzero(called.any((0, 1)))[-1])
    same[:, :, last] = called[:, :, last]
    elsewhere[tuple(index[-1:] for index in np.nonzero(search.bone & ~called))] = True
    first = replace(search, ratio=np.where(called, 2.0, 1.0).astype(np.float32))
    second = np.where(same, 2.0, 1.0).astype(np.float32)

    def kept(rest: float, own: np.ndarray) -> int:
        carried = levels.Carried(own, second, search.code > 0)
        found = read_beside(first, called, carried, CompareSettings(rest=rest))
        return int((found.oedema & called).sum())

    share, nothing = same.sum() / called.sum(), np.zeros_like(called)
    assert kept(share - 0.01, nothing) == kept(share + 0.01, elsewhere) == same.sum()
    assert kept(share + 0.01, nothing) == 0
