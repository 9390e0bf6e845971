"""How oedema is spread: on one side or both, evenly or not, and over how much of each bone."""

from __future__ import annotations

from dataclasses import dataclass

from mri_sij.config import ScoringSettings
from mri_sij.evidence import Bone, Evidence, Quadrant, QuadrantEvidence, Side
from mri_sij.scoring.sparcc import scored_quadrants


@dataclass(frozen=True)
class Extent:
    """Share (0-1) of one bone's periarticular region that is oedema over the scored slices; None without areas."""

    side: Side
    bone: Bone
    fraction: float | None
    extensive: bool | None


@dataclass(frozen=True)
class Pattern:
    """Laterality and extent. `symmetry` (0-1) is the Dice of the left and right quadrants that have oedema."""

    bilateral: bool
    symmetry: float | None
    symmetric: bool | None
    extents: tuple[Extent, ...]


def _extent(side: Side, bone: Bone, parts: list[QuadrantEvidence], settings: ScoringSettings) -> Extent:
    if any(part.oedema_area_mm2 is None or part.bone_area_mm2 is None for part in parts):
        return Extent(side, bone, None, None)
    area = sum(part.bone_area_mm2 or 0.0 for part in parts)
    oedema = sum(part.oedema_area_mm2 or 0.0 for part in parts if part.oedema)
    fraction = min(1.0, oedema / area) if area > 0 else 0.0
    return Extent(side, bone, fraction, fraction > settings.extensive_above)


def find_pattern(evidence: Evidence, settings: ScoringSettings) -> Pattern:
    """Laterality, symmetry and extent of the quadrants that SPARCC scores.

    More than half of a bone's subchondral region is "extensive" (Arnbak et al. 2020), which went with erosion four
    years later. Symmetry is None where neither side has oedema.
    """
    places: dict[Side, set[tuple[int, Quadrant]]] = {side: set() for side in Side}
    parts: dict[tuple[Side, Bone], list[QuadrantEvidence]] = {(side, bone): [] for side in Side for bone in Bone}
    for joint in evidence.joints:
        for q in scored_quadrants(joint, settings):
            parts[joint.side, q.quadrant.bone].append(q)
            if q.oedema:
                places[joint.side].add((joint.slice_number, q.quadrant))
    left, right = places[Side.LEFT], places[Side.RIGHT]
    symmetry = 2 * len(left & right) / (len(left) + len(right)) if left or right else None
    return Pattern(
        bilateral=bool(left and right),
        symmetry=symmetry,
        symmetric=None if symmetry is None else symmetry >= settings.symmetric_from,
        extents=tuple(_extent(side, bone, found, settings) for (side, bone), found in parts.items()),
    )
