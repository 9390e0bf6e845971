"""`comparison.json`, `change.nii.gz` and the sentence of a comparison."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from mri_sij import __version__
from mri_sij.compare.align import Alignment, joint_motion_mm
from mri_sij.compare.change import PartChange, Trend
from mri_sij.compare.outcome import ChangeClass, Outcome
from mri_sij.compare.records import Change, Comparison, FollowUp, VolumeChange
from mri_sij.compare.trajectory import Trajectory
from mri_sij.compare.visit import Visit
from mri_sij.config import Settings
from mri_sij.evidence import Reason
from mri_sij.lesions.records import OEDEMA_NAMES
from mri_sij.scoring.sparcc import SparccSum

SCHEMA = 1
Plain = dict[str, Any]

_WORDS = {
    ChangeClass.NORMALIZATION: "has normalized",
    ChangeClass.REGRESSION: "has regressed",
    ChangeClass.STABILITY: "is stable",
    ChangeClass.PROGRESSION: "has progressed",
}


def comparison_json(comparison: Comparison, settings: Settings) -> str:
    """The text of `comparison.json`; the same comparison gives the same bytes."""
    plain = _rounded(comparison_dict(comparison, settings))
    return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def comparison_dict(comparison: Comparison, settings: Settings) -> Plain:
    """Plain values. `change`, `alignment`, `cautions` are those of the last follow-up; `followups` holds every one."""
    last = comparison.followups[-1]
    return {
        "schema": SCHEMA,
        "status": "not_comparable" if last.change is None else "compared",
        "sentence": sentence(last),
        "change": _change(last, comparison),
        "alignment": _alignment(last),
        "cautions": _reasons(last.cautions),
        "reasons": _reasons(last.reasons),
        "baseline": _visit(comparison.baseline),
        "followups": [_follow_up(f, comparison) for f in comparison.followups],
        "trajectory": _trajectory(comparison.trajectory),
        "settings": settings.compare.model_dump(mode="json"),
        "provenance": {
            "version": __version__,
            "settings_sha256": settings.sha256,
            "inputs_sha256": _inputs(comparison),
        },
    }


def sentence(followup: FollowUp) -> str:
    """What a report would say of this follow-up."""
    if followup.change is None:
        return "The two visits cannot be compared: " + " ".join(reason.message for reason in followup.reasons)
    outcome, volume = followup.change.outcome, followup.change.volume
    text = (
        f"Bone-marrow oedema of the sacroiliac joints {_WORDS[outcome.change_class]}: SPARCC "
        f"{outcome.baseline:g} to {outcome.followup:g} of 72 ({outcome.delta:+g}) at the same levels, "
        f"oedema {volume.baseline_ml:.1f} to {volume.followup_ml:.1f} ml"
    )
    text += f"; {_where(followup.change)}." if outcome.delta else "."
    marks = _marks(outcome)
    return f"{text} {' '.join(marks)}" if marks else text


def _where(change: Change) -> str:
    parts = [
        f"{name} joint {p.delta:+d}" for name, p in (("right", change.changes.right), ("left", change.changes.left))
    ]
    return ", ".join(parts)


def _marks(outcome: Outcome) -> list[str]:
    marks = []
    if outcome.inactive:
        marks.append("Both visits are inactive.")
    if outcome.resolved_completely:
        marks.append("No oedema is left.")
    if outcome.mixed:
        marks.append("Mixed: some quadrants rose although others, or the total, fell.")
    if outcome.grey_zone:
        marks.append("The change is smaller than the smallest detectable one and may be measurement error.")
    return marks


def _change(followup: FollowUp, comparison: Comparison) -> Plain:
    change = followup.change
    base: Plain = {"class": str(followup.change_class)}
    if change is None or comparison.baseline is None:
        empty = ("sparcc_baseline", "sparcc_followup", "sparcc_delta", "sparcc_percent", "probabilities")
        return {**base, **dict.fromkeys(empty), "reasons": _reasons(followup.reasons)}
    outcome = change.outcome
    return {
        **base,
        "sparcc_baseline": outcome.baseline,
        "sparcc_followup": outcome.followup,
        "sparcc_delta": outcome.delta,
        "sparcc_percent": outcome.percent,
        "threshold": outcome.threshold,
        "probabilities": {str(name): share for name, share in change.probabilities.items()},
        "inactive": outcome.inactive,
        "persistently_active": outcome.active,
        "mixed": outcome.mixed,
        "resolved_completely": outcome.resolved_completely,
        "grey_zone": outcome.grey_zone,
        "within_measurement_error": outcome.within_error,
        "points_gained": change.changes.gained,
        "points_lost": change.changes.lost,
        "left": _part(change.changes.left),
        "right": _part(change.changes.right),
        "total": _part(change.changes.total),
        "quadrants": _quadrants(change),
        "items": _items(change),
        "oedema": {_place(v): _volume(v) for v in change.volumes},
        "levels": {
            "baseline": list(comparison.baseline.slices),
            "followup_nearest": list(change.followup_slices),
        },
    }


def _quadrants(change: Change) -> list[Plain]:
    return [
        {"side": q.side, "quadrant": str(q.quadrant), "baseline": q.baseline, "followup": q.followup, "trend": q.trend}
        for q in change.changes.quadrants
    ]


def _items(change: Change) -> list[Plain]:
    kept = [i for i in change.changes.items if i.trend is not Trend.UNCHANGED or i.baseline]
    return [
        {
            "level": i.level,
            "side": i.side,
            "item": i.name,
            "baseline": i.baseline,
            "followup": i.followup,
            "trend": i.trend,
        }
        for i in kept
    ]


def _part(part: PartChange) -> Plain:
    def plain(total: SparccSum) -> Plain:
        return {
            "total": total.total,
            "quadrants": total.quadrants,
            "intensity": total.intensity,
            "depth": total.depth,
            "sacrum": total.sacrum,
            "ilium": total.ilium,
        }

    return {"delta": part.delta, "baseline": plain(part.baseline), "followup": plain(part.followup)}


def _place(volume: VolumeChange) -> str:
    return "total" if volume.where == 0 else OEDEMA_NAMES[volume.where].removeprefix("oedema, ")


def _volume(volume: VolumeChange) -> Plain:
    return {
        "baseline_ml": volume.baseline_ml,
        "followup_ml": volume.followup_ml,
        "resolved_ml": volume.resolved_ml,
        "persisting_ml": volume.persisting_ml,
        "new_ml": volume.new_ml,
        "percent": volume.percent,
    }


def _alignment(followup: FollowUp) -> Plain | None:
    found = followup.alignment
    if found is None:
        return None
    return {
        "succeeded": not found.failures,
        "tilt_deg": followup.tilt_deg,
        "turn_deg": found.turn_deg,
        "joint_mm": None if not found.bones else found.joint_mm,
        "bones": {own.name: _bone(found, number) for number, own in found.bones.items()},
    }


def _bone(alignment: Alignment, number: int) -> Plain:
    own = alignment.bones[number]
    return {
        "overlap": own.overlap,
        "surface_mm": own.surface_mm,
        "joint_mm": own.joint_mm,
        "joint_p95_mm": own.joint_p95_mm,
        "joint_seen_by_both": own.shared,
        "moved_against_sacrum_mm": joint_motion_mm(alignment).get(number, 0.0),
        "motion": own.motion.tolist(),
    }


def _follow_up(followup: FollowUp, comparison: Comparison) -> Plain:
    return {
        "number": followup.number,
        "sentence": sentence(followup),
        "interval_days": followup.interval_days(comparison.baseline),
        "change": _change(followup, comparison),
        "alignment": _alignment(followup),
        "cautions": _reasons(followup.cautions),
        "reasons": _reasons(followup.reasons),
        "visit": _visit(followup.visit),
    }


def _visit(visit: Visit | None) -> Plain | None:
    """A visit's own score on its own slices (reading-frame numbers), as it was scored alone."""
    if visit is None:
        return None
    return {"sparcc_own_slices": visit.form.total, "own_slices": list(visit.slices), "orientation": visit.orientation}


def _trajectory(trajectory: Trajectory | None) -> Plain | None:
    if trajectory is None:
        return None
    steps = [
        {
            "visit": step.number,
            "sparcc": step.sparcc,
            "since_baseline": None if step.since_baseline is None else str(step.since_baseline.change_class),
            "since_previous": None if step.since_previous is None else str(step.since_previous.change_class),
            "previous_visit": step.previous,
        }
        for step in trajectory.steps
    ]
    return {"visits": steps, "lowest_visit": trajectory.lowest, "relapse_visit": trajectory.relapse}


def _inputs(comparison: Comparison) -> list[str | None]:
    visits = [comparison.baseline, *(f.visit for f in comparison.followups)]
    return [None if visit is None else visit.input_sha256 for visit in visits]


def _reasons(reasons: Iterable[Reason]) -> list[Plain]:
    return [asdict(reason) for reason in reasons]


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _rounded(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(member) for member in value]
    if isinstance(value, float) and not isinstance(value, bool):
        if not math.isfinite(value):
            return None
        return int(value) if value == int(value) and abs(value) < 1e6 else float(f"{value:.6g}")
    return str(value) if isinstance(value, str) else value
