"""The class of a change: normalization, regression, stability or progression, and how probable each is.

The rule is that of the project's domain notes: progression first, then normalization (remission: SPARCC below 2), then
regression, else stability, by the minimally important change 2.5 (Maksymowych 2012) or, in strict mode, the smallest
detectable change 3.4 (van den Berg 2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np

from mri_sij.config import CompareSettings

_ROUNDING = 1e-9
"""Scores may be means of readers (7/3 + 2.5); a change of exactly the threshold counts in spite of binary rounding."""


class ChangeClass(StrEnum):
    """What became of the inflammation between two visits."""

    NORMALIZATION = "normalization"
    REGRESSION = "regression"
    STABILITY = "stability"
    PROGRESSION = "progression"
    NOT_COMPARABLE = "not_comparable"


DECIDED: tuple[ChangeClass, ...] = (
    ChangeClass.NORMALIZATION,
    ChangeClass.REGRESSION,
    ChangeClass.STABILITY,
    ChangeClass.PROGRESSION,
)
"""The classes of visits that can be compared."""


@dataclass(frozen=True)
class Outcome:
    """The class with its marks; scores and `delta` in SPARCC points (follow-up minus baseline).

    `percent` is None where the baseline is 0. `inactive`: both visits below the remission threshold; `active`: both at
    or above it. `resolved_completely`: the follow-up is 0 and the baseline was not. `grey_zone`: the class says change,
    but the change is smaller than the smallest detectable one. `within_error`: any change that small, but not 0.
    """

    change_class: ChangeClass
    baseline: float
    followup: float
    threshold: float
    inactive: bool
    active: bool
    mixed: bool
    resolved_completely: bool
    grey_zone: bool
    within_error: bool

    @property
    def delta(self) -> float:
        """Follow-up minus baseline."""
        return self.followup - self.baseline

    @property
    def percent(self) -> float | None:
        """Change in per cent of the baseline; None where the baseline is 0."""
        return None if self.baseline == 0 else 100.0 * self.delta / self.baseline


def threshold_points(settings: CompareSettings) -> float:
    """SPARCC points from which a change counts under `settings`."""
    return settings.smallest_detectable_change if settings.strict else settings.minimal_important_change


def classify(baseline: float, followup: float, settings: CompareSettings) -> ChangeClass:
    """The class of a change from two SPARCC totals (0-72, whole or means of readers)."""
    least = threshold_points(settings) - _ROUNDING
    if followup - baseline >= least:
        return ChangeClass.PROGRESSION
    if _is_active(baseline, settings) and not _is_active(followup, settings):
        return ChangeClass.NORMALIZATION
    if baseline - followup >= least and _is_active(followup, settings):
        return ChangeClass.REGRESSION
    return ChangeClass.STABILITY


def judge(baseline: float, followup: float, settings: CompareSettings, *, gained: int = 0, lost: int = 0) -> Outcome:
    """The class and its marks. `gained` and `lost` are quadrant points that rose and fell, in different quadrants."""
    change_class = classify(baseline, followup, settings)
    active = _is_active(baseline, settings), _is_active(followup, settings)
    within = abs(followup - baseline) < settings.smallest_detectable_change - _ROUNDING
    return Outcome(
        change_class=change_class,
        baseline=baseline,
        followup=followup,
        threshold=threshold_points(settings),
        inactive=not any(active),
        active=all(active),
        mixed=gained >= settings.mixed_points and (lost >= settings.mixed_points or followup < baseline),
        resolved_completely=followup == 0 < baseline,
        grey_zone=change_class is not ChangeClass.STABILITY and within,
        within_error=within and followup != baseline,
    )


def certainly(change_class: ChangeClass) -> dict[ChangeClass, float]:
    """Probabilities where there is nothing to be unsure of."""
    return {one: float(one is change_class) for one in DECIDED}


def class_probabilities(
    baseline: Mapping[int, float], followup: Mapping[int, float], settings: CompareSettings
) -> dict[ChangeClass, float]:
    """Probability of each class from the distributions of both visits' totals.

    The follow-up is read beside the baseline, so most of what is wrong with one total is wrong with the other (the same
    vessel taken for oedema twice): for `shared_error` of the probability both totals are wrong alike, quantile by
    quantile, and for the rest independently.
    """
    first, second = _normalized(baseline), _normalized(followup)
    shares: dict[ChangeClass, float] = dict.fromkeys(DECIDED, 0.0)
    for one, p in first:
        for two, q in second:
            shares[classify(one, two, settings)] += (1 - settings.shared_error) * p * q
    for one, two, p in _alike(first, second):
        shares[classify(one, two, settings)] += settings.shared_error * p
    return shares


def _normalized(shares: Mapping[int, float]) -> list[tuple[int, float]]:
    whole = sum(shares.values())
    return [(total, share / whole) for total, share in sorted(shares.items())]


def _alike(first: list[tuple[int, float]], second: list[tuple[int, float]]) -> list[tuple[int, int, float]]:
    """Pairs of totals at the same quantiles of two distributions, with the probability of each."""
    ends = [np.cumsum([share for _, share in shares]) for shares in (first, second)]
    cuts = np.unique(np.concatenate([[0.0], *ends]).clip(0, 1))
    found = []
    for low, high in pairwise(cuts.tolist()):
        middle = (low + high) / 2
        at = [min(int(np.searchsorted(end, middle)), len(end) - 1) for end in ends]
        found.append((first[at[0]][0], second[at[1]][0], high - low))
    return found


def _is_active(score: float, settings: CompareSettings) -> bool:
    return score >= settings.active_from - _ROUNDING
