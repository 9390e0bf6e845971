"""`mri-sij run`: what it prints, and its exit statuses."""

from __future__ import annotations

import pytest

from mri_sij.cli.run import exit_of
from mri_sij.errors import Exit


@pytest.mark.parametrize(
    ("visits", "comparisons", "status"),
    [
        ("done not_scorable", "done not_scorable refused", Exit.DONE),
        ("done done", "failed", Exit.SOME_FAILED),
        ("done refused", "not_scorable", Exit.SOME_FAILED),
        ("refused failed", "not_scorable", Exit.REFUSED),
    ],
)
def test_a_study_with_anything_that_failed_does_not_end_with_0(visits: str, comparisons: str, status: Exit) -> None:
    assert exit_of(visits.split(), comparisons.split()) is status
