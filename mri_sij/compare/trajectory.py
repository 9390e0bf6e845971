"""Three or more visits of one person: each against the baseline and against the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from mri_sij.compare.outcome import ChangeClass, Outcome, classify, judge
from mri_sij.config import CompareSettings

_IMPROVED = (ChangeClass.REGRESSION, ChangeClass.NORMALIZATION)


@dataclass(frozen=True)
class Step:
    """Visit `number` (0 = baseline) with its SPARCC on the baseline's levels; None where it could not be compared.

    `since_baseline` and `since_previous` are None at the baseline and where a visit is missing; `previous` is the visit
    that the second compares with: the last one before that could be compared.
    """

    number: int
    sparcc: float | None
    since_baseline: Outcome | None
    since_previous: Outcome | None
    previous: int | None


@dataclass(frozen=True)
class Trajectory:
    """All visits in order. `relapse` is the first visit that progressed since an earlier one that had improved, in one
    step or several, or None."""

    steps: tuple[Step, ...]
    lowest: int
    relapse: int | None


def follow(totals: Sequence[float | None], settings: CompareSettings) -> Trajectory:
    """The trajectory of SPARCC totals in order of time; later ones may be None, ValueError where the first is."""
    if not totals or totals[0] is None:
        raise ValueError("a trajectory begins with a scored baseline")
    first = totals[0]
    steps = [Step(0, first, None, None, None)]
    for number, total in enumerate(totals[1:], start=1):
        last = next(step for step in reversed(steps) if step.sparcc is not None)
        if total is None or last.sparcc is None:
            steps.append(Step(number, None, None, None, None))
            continue
        since_baseline, since_previous = judge(first, total, settings), judge(last.sparcc, total, settings)
        steps.append(Step(number, total, since_baseline, since_previous, last.number))
    known = [step for step in steps if step.sparcc is not None]
    lowest = min(known, key=lambda step: (step.sparcc, step.number))
    return Trajectory(tuple(steps), lowest.number, _relapse(known, settings))


def _relapse(steps: Sequence[Step], settings: CompareSettings) -> int | None:
    totals = [(step.number, step.sparcc) for step in steps if step.sparcc is not None]
    found = [
        number
        for (_, early), (_, low), (number, late) in combinations(totals, 3)
        if classify(early, low, settings) in _IMPROVED and classify(low, late, settings) is ChangeClass.PROGRESSION
    ]
    return min(found, default=None)
