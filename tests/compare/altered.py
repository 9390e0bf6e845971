"""A made-up visit changed in one way: oedema gone, mirrored, another size of person, another grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri_sij.anatomy.labels import NAMES
from mri_sij.compare.visit import Visit
from mri_sij.evidence import Side
from mri_sij.geometry import Floats, Grid
from mri_sij.lesions.records import OEDEMA_NAMES
from mri_sij.resample import resample
from mri_sij.scoring.sparcc import Sparcc, SparccItem
from mri_sij.volume import LabelMap, Volume


def without_oedema(visit: Visit) -> Visit:
    """The same place, another scan, oedema gone from the image and nothing found."""
    none = LabelMap(np.zeros_like(visit.oedema.data), visit.oedema.grid, OEDEMA_NAMES)
    joints = tuple(
        replace(j, items=tuple(SparccItem(i.quadrant, 0) for i in j.items), intensity=0, depth=0)
        for j in visit.form.joints
    )
    seen = visit.intensity
    if seen is not None:
        seen = replace(seen, ratio=np.where(visit.oedema.data > 0, np.float32(1), seen.ratio))
    return replace(
        visit, oedema=none, form=Sparcc(joints), shares=((0, 0.9), (1, 0.1)), input_sha256="ef" * 32, intensity=seen
    )


def mirrored(visit: Visit) -> Visit:
    """Left and right changed over; the made-up bones are alike on both sides, so only oedema and form move."""
    codes = np.array([0, 3, 4, 1, 2], np.uint8)[visit.oedema.data[::-1]]
    joints = tuple(replace(j, side=Side.LEFT if j.side is Side.RIGHT else Side.RIGHT) for j in visit.form.joints)
    oedema = LabelMap(np.ascontiguousarray(codes), visit.oedema.grid, OEDEMA_NAMES)
    return replace(visit, oedema=oedema, form=Sparcc(joints))


def of_another_size(visit: Visit, scale: float) -> Visit:
    """Another person: all of the anatomy larger or smaller, in place."""
    grid = visit.labels.grid
    middle = grid.world((np.array(grid.shape) - 1) / 2)
    affine = np.array(grid.affine)
    affine[:3, :3] *= scale
    affine[:3, 3] = middle + scale * (affine[:3, 3] - middle)
    return _on(visit, Grid(grid.shape, affine), moved=False)


def tilted(visit: Visit, tilt_deg: float) -> Visit:
    """The same person in slices tilted about the left-right axis."""
    grid = visit.labels.grid
    middle = (np.array(grid.shape) - 1) / 2
    turn = Rotation.from_rotvec(tilt_deg * grid.directions[:, 0], degrees=True).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = turn @ grid.affine[:3, :3]
    affine[:3, 3] = grid.world(middle) - affine[:3, :3] @ middle
    return _on(visit, Grid(grid.shape, affine), moved=True)


def cut(visit: Visit, first: Floats, shape: tuple[int, int, int]) -> Visit:
    """The same person in a field of view of `shape` voxels from voxel `first` on."""
    affine = np.array(visit.labels.grid.affine)
    affine[:3, 3] = visit.labels.grid.world(first)
    return _on(visit, Grid(shape, affine), moved=True)


def _on(visit: Visit, grid: Grid, *, moved: bool) -> Visit:
    """The visit's maps on `grid`: the same places when `moved`, else the same voxels."""
    maps = [visit.labels, visit.oedema]
    there = [LabelMap(_nearest(m, grid) if moved else m.data, grid, m.names) for m in maps]
    assert dict(there[0].names) == dict(NAMES)
    return replace(
        visit, labels=there[0], oedema=there[1], native=grid, stir=None, t1=None, intensity=None,
        input_sha256="ab" * 32,
    )  # fmt: skip


def _nearest(labels: LabelMap, grid: Grid) -> NDArray[np.uint8]:
    return resample(Volume(labels.data, labels.grid), grid, interpolation="nearest").data.astype(np.uint8)
