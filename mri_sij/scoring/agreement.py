"""How well two sets of scores agree: intraclass correlation, kappa, limits of agreement. On numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mri_sij.errors import UsageError


def icc_2_1(ratings: ArrayLike) -> float:
    """ICC(2,1): two-way random, absolute agreement, single rater (Shrout and Fleiss, Psychol Bull 1979;86:420).

    `ratings` has shape (cases, raters), at least two of each; nan where every rating is the same.
    """
    x = np.asarray(ratings, np.float64)
    if x.ndim != 2 or min(x.shape) < 2 or not np.isfinite(x).all():
        raise UsageError(f"ICC needs finite ratings of at least two cases by two raters; their shape is {x.shape}.")
    n, k = x.shape
    cases, raters, grand = x.mean(1, keepdims=True), x.mean(0, keepdims=True), x.mean()
    between_cases = k * float(((cases - grand) ** 2).sum()) / (n - 1)
    between_raters = n * float(((raters - grand) ** 2).sum()) / (k - 1)
    error = float(((x - cases - raters + grand) ** 2).sum()) / ((n - 1) * (k - 1))
    whole = between_cases + (k - 1) * error + k * (between_raters - error) / n
    return (between_cases - error) / whole if whole > 0 else float("nan")


def cohen_kappa(first: ArrayLike, second: ArrayLike) -> float:
    """Cohen's kappa of two raters' categories (Educ Psychol Meas 1960;20:37), unweighted.

    Inputs of shape (items,); nan where both give one and the same category throughout (chance agreement is 1).
    """
    a, b = np.asarray(first).ravel(), np.asarray(second).ravel()
    if a.size == 0 or a.shape != b.shape:
        raise UsageError(f"Kappa needs as many items from both raters; they give {a.size} and {b.size}.")
    categories = np.union1d(a, b)
    chance = float(sum((a == c).mean() * (b == c).mean() for c in categories))
    return (float((a == b).mean()) - chance) / (1 - chance) if chance < 1 else float("nan")


@dataclass(frozen=True)
class Agreement:
    """Bland-Altman: mean difference (second - first), its SD, and the 95 % limits of agreement."""

    bias: float
    sd: float
    low: float
    high: float


def bland_altman(first: ArrayLike, second: ArrayLike) -> Agreement:
    """Limits of agreement of two methods (Bland and Altman, Lancet 1986;1:307): bias +- 1.96 SD of the differences."""
    a, b = np.asarray(first, np.float64).ravel(), np.asarray(second, np.float64).ravel()
    if a.size < 2 or a.shape != b.shape:
        raise UsageError(f"Limits of agreement need two or more pairs; {a.size} and {b.size} values are given.")
    bias, sd = float((b - a).mean()), float((b - a).std(ddof=1))
    return Agreement(bias, sd, bias - 1.96 * sd, bias + 1.96 * sd)
