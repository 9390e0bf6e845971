"""How sure the score is: the same images read again with references, thresholds and borders moved.

Readings differ by the normal-marrow level, the network's log odds, the place of the articular margin, the
neighbouring slice taken first, and each quadrant's area; how far each moves is a setting, chosen so that on
simulated patients the interval holds the true total as often as it says. Random numbers start from one seed: the
same images give the same interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mri_sij.anatomy.span import Mask
from mri_sij.config import LesionSettings
from mri_sij.lesions.inflamed_space import inflamed
from mri_sij.lesions.items import Items, Marks, even_contrast, mark, measure_items
from mri_sij.lesions.oedema import Perturbation, Pieces, bright_enough, connect, grow, mean_needed, moved, thresholds
from mri_sij.lesions.records import ScoreInterval
from mri_sij.lesions.search import Field, Search, across_joints, thinned

_SEED = 20051120
_POINTS_A_SLICE = 12  # eight quadrants, and intensity and depth of both joints (Maksymowych 2005)


def perturbations(settings: LesionSettings) -> tuple[Perturbation, ...]:
    """The readings, in order; the same for every visit."""
    rng = np.random.default_rng(_SEED)
    drawn = rng.standard_normal((settings.perturbations, 3))
    shifts = rng.choice(
        (-1, 0, 1),
        settings.perturbations,
        p=(settings.slice_shift / 2, 1 - settings.slice_shift, settings.slice_shift / 2),
    )
    sd = (settings.reference_sd, settings.logit_sd, settings.border_sd_mm)
    return tuple(
        Perturbation(float(np.exp(sd[0] * a)), float(sd[1] * b), float(sd[2] * c), int(s))
        for (a, b, c), s in zip(drawn, shifts, strict=True)
    )


def other_readings(
    search: Search,
    heights_mm: NDArray[np.float64],
    rows: NDArray[np.intp],
    intense_ratio: float | None,
    settings: LesionSettings,
) -> tuple[Marks, ...]:
    """Marks of every perturbed reading, on the scored slices (`rows` of the search box) and the next ones."""
    rng = np.random.default_rng(_SEED + 1)
    readings = []
    search = thinned(search)
    even = even_contrast(search)
    slices = heights_mm.max(1) > 0
    slices[: max(rows.min() - 1, 0)] = slices[rows.max() + 2 :] = False
    for change in perturbations(settings):
        moved_margin = replace(search, depth_mm=search.depth_mm - np.float32(change.border_mm))
        oedema = accepted(moved_margin, settings, change) & slices
        intense = None if intense_ratio is None else even >= intense_ratio * change.reference
        items = measure_items(oedema, across_joints(moved_margin), intense, settings)
        readings.append(mark(_jittered(items, rng, settings), heights_mm, settings))
    return tuple(readings)


def _jittered(items: Items, rng: np.random.Generator, settings: LesionSettings) -> Items:
    """Every quadrant's area times a random factor: borders of lesions move one by one."""
    factor = np.exp(settings.area_sd * rng.standard_normal(items.oedema_mm2.shape))
    bright = np.exp(settings.area_sd * rng.standard_normal(items.intense_mm2.shape))
    return replace(items, oedema_mm2=items.oedema_mm2 * factor, intense_mm2=items.intense_mm2 * bright)


def accepted(search: Search, settings: LesionSettings, change: Perturbation) -> Mask:
    """Oedema under a perturbation, by the same rules as `oedema.accept` but without its records."""
    pieces = connect(grow(search, settings, change), search.code)
    bright = bright_enough(search, settings, change.reference)
    kept = np.concatenate([np.zeros(1, bool), _passes(search, pieces, bright, settings, change)])
    oedema = kept[pieces.label] & bright
    return oedema | inflamed(search, oedema, settings, change.reference)


def _passes(
    search: Search, pieces: Pieces, bright: Mask, settings: LesionSettings, change: Perturbation
) -> NDArray[np.bool_]:
    """Which pieces pass the rules of `oedema.judge`, all at once."""
    if not len(pieces.codes):
        return np.zeros(0, bool)
    at = np.flatnonzero(pieces.label)
    order = np.argsort(pieces.label.ravel()[at], kind="stable")
    at = at[order]
    size = np.bincount(pieces.label.ravel()[at])[1:]
    starts = np.concatenate([[0], np.cumsum(size)[:-1]])

    def mean(values: NDArray[np.generic]) -> NDArray[np.float64]:
        return np.asarray(np.add.reduceat(values.ravel()[at].astype(float), starts) / size)

    def most(values: NDArray[np.generic]) -> NDArray[np.float64]:
        return np.asarray(np.maximum.reduceat(values.ravel()[at].astype(float), starts))

    contact = -most(np.where(search.cartilaginous, -search.depth_mm, -np.inf))
    ok = (size * search.voxel_ml >= settings.min_volume_ml) & (contact <= settings.contact_mm)
    network = settings.method != "rules" and search.oedema is not None
    if network and search.oedema is not None:
        ok &= most(search.oedema) >= moved(thresholds(settings)[1], change.logit)
        likely = _likely(mean, search.oedema, bright, settings)
    if settings.method == "network":
        return np.asarray(ok)
    if network:
        sure = likely >= moved(settings.odds_sure, change.logit)
        needed = np.where(sure, settings.sure_contrast, settings.min_contrast)
        ok &= mean(search.ratio) >= needed * change.reference
    else:
        ok &= most(search.ratio) >= settings.rules_peak * change.reference
    if search.fluid is not None:
        ok &= mean(search.fluid >= 0.5) < settings.vessel_fluid_fraction
    if search.t1_ratio is not None:
        ok &= mean(search.t1_ratio) <= settings.fat_t1_ratio
    shallow = most(search.depth_mm) <= settings.rim_depth_mm
    if search.t1_ratio is not None:
        ok &= ~(shallow & (mean(search.t1_ratio) < settings.joint_t1_ratio))
    ok &= ~(shallow & (most(search.ratio) <= settings.rim_contrast * change.reference))
    return _likely_enough(np.asarray(ok), likely, size * search.voxel_ml, settings, change) if network else ok


def _likely(
    mean: Callable[[NDArray[np.generic]], NDArray[np.float64]],
    oedema: Field,
    bright: Mask,
    settings: LesionSettings,
) -> NDArray[np.float64]:
    """Mean probability of each piece where it is `bright`, by `mean`, which takes it over whole pieces."""
    share = mean(bright)
    if settings.method != "combined":
        # NaN compares false both ways: the network's own probabilities are not held against the limits of the odds.
        return np.full(len(share), np.nan)
    return np.where(share > 0, mean(oedema * bright) / np.maximum(share, 1e-9), mean(oedema))


def _likely_enough(
    ok: NDArray[np.bool_],
    likely: NDArray[np.float64],
    volume_ml: NDArray[np.floating[Any]],
    settings: LesionSettings,
    change: Perturbation,
) -> NDArray[np.bool_]:
    """Those of the `ok` pieces whose mean probability is not too low either."""
    clear_ml = float(volume_ml[ok & ~(likely < moved(settings.odds_mean, change.logit))].sum())
    return np.asarray(ok & ~(likely < moved(mean_needed(clear_ml, settings), change.logit)))


def chances_of(readings: tuple[Marks, ...], own: Marks) -> Marks:
    """Share of readings with each item; the reading itself counts as one of them."""
    every = (*readings, own)
    quadrant, intense, deep = ([getattr(m, name) for m in every] for name in ("quadrant", "intense", "deep"))
    return Marks(np.mean(quadrant, 0), np.mean(intense, 0), np.mean(deep, 0))


def interval_of(
    readings: tuple[Marks, ...], own: Marks, rows: NDArray[np.intp], settings: LesionSettings
) -> ScoreInterval:
    """Smallest central interval of totals that holds `interval_level` of the readings, and the total of the reading
    itself, widened by `interval_margin`. Six slices that touch the box's end are not moved beyond it."""
    most = (-rows.min(), len(own.deep) - 1 - rows.max())
    shifted = [rows + np.clip(change.slice_shift, *most) for change in perturbations(settings)]
    totals = np.array([m.total(r) for m, r in zip(readings, shifted, strict=True)] + [own.total(rows)])
    tail = (1 - settings.interval_level) / 2
    low = min(int(np.floor(np.quantile(totals, tail))), own.total(rows)) - settings.interval_margin
    high = max(int(np.ceil(np.quantile(totals, 1 - tail))), own.total(rows)) + settings.interval_margin
    values, counts = np.unique(totals, return_counts=True)
    shares = tuple((int(v), float(c / len(totals))) for v, c in zip(values, counts, strict=True))
    return ScoreInterval(max(low, 0), min(high, _POINTS_A_SLICE * len(rows)), settings.interval_level, shares)
