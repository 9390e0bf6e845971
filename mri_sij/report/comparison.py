"""The page of a comparison: both visits level by level at the same anatomy, one self-contained file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij import __version__
from mri_sij.anatomy.labels import SACRUM
from mri_sij.compare.change import ItemChange, Trend, item_name
from mri_sij.compare.outcome import ChangeClass
from mri_sij.compare.records import NEW, PERSISTING, RESOLVED, Change, Comparison, FollowUp
from mri_sij.compare.visit import Visit
from mri_sij.compare.write import sentence
from mri_sij.evidence import QUADRANTS, Bone, Half, Quadrant, Reason, Side
from mri_sij.geometry import Grid
from mri_sij.lesions.records import OEDEMA_NAMES
from mri_sij.report.frame import Edges, Frame, edges_of, frame_around
from mri_sij.report.outline import outline, path_of_lines
from mri_sij.report.picture import STIR_UPPER, STIR_WHITE, Window, grey, png_uri, window_of
from mri_sij.report.render import asset, render, signed
from mri_sij.volume import Volume

TITLE = "Sacroiliac joints: follow-up"
_MARGIN_MM = (42.0, 26.0)
_CLASS_WORDS = {
    ChangeClass.NORMALIZATION: "Normalization",
    ChangeClass.REGRESSION: "Regression",
    ChangeClass.STABILITY: "Stability",
    ChangeClass.PROGRESSION: "Progression",
    ChangeClass.NOT_COMPARABLE: "Not comparable",
}
_SIGNS = {Trend.RESOLVED: "−", Trend.NEW: "+", Trend.UNCHANGED: "=", Trend.NOT_SCORED: ""}


@dataclass(frozen=True)
class Cell:
    """One item of the change grid: `style` is its trend, `sign` what stands in it."""

    style: str
    sign: str
    name: str


@dataclass(frozen=True)
class Row:
    """One level of the change grid, the right joint first as a reader sees it."""

    level: int
    right: tuple[Cell, ...]
    left: tuple[Cell, ...]
    baseline: int
    followup: int


@dataclass(frozen=True)
class LevelView:
    """One anatomical level: both visits' pictures of it (empty where a finished folder holds none) and the lines."""

    level: int
    key: str
    place: str
    caption: str
    baseline: str
    followup: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class FollowUpView:
    """One follow-up on the page."""

    number: int
    verdict: str
    sentence: str
    baseline: str
    followup: str
    delta: str
    chances: tuple[tuple[str, str, float], ...]
    marks: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    quadrants: tuple[tuple[str, ...], ...]
    volumes: tuple[tuple[str, ...], ...]
    alignment: tuple[tuple[str, ...], ...]
    rows: tuple[Row, ...]
    levels: tuple[LevelView, ...]
    reasons: tuple[Reason, ...]
    cautions: tuple[Reason, ...]


@dataclass(frozen=True)
class ComparisonView:
    """The whole page."""

    title: str
    followups: tuple[FollowUpView, ...]
    trajectory: tuple[tuple[str, ...], ...]
    edges: Edges | None
    width_mm: float
    height_mm: float
    letter_mm: float
    footer: str


def comparison_page(comparison: Comparison, title: str = TITLE) -> str:
    """The page as text; the same comparison gives the same bytes. `title` must not identify the patient."""
    css, script = asset("comparison.css"), asset("comparison.js")
    return render("comparison.html.j2", view=comparison_view(comparison, title), more_css=css, script=Markup(script))


def comparison_view(comparison: Comparison, title: str = TITLE) -> ComparisonView:
    """What the page shows."""
    baseline = comparison.baseline
    frame = None if baseline is None else _frame(baseline)
    return ComparisonView(
        title=title,
        followups=tuple(_followup_view(f, comparison, frame) for f in comparison.followups),
        trajectory=_trajectory(comparison),
        edges=None if baseline is None else edges_of(baseline.labels.grid),
        width_mm=0.0 if frame is None else round(frame.width_mm, 2),
        height_mm=0.0 if frame is None else round(frame.height_mm, 2),
        letter_mm=0.0 if frame is None else round(frame.width_mm / 40, 2),
        footer=f"mri_sij {__version__}. Research use only. Not for diagnosis. No name, date or identifier of the "
        "images is in this page; it loads nothing from elsewhere.",
    )


def _frame(baseline: Visit) -> Frame:
    joints = (baseline.joints.left, baseline.joints.right)
    lines = [joint.slices[k].midline for joint in joints for k in baseline.slices if k in joint.slices]
    return frame_around(baseline.labels.grid, lines, _MARGIN_MM)


def _followup_view(followup: FollowUp, comparison: Comparison, frame: Frame | None) -> FollowUpView:
    change, baseline = followup.change, comparison.baseline
    compared = change is not None and baseline is not None and frame is not None
    outcome = None if change is None else change.outcome
    return FollowUpView(
        number=followup.number,
        verdict=_CLASS_WORDS[followup.change_class],
        sentence=sentence(followup, comparison),
        baseline="" if outcome is None else f"{outcome.baseline:g}",
        followup="" if outcome is None else f"{outcome.followup:g}",
        delta="" if outcome is None else signed(outcome.delta),
        chances=() if change is None else _chances(change),
        marks=() if change is None else _marks(change),
        facts=_facts(followup),
        quadrants=() if change is None else _quadrants(change),
        volumes=() if change is None else _volumes(change),
        alignment=_alignment(followup),
        rows=() if change is None else _rows(change),
        levels=_levels(followup, baseline, frame) if compared and baseline is not None and frame is not None else (),
        reasons=followup.reasons,
        cautions=followup.cautions,
    )


def _chances(change: Change) -> tuple[tuple[str, str, float], ...]:
    return tuple((_CLASS_WORDS[c], f"{share:.0%}", round(100 * share, 1)) for c, share in change.probabilities.items())


def _marks(change: Change) -> tuple[str, ...]:
    outcome = change.outcome
    told = (
        (outcome.inactive, "inactive at both visits"),
        (outcome.active, "active at both visits"),
        (outcome.mixed, "mixed: new oedema beside oedema that went"),
        (outcome.resolved_completely, "resolved completely"),
        (outcome.grey_zone, "grey zone: smaller than the smallest detectable change"),
    )
    return tuple(text for on, text in told if on)


def _facts(followup: FollowUp) -> tuple[tuple[str, str], ...]:
    change, alignment = followup.change, followup.alignment
    facts = []
    if change is not None:
        parts = (("Right joint", change.changes.right), ("Left joint", change.changes.left))
        facts += [(name, f"{p.baseline.total} → {p.followup.total}") for name, p in parts]
        facts.append(("Oedema", f"{change.volume.baseline_ml:.1f} → {change.volume.followup_ml:.1f} ml"))
        counts = " · ".join(
            f"{change.changes.count(t)} {t.value}" for t in (Trend.RESOLVED, Trend.LOWER, Trend.HIGHER, Trend.NEW)
        )
        facts.append(("Quadrants of 8", counts))
    if alignment is not None and alignment.bones:
        facts.append(("Joint surfaces apart", f"{alignment.joint_mm:.1f} mm"))
    if followup.tilt_deg is not None:
        facts.append(("Slices tilted apart by", f"{followup.tilt_deg:.0f}°"))
    return tuple(facts)


def _quadrants(change: Change) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (f"{q.side} {q.quadrant}", str(q.baseline), str(q.followup), str(q.trend)) for q in change.changes.quadrants
    )


def _volumes(change: Change) -> tuple[tuple[str, ...], ...]:
    rows = []
    for v in change.volumes:
        name = "both joints" if v.where == 0 else OEDEMA_NAMES[v.where].removeprefix("oedema, ")
        rows.append((name, f"{v.resolved_ml:.2f}", f"{v.persisting_ml:.2f}", f"{v.new_ml:.2f}"))
    return tuple(rows)


def _alignment(followup: FollowUp) -> tuple[tuple[str, ...], ...]:
    if followup.alignment is None:
        return ()
    return tuple(
        (
            b.name,
            f"{b.overlap:.2f}",
            f"{b.surface_mm:.2f}",
            f"{b.joint_mm:.2f}",
            f"{b.joint_p95_mm:.2f}",
            f"{b.shared:.0%}",
        )
        for b in followup.alignment.bones.values()
    )


def _rows(change: Change) -> tuple[Row, ...]:
    found = []
    for level in range(1, len(change.followup_slices) + 1):
        items = [i for i in change.changes.items if i.level == level]
        right, left = (_cells([i for i in items if i.side is side], side) for side in (Side.RIGHT, Side.LEFT))
        totals = [
            sum(value or 0 for value in values) for values in ([i.baseline for i in items], [i.followup for i in items])
        ]
        found.append(Row(level, right, left, totals[0], totals[1]))
    return tuple(found)


def _cells(items: Iterable[ItemChange], side: Side) -> tuple[Cell, ...]:
    """Upper ilium and sacrum, lower ilium and sacrum as they lie on the picture, then intense and deep."""
    by_name = {i.name: i for i in items}
    bones = (Bone.ILIUM, Bone.SACRUM) if side is Side.RIGHT else (Bone.SACRUM, Bone.ILIUM)
    names = [item_name(Quadrant(bone, half)) for half in (Half.UPPER, Half.LOWER) for bone in bones]
    assert len(names) == len(QUADRANTS)
    return tuple(_cell(by_name[name]) for name in (*names, "intense", "deep"))


def _cell(item: ItemChange) -> Cell:
    trend = item.trend
    style = "none" if trend is Trend.UNCHANGED and not item.baseline else str(trend)
    letter = {"intense": "I", "deep": "D"}.get(item.name, "")
    sign = letter or ("" if style == "none" else _SIGNS.get(trend, ""))
    return Cell(style, sign, f"{item.side} {item.name.replace('_', ' ')}: {item.baseline} → {item.followup}")


def _levels(followup: FollowUp, baseline: Visit, frame: Frame) -> tuple[LevelView, ...]:
    change, visit, alignment = followup.change, followup.visit, followup.alignment
    assert change is not None and visit is not None and alignment is not None
    first = [] if baseline.stir is None else [baseline.stir.data[:, :, k] for k in baseline.slices]
    motion = alignment.bones[SACRUM].motion
    second = (
        []
        if visit.stir is None
        else [_cut_through(visit.stir, baseline.labels.grid, motion, k) for k in baseline.slices]
    )
    windows = _windows((first, second), (baseline, visit), frame)
    views = []
    for n, k in enumerate(baseline.slices):
        where = {0: ", most anterior", len(baseline.slices) - 1: ", most posterior"}.get(n, "")
        views.append(
            LevelView(
                level=n + 1,
                key=f"{followup.number}-{n + 1}",
                place=_place(baseline.native_slice(k), visit.native_slice(change.followup_slices[n]), where),
                caption=_caption(change, n + 1),
                baseline=_picture(first, n, frame, windows[0]),
                followup=_picture(second, n, frame, windows[1]),
                lines=_lines(baseline, change, k, frame),
            )
        )
    return tuple(views)


def _place(first: int, second: int, where: str) -> str:
    return f"baseline slice {first}, follow-up nearest slice {second}{where}"


def _cut_through(stir: Volume, grid: Grid, motion: NDArray[np.float64], k: int) -> NDArray[np.float32]:
    """The follow-up's STIR at the place of slice `k` of the baseline, through the motion of the sacrum."""
    matrix = np.linalg.inv(stir.grid.affine) @ motion @ grid.affine
    i, j = np.meshgrid(np.arange(grid.shape[0]), np.arange(grid.shape[1]), indexing="ij")
    voxels = np.stack([i, j, np.full(i.shape, k)]).reshape(3, -1)
    index = matrix[:3, :3] @ voxels + matrix[:3, 3:]
    found = ndi.map_coordinates(stir.values, index, order=1, mode="constant", cval=0.0)
    return np.asarray(found, np.float32).reshape(grid.shape[:2])


def _windows(
    shown: tuple[Sequence[NDArray[np.generic]], Sequence[NDArray[np.generic]]],
    visits: tuple[Visit, Visit],
    frame: Frame,
) -> tuple[Window | None, Window | None]:
    """A window for each visit in which normal marrow has one grey, so that only a change of signal shows."""
    own = [window_of([frame.cut(s) for s in slices], STIR_UPPER) if slices else None for slices in shown]
    marrow = [_marrow(visit) for visit in visits]
    known = [(w.low / m, w.high / m) for w, m in zip(own, marrow, strict=True) if w is not None]
    if not known:
        return None, None
    low, high = min(low for low, _ in known), min(max(high for _, high in known), STIR_WHITE)
    first, second = (None if w is None else Window(low * m, high * m) for w, m in zip(own, marrow, strict=True))
    return first, second


def _marrow(visit: Visit) -> float:
    """Signal of normal marrow on the STIR: the visit's own reference, in the middle of the bones."""
    if visit.stir is None or visit.intensity is None:
        return 1.0
    ratio = visit.intensity.ratio
    bone = (visit.labels.data > 0) & (ratio > 0)
    level = float(np.median(visit.stir.values[bone] / ratio[bone])) if bone.any() else 0.0
    return level if level > 0 else 1.0


def _picture(slices: Sequence[NDArray[np.generic]], n: int, frame: Frame, window: Window | None) -> str:
    return png_uri(grey(slices[n], frame, window)) if window is not None else ""


def _caption(change: Change, level: int) -> str:
    own = [i for i in change.changes.items if i.level == level]
    first, second = (sum(v or 0 for v in values) for values in ([i.baseline for i in own], [i.followup for i in own]))
    return f"{first} → {second} of 12"


def _lines(baseline: Visit, change: Change, k: int, frame: Frame) -> tuple[tuple[str, str], ...]:
    labels = change.labels.data[:, :, k]
    paths = [
        (name, outline(labels == label, frame))
        for label, name in ((RESOLVED, "resolved"), (PERSISTING, "persisting"), (NEW, "new"))
    ]
    for joint in (baseline.joints.left, baseline.joints.right):
        if k in joint.slices:
            paths.append(("joint", path_of_lines([frame.place(joint.slices[k].midline)])))
    return tuple((name, path) for name, path in paths if path)


def _trajectory(comparison: Comparison) -> tuple[tuple[str, ...], ...]:
    if comparison.trajectory is None or len(comparison.trajectory.steps) < 3:
        return ()
    rows = []
    for step in comparison.trajectory.steps:
        name = "Baseline" if step.number == 0 else f"Follow-up {step.number}"
        score = "not comparable" if step.sparcc is None else f"{step.sparcc:g}"
        since = ["" if o is None else str(o.change_class) for o in (step.since_baseline, step.since_previous)]
        rows.append((name, score, *since))
    return tuple(rows)
