"""What is known of a visit before it is scored: plain records between pictures and scores, no arrays.

A reader's form and the machine build the same `Evidence`, so one scoring function serves both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """The patient's own side."""

    LEFT = "left"
    RIGHT = "right"


class Bone(StrEnum):
    """The bone on either side of the joint."""

    SACRUM = "sacrum"
    ILIUM = "ilium"


class Half(StrEnum):
    """The half of the joint's visible height in a slice."""

    UPPER = "upper"
    LOWER = "lower"


@dataclass(frozen=True, order=True)
class Quadrant:
    """One of a joint's four quadrants."""

    bone: Bone
    half: Half

    def __str__(self) -> str:
        return f"{self.half} {self.bone}"

    @property
    def item(self) -> str:
        """Name of its item in forms and JSON: `upper_ilium` and so on."""
        return f"{self.half}_{self.bone}"


LOW_JOINT_MM, HALVED_JOINT_MM = 10.0, 30.0
"""Visible height of a joint up to which it is not scored, and below which only its upper quadrants are
(spa-imaging.org, grading page): no settings, because a score by other heights is not SPARCC."""


def scored_halves(height_mm: float) -> tuple[Half, ...]:
    """Which halves of a joint are scored at its visible height: none up to 1 cm, upper below 3 cm, else both
    (spa-imaging.org)."""
    if height_mm <= LOW_JOINT_MM:
        return ()
    return (Half.UPPER,) if height_mm < HALVED_JOINT_MM else (Half.UPPER, Half.LOWER)


QUADRANTS = tuple(Quadrant(bone, half) for half in Half for bone in (Bone.ILIUM, Bone.SACRUM))


@dataclass(frozen=True)
class QuadrantEvidence:
    """Oedema in one quadrant of one joint on one slice.

    `oedema` is the decision; the rest says why and is None on a form filled in by hand. `bone_area_mm2` is the
    periarticular bone of the quadrant in the slice, of which `oedema_area_mm2` is oedema (Berlin grades, extent).
    """

    quadrant: Quadrant
    oedema: bool
    probability: float | None = None
    oedema_area_mm2: float | None = None
    bone_area_mm2: float | None = None


@dataclass(frozen=True)
class JointSliceEvidence:
    """One joint on one scored slice.

    `slice_number` is the slice's index on the STIR's own slice axis, counted from 0. `quadrants` holds all four, or
    only the upper two where the joint is visible over more than 1 but less than 3 cm, or none where it is not
    visible (SPARCC rule for low joint heights). `intense` and `deep` are the joint's two additional items.
    """

    side: Side
    slice_number: int
    quadrants: tuple[QuadrantEvidence, ...]
    intense: bool
    deep: bool
    intense_probability: float | None = None
    deep_probability: float | None = None
    joint_height_mm: float | None = None
    depth_mm: float | None = None
    intensity_ratio: float | None = None


@dataclass(frozen=True)
class Evidence:
    """All scored slices of a visit, both joints each, in order from the anterior to the posterior slice."""

    joints: tuple[JointSliceEvidence, ...]

    @property
    def slice_numbers(self) -> tuple[int, ...]:
        """The scored slices, from anterior to posterior."""
        return tuple(dict.fromkeys(j.slice_number for j in self.joints))


@dataclass(frozen=True)
class Reason:
    """Why something is not scorable, or is scored with caution: a stable code and a sentence with the figures."""

    code: str
    message: str


@dataclass(frozen=True)
class NotScorable:
    """A visit without a score: a third value beside 0 and more, never a 0."""

    reasons: tuple[Reason, ...]
