"""Oedema that runs on in its bone, in front of and behind the slices on which its joint is seen.

It is looked for beside the joints alone. Where it floods a bone it does not end with the joint, and readers outline
all of it. No slice without a joint is scored: this counts for volumes and pictures, and for how a follow-up whose
slices are tilted otherwise is read.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.find import Anatomy
from mri_sij.anatomy.joint import ILIUM_OF
from mri_sij.anatomy.labels import SACRUM
from mri_sij.anatomy.quadrants import REGION_SIDE
from mri_sij.anatomy.span import Mask, box_within
from mri_sij.config import LesionSettings
from mri_sij.evidence import Bone, Side
from mri_sij.lesions.average import average_over_bone
from mri_sij.lesions.holes import filled
from mri_sij.lesions.items import EVEN_MM
from mri_sij.lesions.records import OEDEMA_PLACES
from mri_sij.lesions.search import Field
from mri_sij.volume import LabelMap


def run_on(oedema: LabelMap, anatomy: Anatomy, ratio: Field, settings: LesionSettings) -> LabelMap:
    """`oedema` (labels by joint and bone) carried on from slice to slice beyond each joint's first and last one.

    `ratio` is STIR over normal marrow on the whole grid, without smoothing. Bone belongs to it that lies over oedema of
    the slice before, or hangs together with such bone, and has at least `run_on_excess` of that oedema's excess.
    """
    labels, bones = oedema.data.copy(), anatomy.segmentation.labels.data
    spacing_mm = oedema.grid.spacing_mm
    for code, (side, bone) in OEDEMA_PLACES.items():
        slices = np.flatnonzero((anatomy.regions.side == REGION_SIDE[side]).any((0, 1)))
        if not len(slices):
            continue
        for order in (range(slices.min(), -1, -1), range(slices.max(), labels.shape[2])):
            for last, k in pairwise(order):
                before = np.asarray(labels[:, :, last] == code)
                if before.sum() * spacing_mm[0] * spacing_mm[1] < settings.min_area_mm2:
                    break
                excess = float(ratio[:, :, last][before].mean()) - 1
                least = 1 + settings.run_on_excess * excess
                here = _over(before, _own(bones[:, :, k], side, bone), ratio[:, :, k], least, spacing_mm)
                labels[:, :, k][here] = code
    return LabelMap(labels, oedema.grid, dict(oedema.names))


def _own(plane: NDArray[np.uint8], side: Side, bone: Bone) -> Mask:
    """The bone on a slice; of the sacrum the half on that side (axis 0 runs to the patient's left)."""
    if bone is Bone.ILIUM:
        return np.asarray(plane == ILIUM_OF[side])
    sacrum = np.asarray(plane == SACRUM)
    column = np.arange(plane.shape[0])[:, None]
    middle = float(np.argwhere(sacrum)[:, 0].mean()) if sacrum.any() else 0.0
    return np.asarray(sacrum & (column > middle if side is Side.LEFT else column < middle))


def _over(before: Mask, own: Mask, ratio: Field, least: float, spacing_mm: tuple[float, float, float]) -> Mask:
    """Pieces of `own` bone at least `least` times as bright as marrow that lie over `before`, without holes."""
    found, box = np.zeros_like(own), box_within(own[:, :, None], 3 * EVEN_MM, spacing_mm)
    own, part = own[box[:2]], box[:2]
    even = average_over_bone(ratio[part][:, :, None], own[:, :, None], spacing_mm[:2], EVEN_MM)[:, :, 0]
    pieces, _ = ndi.label(own & (even >= least), np.ones((3, 3)))
    touching = np.unique(pieces[before[part]])
    found[part] = filled(np.isin(pieces, touching[touching > 0])) & own
    return found
