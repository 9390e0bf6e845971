"""All scores of a visit from one `Evidence`: the same function serves a reader's form and the machine's findings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from mri_sij.config import ScoringSettings
from mri_sij.evidence import Evidence, Side
from mri_sij.scoring.asas import Asas, judge_asas
from mri_sij.scoring.berlin import Berlin, score_berlin
from mri_sij.scoring.sparcc import Sparcc, SparccJoint, SparccSum, score_sparcc


@dataclass(frozen=True)
class ScoreSheet:
    """Every score of a visit; `berlin` is None where the evidence holds no areas (a form filled in by hand)."""

    sparcc: Sparcc
    berlin: Berlin | None
    asas: Asas

    def to_dict(self) -> dict[str, Any]:
        """Plain values under the keys that `visit.json` has (`report.dictionary` explains each)."""
        return {
            "sparcc": _sparcc_dict(self.sparcc),
            "berlin": None if self.berlin is None else _berlin_dict(self.berlin),
            "asas": asdict(self.asas),
        }


def score(evidence: Evidence, settings: ScoringSettings) -> ScoreSheet:
    """Score a visit; EvidenceError when slices or joints are missing, doubled or not consecutive."""
    return ScoreSheet(
        sparcc=score_sparcc(evidence, settings),
        berlin=score_berlin(evidence, settings),
        asas=judge_asas(evidence, settings),
    )


def _sum_dict(part: SparccSum) -> dict[str, int]:
    return {
        "total": part.total,
        "quadrants": part.quadrants,
        "intensity": part.intensity,
        "depth": part.depth,
        "sacrum": part.sacrum,
        "ilium": part.ilium,
        "quadrants_scored": part.quadrants_scored,
    }


def _joint_dict(joint: SparccJoint) -> dict[str, int | None]:
    items = {item.quadrant.item: item.value for item in joint.items}
    return {"total": joint.total, **items, "intensity": joint.intensity, "depth": joint.depth}


def _sparcc_dict(sparcc: Sparcc) -> dict[str, Any]:
    slices = []
    for position, number in enumerate(sparcc.slice_numbers, start=1):
        joints = {str(j.side): _joint_dict(j) for j in sparcc.joints if j.slice_number == number}
        slices.append({"position": position, "slice": number, "total": sparcc.on_slice(number).total, **joints})
    sides = {str(side): _sum_dict(sparcc.side(side)) for side in Side}
    return {**_sum_dict(sparcc.sum), **sides, "slices": slices}


def _berlin_dict(berlin: Berlin) -> dict[str, Any]:
    sides: dict[str, Any] = {str(side): {"total": berlin.side(side)} for side in Side}
    for grade in berlin.grades:
        sides[str(grade.side)][grade.quadrant.item] = grade.grade
    return {"total": berlin.total, **sides}
