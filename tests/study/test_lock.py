"""Two runs on one OUT: the second is refused, shards beside each other are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from mri_sij.errors import UsageError
from mri_sij.study.lock import alone


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ((1, 1), (1, 1), False),
        ((1, 1), (2, 3), False),
        ((2, 3), (1, 1), False),
        ((2, 3), (2, 3), False),
        ((2, 3), (1, 3), True),
    ],
)
def test_who_may_run_beside_whom(
    first: tuple[int, int], second: tuple[int, int], together: bool, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with alone(out, first):
        if together:
            with alone(out, second):
                pass
        else:
            with pytest.raises(UsageError, match="at work on out"), alone(out, second):
                pass
    with alone(out, second):
        pass
