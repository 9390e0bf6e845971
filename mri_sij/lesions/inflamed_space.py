"""Inflammation in the space of a joint: what fills its erosions.

Where inflammation has eaten bone away at the joint, the segmentation draws the border of the bone around the cavity,
and what fills it lies in the joint space. It is an active lesion of its own (inflammation at the site of erosion:
ASAS 2019, Maksymowych, Ann Rheum Dis 78:1550; joint space inflammation of JAMRIS-SIJ, Otobo 2021), and readers outline
it with the oedema beside it. Joint fluid is brighter and not scored (Maksymowych 2005), healthy cartilage and cortex
are darker than marrow, or bright throughout.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from mri_sij.anatomy.span import Mask
from mri_sij.config import LesionSettings
from mri_sij.lesions.search import NEIGHBOURS, Search


def inflamed(search: Search, oedema: Mask, settings: LesionSettings, reference: float = 1.0) -> Mask:
    """What is inflamed in the space of joints beside which bone holds `oedema` (both over the search box).

    It is brighter than normal marrow (times `reference`, where another level of that is tried) and than the rest of the
    same joint's space, and no piece of it is as bright as fluid or less than the least that readers outline.
    """
    found = np.zeros(oedema.shape, bool)
    of_each_bone = np.bincount(search.code[oedema], minlength=5)
    for number, box in enumerate(ndi.find_objects((search.space + 1) // 2), start=1):
        if box is None or not of_each_bone[2 * number - 1 : 2 * number + 1].any():
            continue
        own, ratio = (search.space[box] + 1) // 2 == number, search.ratio[box]
        over_joint = settings.space_over_joint * float(np.median(ratio[own]))
        pieces, count = ndi.label(own & (ratio >= max(settings.space_contrast * reference, over_joint)), NEIGHBOURS)
        volumes_ml = np.bincount(pieces.ravel(), minlength=count + 1) * search.voxel_ml
        peaks = ndi.maximum(ratio, pieces, np.arange(count + 1))
        kept = (volumes_ml >= settings.min_volume_ml) & (np.asarray(peaks) < settings.space_fluid * reference)
        kept[0] = False
        found[box] |= kept[pieces]
    return found
