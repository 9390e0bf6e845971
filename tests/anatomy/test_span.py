"""The span of a mask: from its first to its last place, gaps included; empty where there is none."""

from __future__ import annotations

import numpy as np

from mri_sij.anatomy.span import span


def test_a_span_runs_from_the_first_to_the_last_place() -> None:
    assert span(np.array([False, True, False, True, False])) == slice(1, 4)
    assert span(np.array([True])) == slice(0, 1)


def test_nothing_spans_nothing() -> None:
    assert span(np.zeros(4, bool)) == slice(0, 0)
