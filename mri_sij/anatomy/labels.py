"""The labels of `anatomy.nii.gz`, and the record of a segmentation."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from mri_sij.anatomy.shape import Shape
from mri_sij.anatomy.span import Mask
from mri_sij.volume import LabelMap, Volume

SACRUM, LEFT_ILIUM, RIGHT_ILIUM = 1, 2, 3
NAMES = MappingProxyType({SACRUM: "sacrum", LEFT_ILIUM: "left ilium", RIGHT_ILIUM: "right ilium"})


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Bones found on the STIR's grid in the reading frame (`Grid.reading_order`).

    `labels` holds 1 sacrum, 2 left ilium, 3 right ilium; `bone_probability` the probability (0-1) of the label given.
    `agreement` is the Dice of the bones between two passes of the segmenter (None where it has only one);
    `source` names the back end and `model_sha256` its network. `shape` is the shape model fitted to the bones as the
    network had them, or to another back end's masks (None where a bone is missing, or masks have no pelvis's shape).
    `cartilage` is where masks mark the joint as covered by cartilage (None where that is left to be found).
    """

    labels: LabelMap
    bone_probability: Volume
    agreement: float | None
    source: str
    model_sha256: str | None
    shape: Shape | None = None
    cartilage: Mask | None = None
