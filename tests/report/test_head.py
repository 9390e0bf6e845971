"""The small plot of how likely each total is."""

from __future__ import annotations

from mri_sij.lesions.records import ScoreInterval
from mri_sij.report.head import probability_bars


def test_a_bar_a_total_with_interval_and_score_marked() -> None:
    bars = probability_bars(ScoreInterval(6, 9, 0.9, ((5, 0.05), (6, 0.15), (8, 0.6), (9, 0.2), (20, 0.0))), 8)
    assert [bar.style for bar in bars] == ["", "in", "at", "in"]
    assert max(bar.height for bar in bars) == next(bar.height for bar in bars if bar.style == "at")
    assert all(bar.y + bar.height == 62 for bar in bars)
    assert [bar.x for bar in bars] == sorted(bar.x for bar in bars)


def test_no_distribution_no_bars() -> None:
    assert probability_bars(ScoreInterval(0, 0, 0.9, ()), 0) == ()
