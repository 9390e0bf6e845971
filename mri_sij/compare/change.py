"""Change of the SPARCC form between two visits scored on the same anatomical levels, item by item; no arrays."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mri_sij.errors import RefusedError
from mri_sij.evidence import QUADRANTS, Quadrant, Side
from mri_sij.scoring.sparcc import Sparcc, SparccSum


class LevelsError(RefusedError):
    """Two forms that do not lie on the same number of levels."""

    code = "levels"


class Trend(StrEnum):
    """What became of a quadrant or an item."""

    RESOLVED = "resolved"
    LOWER = "lower"
    UNCHANGED = "unchanged"
    HIGHER = "higher"
    NEW = "new"
    NOT_SCORED = "not_scored"


@dataclass(frozen=True)
class ItemChange:
    """One cell of the form on one level (1 = most anterior); values 0 or 1, None where a visit does not score it."""

    level: int
    side: Side
    name: str
    baseline: int | None
    followup: int | None

    @property
    def trend(self) -> Trend:
        """Resolved, unchanged or new; not scored where either visit leaves the cell out."""
        return trend_of(self.baseline, self.followup)


@dataclass(frozen=True)
class QuadrantChange:
    """One of the eight quadrants over all levels: points (0-6) on the levels that both visits score."""

    side: Side
    quadrant: Quadrant
    baseline: int
    followup: int

    @property
    def trend(self) -> Trend:
        """Resolved, lower, unchanged, higher or new."""
        return trend_of(self.baseline, self.followup)


@dataclass(frozen=True)
class PartChange:
    """Points of one joint or of the visit, by kind of item."""

    baseline: SparccSum
    followup: SparccSum

    @property
    def delta(self) -> int:
        """Follow-up minus baseline."""
        return self.followup.total - self.baseline.total


@dataclass(frozen=True)
class FormChange:
    """All changes of the form; `gained` and `lost` are the points that quadrants rose and fell by over all levels."""

    items: tuple[ItemChange, ...]
    quadrants: tuple[QuadrantChange, ...]
    left: PartChange
    right: PartChange
    total: PartChange

    @property
    def gained(self) -> int:
        """Points of quadrants that rose. A lesion that only moved to the next level is none."""
        return sum(max(q.followup - q.baseline, 0) for q in self.quadrants)

    @property
    def lost(self) -> int:
        """Points of quadrants that fell."""
        return sum(max(q.baseline - q.followup, 0) for q in self.quadrants)

    def count(self, trend: Trend) -> int:
        """How many of the eight quadrants show `trend`."""
        return sum(q.trend is trend for q in self.quadrants)


def trend_of(baseline: int | None, followup: int | None) -> Trend:
    """Trend of a number of points."""
    if baseline is None or followup is None:
        return Trend.NOT_SCORED
    if followup == baseline:
        return Trend.UNCHANGED
    if followup > baseline:
        return Trend.NEW if baseline == 0 else Trend.HIGHER
    return Trend.RESOLVED if followup == 0 else Trend.LOWER


def compare_forms(baseline: Sparcc, followup: Sparcc) -> FormChange:
    """Change between two forms of the same levels in the same order (anterior to posterior); LevelsError otherwise."""
    if len(baseline.slice_numbers) != len(followup.slice_numbers):
        raise LevelsError(
            f"The baseline is scored on {len(baseline.slice_numbers)} levels, "
            f"the follow-up on {len(followup.slice_numbers)}.",
            hint="Only forms of the same anatomical levels can be compared.",
        )
    items = _items(baseline, followup)
    quadrants = tuple(
        QuadrantChange(side, quadrant, _points(items, side, quadrant, 0), _points(items, side, quadrant, 1))
        for side in Side
        for quadrant in QUADRANTS
    )
    left, right = (PartChange(baseline.side(side), followup.side(side)) for side in (Side.LEFT, Side.RIGHT))
    return FormChange(items, quadrants, left, right, PartChange(baseline.sum, followup.sum))


def _items(baseline: Sparcc, followup: Sparcc) -> tuple[ItemChange, ...]:
    items = []
    pairs = zip(baseline.slice_numbers, followup.slice_numbers, strict=True)
    for level, (first, second) in enumerate(pairs, start=1):
        for side in Side:
            one = next(j for j in baseline.joints if j.slice_number == first and j.side is side)
            two = next(j for j in followup.joints if j.slice_number == second and j.side is side)
            items += [ItemChange(level, side, q.item, one.of(q), two.of(q)) for q in QUADRANTS]
            items.append(ItemChange(level, side, "intense", one.intensity, two.intensity))
            items.append(ItemChange(level, side, "deep", one.depth, two.depth))
    return tuple(items)


def _points(items: tuple[ItemChange, ...], side: Side, quadrant: Quadrant, visit: int) -> int:
    own = [i for i in items if i.side is side and i.name == quadrant.item and i.trend is not Trend.NOT_SCORED]
    return sum((i.baseline, i.followup)[visit] or 0 for i in own)
