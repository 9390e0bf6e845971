"""Whether enough of both joints was seen for a total to mean something; an unseen joint is not a healthy one."""

from __future__ import annotations

from mri_sij.config import ScoringSettings
from mri_sij.evidence import Reason, Side
from mri_sij.scoring.sparcc import Sparcc


def not_enough_seen(sparcc: Sparcc, settings: ScoringSettings) -> tuple[Reason, ...]:
    """A reason for each joint that is scored on fewer than `settings.min_slices_a_joint` slices, or none."""
    return tuple(
        Reason(
            "joint_not_seen",
            f"The {side} joint is high enough to be scored on {count} of {len(sparcc.slice_numbers)} slices, "
            f"expected at least {settings.min_slices_a_joint}.",
        )
        for side in Side
        if (count := len(_seen(sparcc, side))) < settings.min_slices_a_joint
    )


def partly_seen(sparcc: Sparcc) -> tuple[Reason, ...]:
    """A caution for each joint with slices on which it is too low to be scored at all."""
    cautions = []
    for side in Side:
        missing = [number for number in sparcc.slice_numbers if number not in _seen(sparcc, side)]
        if missing:
            slices = ", ".join(map(str, missing))
            message = f"The {side} joint is not visible over more than 1 cm on slice {slices}: nothing is scored there."
            cautions.append(Reason("joint_partly_seen", message))
    return tuple(cautions)


def _seen(sparcc: Sparcc, side: Side) -> list[int]:
    """Slices on which at least one quadrant of the joint counts."""
    return [j.slice_number for j in sparcc.joints if j.side is side and any(i.value is not None for i in j.items)]
