"""All of the anatomy of a visit, in order: bones, joints, quadrants, slices, quality."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mri_sij.anatomy.cut import cut_joints
from mri_sij.anatomy.joint import Joints, find_joints
from mri_sij.anatomy.labels import Segmentation
from mri_sij.anatomy.quadrants import Regions, divide
from mri_sij.anatomy.quality import Quality, assess
from mri_sij.anatomy.slices import SliceChoice, choose_slices
from mri_sij.config import AnatomySettings
from mri_sij.evidence import NotScorable
from mri_sij.volume import Volume


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What was found, in the reading frame. `slice_choice` is NotScorable where no six slices can be scored."""

    segmentation: Segmentation
    joints: Joints
    regions: Regions
    slice_choice: SliceChoice
    quality: Quality


@dataclass(frozen=True, eq=False)
class Unusable:
    """A segmentation that must not be scored, with the reasons and the figures that were measured."""

    segmentation: Segmentation
    joints: Joints
    quality: Quality
    why: NotScorable


def find_anatomy(
    stir: Volume, segmentation: Segmentation, settings: AnatomySettings, t1: Volume | None = None
) -> Anatomy | Unusable:
    """Joints, quadrants and slices of segmented bones; Unusable when a quality check fails or six slices cannot be had.

    All in the reading frame; `t1`, on the STIR's grid, tells whether fat is suppressed.
    """
    labels = segmentation.labels
    joints = find_joints(labels, settings, t1, segmentation.shape, segmentation.cartilage)
    quality = assess(stir, segmentation, joints, settings, t1)
    if quality.failed:
        return Unusable(segmentation, joints, quality, NotScorable(quality.failed))
    choice = choose_slices(stir, labels, joints, settings)
    if isinstance(choice, NotScorable):
        return Unusable(segmentation, joints, quality, choice)
    choice = replace(choice, cautions=(*choice.cautions, *cut_joints(stir, joints, choice.numbers)))
    return Anatomy(segmentation, joints, divide(labels, joints), choice, quality)


def beside_joints(found: Anatomy | Unusable, reach_mm: float) -> NDArray[np.bool_]:
    """Bone that is scored: beside cartilaginous joints, within `reach_mm`; all bone where joints cannot be trusted."""
    if isinstance(found, Unusable):
        return np.asarray(found.segmentation.labels.data > 0)
    return np.asarray(found.regions.cartilaginous & (found.regions.depth_mm <= reach_mm))
