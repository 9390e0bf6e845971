"""Agreement statistics against published and hand-worked figures."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mri_sij.errors import UsageError
from mri_sij.scoring.agreement import bland_altman, cohen_kappa, icc_2_1

SHROUT_FLEISS_1979 = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def test_icc_of_the_paper_that_defines_it() -> None:
    assert icc_2_1(SHROUT_FLEISS_1979) == pytest.approx(0.29, abs=0.005)
    assert icc_2_1(np.array(SHROUT_FLEISS_1979) / 100) == pytest.approx(icc_2_1(SHROUT_FLEISS_1979))


def test_icc_ends() -> None:
    scores = np.arange(10.0)
    assert icc_2_1(np.stack([scores, scores], 1)) == pytest.approx(1.0)
    assert icc_2_1(np.stack([scores, scores + 5], 1)) < 0.5  # a constant offset is disagreement
    assert math.isnan(icc_2_1(np.zeros((4, 2))))


def test_kappa_worked_by_hand() -> None:
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: observed 0.7, chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5
    a = [1] * 25 + [0] * 25
    b = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert cohen_kappa(a, b) == pytest.approx(0.4)
    assert math.isnan(cohen_kappa([1, 1], [1, 1]))


def test_limits_of_agreement_worked_by_hand() -> None:
    found = bland_altman([1, 2, 4], [3, 6, 10])  # differences 2, 4, 6
    assert (found.bias, found.sd) == (4.0, 2.0)
    assert (found.low, found.high) == pytest.approx((0.08, 7.92))
    assert bland_altman([0, 0], [1, 3]).bias == 2.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: icc_2_1([[1, 2]]),
        lambda: icc_2_1([[1, 2], [3, math.nan]]),
        lambda: icc_2_1(np.eye(8).reshape(4, 4, 4)),
        lambda: cohen_kappa([], []),
        lambda: cohen_kappa([1, 0], [1]),
        lambda: bland_altman([1], [2]),
        lambda: bland_altman([1, 2, 3], [2]),
    ],
)
def test_too_little_data_is_said(call) -> None:
    with pytest.raises(UsageError):
        call()
