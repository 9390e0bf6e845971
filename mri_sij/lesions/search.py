"""Where oedema is looked for: the bone beside the joints, up to and across its cortex, cut out of the volume."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.quadrants import Regions
from mri_sij.anatomy.span import Box, Mask, box_around
from mri_sij.geometry import Grid

Field = NDArray[np.float32]

T = TypeVar("T", bound=np.generic)

NEIGHBOURS = np.stack(
    [ndi.generate_binary_structure(2, 1), np.ones((3, 3), bool), ndi.generate_binary_structure(2, 1)], 2
)
"""What hangs together: any touch in the plane, and half a pixel's shift at most to the next slice."""


@dataclass(frozen=True, eq=False)
class Search:
    """Cut-out `box` of the volume; every array has the box's shape.

    `code` is 1 left sacrum, 2 left ilium, 3 right sacrum, 4 right ilium, 0 elsewhere; with `half` (1 lower, 2 upper),
    `depth_mm` and `cartilaginous` it is carried `cortex_mm` beyond the bone, `bone` marks what was bone before that.
    `space` is the code of the bone that is nearest to each voxel of the joint space, 0 elsewhere; `half`, `depth_mm`
    and `cartilaginous` reach across that too.
    `ratio` is the smoothed STIR over normal marrow; `oedema` the probability of oedema (the network's, or that of
    `odds` and `look` together); `fluid` the network's probability, `t1_ratio` T1 over bone's (each None without).
    """

    grid: Grid
    box: Box
    code: NDArray[np.uint8]
    bone: Mask
    space: NDArray[np.uint8]
    half: NDArray[np.uint8]
    depth_mm: Field
    cartilaginous: Mask
    ratio: Field
    oedema: Field | None
    fluid: Field | None
    t1_ratio: Field | None
    step: int = 1
    """Every how-manieth voxel in the plane is kept."""

    @property
    def first_slice(self) -> int:
        """Reading-frame number of the box's first slice."""
        return int(self.box[2].start)

    @property
    def pixel_mm2(self) -> float:
        """Area of a voxel in the plane."""
        return self.grid.spacing_mm[0] * self.grid.spacing_mm[1] * self.step**2

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel."""
        return self.grid.voxel_ml * self.step**2

    @property
    def pixel_mm(self) -> tuple[float, float]:
        """Sides of a voxel in the plane."""
        return self.grid.spacing_mm[0] * self.step, self.grid.spacing_mm[1] * self.step


def thinned(search: Search) -> Search:
    """Every second, third ... voxel in the plane, so that they are about 1.2 mm apart on their longer side: enough for
    areas of 10 mm2, and quick."""
    step = max(1, round(1.2 / max(search.grid.spacing_mm[:2])))
    if step == 1:
        return search

    def cut(array: NDArray[T]) -> NDArray[T]:
        return np.ascontiguousarray(array[::step, ::step])

    def cut_or_none(array: Field | None) -> Field | None:
        return None if array is None else cut(array)

    return replace(
        search, code=cut(search.code), bone=cut(search.bone), space=cut(search.space), half=cut(search.half),
        depth_mm=cut(search.depth_mm), cartilaginous=cut(search.cartilaginous), ratio=cut(search.ratio),
        oedema=cut_or_none(search.oedema), fluid=cut_or_none(search.fluid), t1_ratio=cut_or_none(search.t1_ratio),
        step=step,
    )  # fmt: skip


def across_joints(search: Search) -> Search:
    """The same with `code` carried across the joint space, so that what was found there counts for its nearest bone."""
    return replace(search, code=np.maximum(search.code, search.space))


@dataclass(frozen=True, eq=False)
class Widened:
    """`Regions` carried beyond the bone and across the joint space, cut to `box`; fields as in `Search`."""

    box: Box
    code: NDArray[np.uint8]
    bone: Mask
    space: NDArray[np.uint8]
    half: NDArray[np.uint8]
    depth_mm: Field
    cartilaginous: Mask


def widen(regions: Regions, forbidden: Mask, grid: Grid, cortex_mm: float) -> Widened:
    """Give every voxel within `cortex_mm` (in the plane) of a region, and every voxel of the joint space, that region's
    labels, unless it is `forbidden`."""
    x, y = (int(np.ceil(cortex_mm / side_mm)) + 2 for side_mm in grid.spacing_mm[:2])
    box = box_around(regions.side > 0, (x, y, 0))
    side, bone = regions.side[box], regions.bone[box]
    code = np.where(side > 0, (side.astype(np.uint8) - 1) * 2 + bone, 0).astype(np.uint8)
    inside = code > 0
    half, depth, cartilage = (
        regions.half[box].copy(),
        regions.depth_mm[box].astype(np.float32),
        regions.cartilaginous[box].copy(),
    )
    barred, between, space = forbidden[box], regions.space[box], np.zeros_like(code)
    for k in range(code.shape[2]):
        if not inside[:, :, k].any():
            continue
        away, (i, j) = ndi.distance_transform_edt(~inside[:, :, k], grid.spacing_mm[:2], return_indices=True)
        rim = (away > 0) & (away <= cortex_mm) & ~barred[:, :, k]
        joint = between[:, :, k] & (away > 0) & ~barred[:, :, k]
        space[:, :, k][joint] = code[i[joint], j[joint], k]
        code[:, :, k][rim] = code[i[rim], j[rim], k]
        beyond = rim | joint
        for array in (half, cartilage, depth):
            array[:, :, k][beyond] = array[i[beyond], j[beyond], k]
    return Widened(box, code, inside, space, half, depth, cartilage)


def log_odds_of(probability: Field) -> Field:
    """Log odds of a probability, held within those of 0.002 and 0.998."""
    likely = np.clip(probability, 0.002, 0.998)
    return np.asarray(np.log(likely / (1 - likely)))
