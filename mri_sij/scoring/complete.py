"""Whether an `Evidence` can be scored at all: an incomplete one is refused, never counted as 0."""

from __future__ import annotations

from itertools import pairwise

from mri_sij.config import ScoringSettings
from mri_sij.errors import RefusedError
from mri_sij.evidence import Evidence, JointSliceEvidence, Side


class EvidenceError(RefusedError):
    """Evidence that SPARCC has no rule for: slices or joints missing, doubled, or not consecutive."""

    code = "evidence"


def require_complete(evidence: Evidence, settings: ScoringSettings) -> None:
    """Raise EvidenceError unless there are exactly `settings.slices` consecutive slices with both joints each, once."""
    numbers = evidence.slice_numbers
    if len(numbers) != settings.slices:
        raise EvidenceError(
            f"SPARCC scores {settings.slices} slices; {len(numbers)} are given.",
            hint="Slices that were not read are not 0: such a visit is not scorable.",
        )
    steps = {b - a for a, b in pairwise(numbers)}
    if not steps <= {1, -1}:
        raise EvidenceError(f"SPARCC scores consecutive slices; those given are {', '.join(map(str, numbers))}.")
    seen = [(joint.slice_number, joint.side) for joint in evidence.joints]
    for number in numbers:
        for side in Side:
            if seen.count((number, side)) != 1:
                raise EvidenceError(
                    f"Slice {number} has the {side} joint {seen.count((number, side))} times, not once."
                )
    for joint in evidence.joints:
        _require_known_quadrants(joint)


def _require_known_quadrants(joint: JointSliceEvidence) -> None:
    given = [q.quadrant for q in joint.quadrants]
    halves = {str(q.half) for q in given}
    if len(set(given)) != len(given) or len(given) not in (0, 2, 4) or (len(given) == 2 and halves != {"upper"}):
        raise EvidenceError(
            f"Slice {joint.slice_number}, {joint.side} joint: four quadrants are scored, or the upper two, or none; "
            f"given are {', '.join(map(str, given)) or 'none'}."
        )
