"""The awkward-series matrix: no wrong geometry at exit status 0, and each refusal names its own cause."""

from __future__ import annotations

from pathlib import Path

import pytest
from awkward import Case
from awkward_cases import CASES
from judge import ours, verdict


def test_there_are_at_least_forty_cases() -> None:
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_series_is_read_right_or_refused_by_its_own_cause(case: Case, tmp_path: Path) -> None:
    made = case.make(tmp_path)
    found, codes = ours(tmp_path)
    assert verdict(found, made) == ("right" if made.truths else "nothing")
    assert codes == ([made.code] if made.code else [])
