"""The head of a visit's page: totals, how likely each is, and what else is scored."""

from __future__ import annotations

from mri_sij.evidence import Side
from mri_sij.lesions.records import Measures, ScoreInterval
from mri_sij.report.view import Bar, ScoreView, Tick
from mri_sij.result import VisitResult
from mri_sij.scoring.sheet import ScoreSheet
from mri_sij.scoring.sparcc import HIGHEST

_WIDTH, _BASE, _TALLEST = 260.0, 62.0, 58.0
"""Size of the small plot, in its own units."""


def score_view(result: VisitResult) -> ScoreView | None:
    """The head, or None where the visit has no score."""
    sheet, findings = result.sheet, result.findings
    if sheet is None:
        return None
    interval = findings.interval if findings else None
    sparcc = sheet.sparcc
    return ScoreView(
        total=sparcc.total,
        left=sparcc.side(Side.LEFT).total,
        right=sparcc.side(Side.RIGHT).total,
        interval="" if interval is None else f"{interval.level:.0%} interval {interval.low} to {interval.high}",
        overruled=None if result.reading is None else result.reading.sheet.sparcc.total,
        parts=_parts(sheet),
        bars=() if interval is None else probability_bars(interval, sparcc.total),
        ticks=tuple(Tick(_x(total), str(total)) for total in range(0, HIGHEST + 1, 12)),
        others=(*_volumes(findings.measures if findings else None), *_rules(sheet)),
    )


def _parts(sheet: ScoreSheet) -> tuple[tuple[str, str], ...]:
    whole, sides = sheet.sparcc.sum, {side: sheet.sparcc.side(side) for side in Side}
    return (
        ("Right joint", f"{sides[Side.RIGHT].total} of 36"),
        ("Left joint", f"{sides[Side.LEFT].total} of 36"),
        ("Quadrants", f"{whole.quadrants} of {whole.quadrants_scored}"),
        ("Intensity", f"{whole.intensity} of 12"),
        ("Depth", f"{whole.depth} of 12"),
    )


def _volumes(measures: Measures | None) -> tuple[tuple[str, str], ...]:
    if measures is None:
        return ()
    if measures.volume_ml == 0:
        spread = "none"
    elif not measures.bilateral:
        spread = "one side"
    else:
        spread = "both sides, " + ("symmetric" if measures.symmetric else "not symmetric")
    found = [("Oedema volume", f"{measures.volume_ml:.2f} ml"), ("Oedema on", spread)]
    if measures.fraction is not None:
        found.insert(1, ("Share of bone near the joints", f"{measures.fraction:.1%}"))
    if measures.extensive:
        found.append(("Over half of the bone", ", ".join(f"{side} {bone}" for side, bone in measures.extensive)))
    return tuple(found)


def _rules(sheet: ScoreSheet) -> tuple[tuple[str, str], ...]:
    asas = sheet.asas
    berlin = () if sheet.berlin is None else (("Berlin score, same slices", f"{sheet.berlin.total} of 24"),)
    return (
        *berlin,
        ("ASAS 2009", _positive(asas.positive_2009)),
        ("ASAS 2016", _positive(asas.positive_2016)),
        ("ASAS 2021 cut-offs", _positive(asas.positive_2021)),
    )


def _positive(answer: bool) -> str:
    return "positive" if answer else "negative"


def _x(total: int) -> float:
    return round(2 + (total + 0.5) * (_WIDTH - 4) / (HIGHEST + 1), 2)


def probability_bars(interval: ScoreInterval, total: int) -> tuple[Bar, ...]:
    """One bar a possible total; those within the interval and the total itself are marked."""
    most = max((share for _, share in interval.probabilities), default=0.0)
    bars = []
    for value, share in interval.probabilities:
        if share <= 0:
            continue
        height = round(max(0.8, _TALLEST * share / most), 2)
        style = "at" if value == total else "in" if interval.low <= value <= interval.high else ""
        bars.append(Bar(round(_x(value) - 1.4, 2), round(_BASE - height, 2), 2.8, height, style))
    return tuple(bars)
