"""The page of a comparison: both visits level by level at the same anatomy, one self-contained file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mri_sij import __version__
from mri_sij.compare.change import ItemChange, Trend
from mri_sij.compare.outcome import ChangeClass
from mri_sij.compare.records import Change, Comparison, FollowUp
from mri_sij.compare.write import sentence
from mri_sij.evidence import Reason, Side
from mri_sij.lesions.records import OEDEMA_NAMES
from mri_sij.report.form_view import as_seen
from mri_sij.report.frame import Edges, Frame, edges_of, frame_of_joints
from mri_sij.report.level_view import LevelView, level_views, totals_of
from mri_sij.report.render import asset, render, signed

TITLE = "Sacroiliac joints: follow-up"
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
    view, css, script = comparison_view(comparison, title), asset("comparison.css"), asset("comparison.js")
    return render("comparison.html.j2", view=view, more_css=css, script=script)


def comparison_view(comparison: Comparison, title: str) -> ComparisonView:
    """What the page shows."""
    baseline = comparison.baseline
    frame = None if baseline is None else frame_of_joints(baseline.joints, baseline.slices)
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


def _followup_view(followup: FollowUp, comparison: Comparison, frame: Frame | None) -> FollowUpView:
    change, baseline = followup.change, comparison.baseline
    outcome = None if change is None else change.outcome
    return FollowUpView(
        number=followup.number,
        verdict=_CLASS_WORDS[followup.change_class],
        sentence=sentence(followup),
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
        levels=() if change is None or baseline is None or frame is None else level_views(followup, baseline, frame),
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
        found.append(Row(level, right, left, *totals_of(items)))
    return tuple(found)


def _cells(items: Iterable[ItemChange], side: Side) -> tuple[Cell, ...]:
    """Upper ilium and sacrum, lower ilium and sacrum as they lie on the picture, then intense and deep."""
    by_name = {i.name: i for i in items}
    return tuple(_cell(by_name[name]) for name in (*(q.item for q in as_seen(side)), "intense", "deep"))


def _cell(item: ItemChange) -> Cell:
    trend = item.trend
    style = "none" if trend is Trend.UNCHANGED and not item.baseline else str(trend)
    letter = {"intense": "I", "deep": "D"}.get(item.name, "")
    sign = letter or ("" if style == "none" else _SIGNS.get(trend, ""))
    return Cell(style, sign, f"{item.side} {item.name.replace('_', ' ')}: {item.baseline} → {item.followup}")


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
