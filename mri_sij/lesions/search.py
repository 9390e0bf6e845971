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


@dataclass(frozen=True, eq=False)
class Search:
    """Cut-out `box` of the volume; every array has the box's shape.

    `code` is 1 left sacrum, 2 left ilium, 3 right sacrum, 4 right ilium, 0 elsewhere; with `half` (1 lower, 2 upper),
    `depth_mm` and `cartilaginous` it is carried `cortex_mm` beyond the bone, `bone` marks what was bone before that.
    `ratio` is the smoothed STIR over normal marrow; `oedema` the probability of oedema (the network's, or that of
    `odds` and `look` together); `fluid` the network's probability, `t1_ratio` T1 over bone's (each None without).
    """

    grid: Grid
    box: Box
    code: NDArray[np.uint8]
    bone: Mask
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
        search, code=cut(search.code), bone=cut(search.bone), half=cut(search.half), depth_mm=cut(search.depth_mm),
        cartilaginous=cut(search.cartilaginous), ratio=cut(search.ratio), oedema=cut_or_none(search.oedema),
        fluid=cut_or_none(search.fluid), t1_ratio=cut_or_none(search.t1_ratio), step=step,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Widened:
    """`Regions` carried beyond the bone, cut to `box`."""

    box: Box
    code: NDArray[np.uint8]
    bone: Mask
    half: NDArray[np.uint8]
    depth_mm: Field
    cartilaginous: Mask


def widen(regions: Regions, forbidden: Mask, grid: Grid, cortex_mm: float) -> Widened:
    """Give every voxel within `cortex_mm` (in the plane) of a region that region's labels, unless it is `forbidden`."""
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
    barred = forbidden[box]
    for k in range(code.shape[2]):
        if not inside[:, :, k].any():
            continue
        away, (i, j) = ndi.distance_transform_edt(~inside[:, :, k], grid.spacing_mm[:2], return_indices=True)
        rim = (away > 0) & (away <= cortex_mm) & ~barred[:, :, k]
        source = i[rim], j[rim], np.full(int(rim.sum()), k)
        for array in (code, half, cartilage):
            array[:, :, k][rim] = array[source]
        depth[:, :, k][rim] = depth[source]
    return Widened(box, code, inside, half, depth, cartilage)


def log_odds_of(probability: Field) -> Field:
    """Log odds of a probability, held within those of 0.002 and 0.998."""
    likely = np.clip(probability, 0.002, 0.998)
    return np.asarray(np.log(likely / (1 - likely)))
