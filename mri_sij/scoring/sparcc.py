"""SPARCC MRI SIJ inflammation score, 0-72 (Maksymowych et al., Arthritis Rheum 2005;53:703; grading page of
spa-imaging.org): 8 quadrants on each of 6 slices, and for each joint and slice one point for intense and one for deep
oedema.
"""

from __future__ import annotations

from dataclasses import dataclass

from mri_sij.config import ScoringSettings
from mri_sij.evidence import (
    QUADRANTS,
    Bone,
    Evidence,
    JointSliceEvidence,
    Quadrant,
    QuadrantEvidence,
    Side,
    scored_halves,
)
from mri_sij.scoring.complete import require_complete

HIGHEST = 72
"""Six slices with eight quadrants, and intensity and depth of both joints."""


@dataclass(frozen=True)
class SparccItem:
    """One quadrant of the form: 1 or 0, or None where the rule for low joints leaves it out."""

    quadrant: Quadrant
    value: int | None


@dataclass(frozen=True)
class SparccJoint:
    """One joint on one slice: four quadrant items and the two additional ones; at most 6 points."""

    side: Side
    slice_number: int
    items: tuple[SparccItem, ...]
    intensity: int
    depth: int

    @property
    def quadrants(self) -> int:
        """Points of the quadrants, 0-4."""
        return sum(item.value or 0 for item in self.items)

    @property
    def total(self) -> int:
        """Points of the joint on this slice, 0-6."""
        return self.quadrants + self.intensity + self.depth

    def of(self, quadrant: Quadrant) -> int | None:
        """The quadrant's item."""
        return next(item.value for item in self.items if item.quadrant == quadrant)


@dataclass(frozen=True)
class SparccSum:
    """Points of any set of joints and slices, by kind of item and by bone; every total is a sum of its parts."""

    quadrants: int
    intensity: int
    depth: int
    sacrum: int
    ilium: int
    quadrants_scored: int

    @property
    def total(self) -> int:
        """Quadrant, intensity and depth points together."""
        return self.quadrants + self.intensity + self.depth


def add_up(joints: tuple[SparccJoint, ...]) -> SparccSum:
    """The sum over `joints`."""
    items = [item for joint in joints for item in joint.items]
    by_bone = {bone: sum(item.value or 0 for item in items if item.quadrant.bone is bone) for bone in Bone}
    return SparccSum(
        quadrants=sum(joint.quadrants for joint in joints),
        intensity=sum(joint.intensity for joint in joints),
        depth=sum(joint.depth for joint in joints),
        sacrum=by_bone[Bone.SACRUM],
        ilium=by_bone[Bone.ILIUM],
        quadrants_scored=sum(item.value is not None for item in items),
    )


@dataclass(frozen=True)
class Sparcc:
    """A whole form: both joints on every scored slice, from anterior to posterior."""

    joints: tuple[SparccJoint, ...]

    @property
    def total(self) -> int:
        """SPARCC SIJ inflammation, 0-72."""
        return self.sum.total

    @property
    def sum(self) -> SparccSum:
        """Points of the visit by kind and bone."""
        return add_up(self.joints)

    def side(self, side: Side) -> SparccSum:
        """Points of one joint over all slices, 0-36."""
        return add_up(tuple(joint for joint in self.joints if joint.side is side))

    def on_slice(self, slice_number: int) -> SparccSum:
        """Points of both joints on one slice, 0-12."""
        return add_up(tuple(joint for joint in self.joints if joint.slice_number == slice_number))

    @property
    def slice_numbers(self) -> tuple[int, ...]:
        """The scored slices, from anterior to posterior."""
        return tuple(dict.fromkeys(joint.slice_number for joint in self.joints))


def scored_quadrants(joint: JointSliceEvidence) -> tuple[QuadrantEvidence, ...]:
    """The quadrants that count, by the rule for low joints (`evidence.scored_halves`); an unknown height leaves what
    is given."""
    if joint.joint_height_mm is None:
        return joint.quadrants
    halves = scored_halves(joint.joint_height_mm)
    return tuple(q for q in joint.quadrants if q.quadrant.half in halves)


def _score_joint(joint: JointSliceEvidence) -> SparccJoint:
    oedema = {q.quadrant: int(q.oedema) for q in scored_quadrants(joint)}
    any_oedema = any(oedema.values())  # the two further items grade oedema that was scored, so they need some
    return SparccJoint(
        side=joint.side,
        slice_number=joint.slice_number,
        items=tuple(SparccItem(quadrant, oedema.get(quadrant)) for quadrant in QUADRANTS),
        intensity=int(joint.intense and any_oedema),
        depth=int(joint.deep and any_oedema),
    )


def score_sparcc(evidence: Evidence, settings: ScoringSettings) -> Sparcc:
    """The SPARCC form of a visit; EvidenceError when slices or joints are missing (never a 0 in their place)."""
    require_complete(evidence, settings)
    return Sparcc(tuple(_score_joint(joint) for joint in evidence.joints))
