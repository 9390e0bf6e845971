"""What the search for oedema hands on: references, lesions and rejected candidates, measures, and how sure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri_sij.evidence import Bone, Evidence, Reason, Side
from mri_sij.volume import LabelMap

OEDEMA_LABELS = {
    (Side.LEFT, Bone.SACRUM): 1,
    (Side.LEFT, Bone.ILIUM): 2,
    (Side.RIGHT, Bone.SACRUM): 3,
    (Side.RIGHT, Bone.ILIUM): 4,
}
"""Labels of `Findings.oedema`, of `oedema.nii.gz` and of `Search.code`."""

OEDEMA_PLACES = {label: place for place, label in OEDEMA_LABELS.items()}
OEDEMA_NAMES = {label: f"oedema, {side} joint, {bone}" for label, (side, bone) in OEDEMA_PLACES.items()}


@dataclass(frozen=True, eq=False)
class MarrowReference:
    """Normal marrow: `signal` is what normal marrow would measure at each voxel (float32, the STIR's units and shape).

    `level` is its median over the sacral body, `spread` the relative robust standard deviation of bone around it, and
    `field_range` the ratio of the coil's highest to lowest gain over bone. `marrow_ml` is the bone that the field
    rests on, `inlier_fraction` the share of it that agrees with the field, `muscle_ml` the muscle that helped.
    """

    signal: NDArray[np.float32]
    level: float
    spread: float
    field_range: float
    marrow_ml: float
    muscle_ml: float
    inlier_fraction: float


@dataclass(frozen=True)
class FluidReference:
    """What "intense" is held against: `ratio` is the signal of `kind` over that of normal marrow at the same place.

    `kind` is "vessel" or "csf", `volume_ml` what it was measured on. `ratio` is None where there was too little of it;
    then no lesion is called intense and a caution says so.
    """

    kind: str
    ratio: float | None
    volume_ml: float


@dataclass(frozen=True, eq=False)
class Reference:
    """Both references of a visit."""

    marrow: MarrowReference
    fluid: FluidReference


@dataclass(frozen=True)
class Candidate:
    """A connected bright place in one bone of one joint.

    `slices` are reading-frame numbers; `depth_mm` how far it reaches from the articular margin, `contact_mm` how near
    it comes to it; `contrast` its mean STIR over normal marrow there, `peak_contrast` the 95th percentile;
    `probability` the mean probability of oedema where it is bright enough to count; `t1_ratio` its T1 over that of bone
    (None without T1); `cartilaginous_fraction` the share of it beside the cartilaginous part; `thickness_mm` twice the
    greatest distance to its own border.
    """

    side: Side
    bone: Bone
    slices: tuple[int, ...]
    volume_ml: float
    depth_mm: float
    contact_mm: float
    contrast: float
    peak_contrast: float
    probability: float | None
    t1_ratio: float | None
    cartilaginous_fraction: float
    thickness_mm: float


@dataclass(frozen=True)
class Lesion:
    """Oedema that was accepted, and why; `in_joint_space` where it fills erosions, between the bones."""

    number: int
    found: Candidate
    reason: str
    in_joint_space: bool = False


@dataclass(frozen=True)
class Rejected:
    """A candidate that was not taken for oedema of the joint, and why."""

    found: Candidate
    reason: Reason


@dataclass(frozen=True)
class BoneBurden:
    """Oedema of one bone at one joint: volume, share of its periarticular bone, and volume times excess contrast
    (ml)."""

    side: Side
    bone: Bone
    volume_ml: float
    periarticular_ml: float
    periarticular_oedema_ml: float
    volume_times_contrast_ml: float
    mean_contrast: float | None

    @property
    def fraction(self) -> float | None:
        """Share (0-1) of the periarticular bone that is oedema; None where there is no such bone."""
        return self.periarticular_oedema_ml / self.periarticular_ml if self.periarticular_ml > 0 else None


@dataclass(frozen=True)
class MuscleSign:
    """Periarticular muscle of one side: its brightness over that of all muscle; bright muscle is to be looked at
    (infection, Kang, AJR 2015), never a diagnosis. `ratio` is None where too little muscle was found."""

    side: Side
    ratio: float | None
    bright_fraction: float | None
    bright: bool


@dataclass(frozen=True)
class Measures:
    """Continuous measures of a visit; `extensive` names the bones with oedema in over half of their periarticular
    region."""

    volume_ml: float
    volume_times_contrast_ml: float
    fraction: float | None
    burdens: tuple[BoneBurden, ...]
    bilateral: bool
    symmetric: bool
    asymmetry: float | None
    extensive: tuple[tuple[Side, Bone], ...]
    muscle: tuple[MuscleSign, ...]


@dataclass(frozen=True)
class ScoreInterval:
    """SPARCC totals that the images also allow: `low` to `high` holds at least `level` of `probabilities` (total,
    share)."""

    low: int
    high: int
    level: float
    probabilities: tuple[tuple[int, float], ...]


@dataclass(frozen=True, eq=False)
class Findings:
    """All that was found on one visit, in the reading frame."""

    reference: Reference
    oedema: LabelMap
    lesions: tuple[Lesion, ...]
    rejected: tuple[Rejected, ...]
    evidence: Evidence
    measures: Measures
    interval: ScoreInterval
    cautions: tuple[Reason, ...] = ()
