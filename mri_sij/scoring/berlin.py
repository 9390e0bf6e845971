"""Berlin SIJ score, 0-24: each joint's four quadrants graded by the share of their bone that is oedema.

spa-imaging.org, grading page: 0 none, 1 below 33 %, 2 33-66 %, 3 above 66 %.
"""

from __future__ import annotations

from dataclasses import dataclass

from mri_sij.config import ScoringSettings
from mri_sij.evidence import QUADRANTS, Evidence, Quadrant, QuadrantEvidence, Side
from mri_sij.scoring.sparcc import scored_quadrants


@dataclass(frozen=True)
class BerlinGrade:
    """One quadrant over all scored slices: `fraction` of its periarticular bone is oedema; grade 0-3. Both are None
    where no slice scores the quadrant: a joint too low for it is not healthy there."""

    side: Side
    quadrant: Quadrant
    fraction: float | None
    grade: int | None


@dataclass(frozen=True)
class Berlin:
    """Eight grades of a visit, over the slices that SPARCC scores."""

    grades: tuple[BerlinGrade, ...]

    @property
    def total(self) -> int:
        """Berlin SIJ score, 0-24."""
        return sum(grade.grade or 0 for grade in self.grades)

    def side(self, side: Side) -> int:
        """Berlin score of one joint, 0-12."""
        return sum(grade.grade or 0 for grade in self.grades if grade.side is side)


def grade_of(fraction: float, settings: ScoringSettings) -> int:
    """Berlin grade of an oedema fraction (0-1)."""
    if fraction <= 0:
        return 0
    if fraction < settings.berlin_second_grade_from:
        return 1
    return 2 if fraction <= settings.berlin_third_grade_above else 3


def score_berlin(evidence: Evidence, settings: ScoringSettings) -> Berlin | None:
    """The Berlin score, or None where the evidence holds no areas (a form filled in by hand).

    Slices are evenly spaced, so that a quadrant's volume fraction is that of its areas summed over the slices.
    Oedema too small to count in its own slice does not count here either.
    """
    found: dict[tuple[Side, Quadrant], list[QuadrantEvidence]] = {(s, q): [] for s in Side for q in QUADRANTS}
    for joint in evidence.joints:
        for part in scored_quadrants(joint):
            found[joint.side, part.quadrant].append(part)
    grades = []
    for (side, quadrant), parts in found.items():
        if any(part.oedema_area_mm2 is None or part.bone_area_mm2 is None for part in parts):
            return None
        bone = sum(part.bone_area_mm2 or 0.0 for part in parts)
        oedema = sum(part.oedema_area_mm2 or 0.0 for part in parts if part.oedema)
        fraction = oedema / bone if bone > 0 else None
        grade = None if fraction is None else grade_of(fraction, settings)
        grades.append(BerlinGrade(side, quadrant, fraction, grade))
    return Berlin(tuple(grades))
