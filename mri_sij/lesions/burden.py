"""Continuous measures: how much oedema, how bright, on which side, and whether it fills its bone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mri_sij.anatomy.span import Mask
from mri_sij.config import LesionSettings
from mri_sij.evidence import Side
from mri_sij.lesions.items import periarticular
from mri_sij.lesions.records import OEDEMA_LABELS, BoneBurden, Measures, MuscleSign
from mri_sij.lesions.search import Field, Search


def measure_burden(
    oedema: Mask, search: Search, beyond: Mapping[int, Field], muscle: tuple[MuscleSign, ...], settings: LesionSettings
) -> Measures:
    """Measures of `oedema` over the search box and of where it runs on `beyond` the joint's slices: for each label the
    contrast of its voxels there.

    Volume counts all accepted oedema, on all slices; fractions count periarticular bone (`reach_mm`, cartilaginous
    part). Asymmetry is (left - right) / (left + right) of the volumes, None without oedema.
    """
    burdens = _burdens(oedema, search, beyond, settings)
    left, right = (sum(b.volume_ml for b in burdens if b.side is side) for side in Side)
    bone = sum(b.periarticular_ml for b in burdens)
    smaller, larger = sorted((left, right))
    bilateral = smaller >= settings.min_volume_ml
    return Measures(
        volume_ml=left + right,
        volume_times_contrast_ml=sum(b.volume_times_contrast_ml for b in burdens),
        fraction=sum(b.periarticular_oedema_ml for b in burdens) / bone if bone > 0 else None,
        burdens=burdens,
        bilateral=bilateral,
        symmetric=bilateral and smaller >= settings.symmetric_ratio * larger,
        asymmetry=(left - right) / (left + right) if left + right > 0 else None,
        extensive=tuple((b.side, b.bone) for b in burdens if (b.fraction or 0.0) > settings.extensive_fraction),
        muscle=muscle,
    )


def _burdens(
    oedema: Mask, search: Search, beyond: Mapping[int, Field], settings: LesionSettings
) -> tuple[BoneBurden, ...]:
    near = periarticular(search, settings)
    ml = search.voxel_ml
    found = []
    for (side, bone), label in OEDEMA_LABELS.items():
        own = search.code == label
        inside = oedema & own
        ratio = np.concatenate([search.ratio[inside], beyond[label]])
        found.append(
            BoneBurden(
                side, bone,
                volume_ml=float(ratio.size * ml),
                periarticular_ml=float((near & own & (search.bone | oedema)).sum() * ml),
                periarticular_oedema_ml=float((inside & near).sum() * ml),
                volume_times_contrast_ml=float(np.maximum(ratio - 1, 0).sum() * ml),
                mean_contrast=float(ratio.mean()) if ratio.size else None,
            )
        )  # fmt: skip
    return tuple(found)
