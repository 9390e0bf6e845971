"""Small made-up pelves on which every answer can be worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mri_sij.anatomy.find import Anatomy
from mri_sij.anatomy.joint import Joint, Joints, JointSlice
from mri_sij.anatomy.labels import NAMES, Segmentation
from mri_sij.anatomy.quadrants import Regions
from mri_sij.anatomy.quality import Quality
from mri_sij.anatomy.slices import SliceChoice
from mri_sij.evidence import Side
from mri_sij.geometry import Grid
from mri_sij.network.maps import Maps
from mri_sij.volume import LabelMap, Volume

SHAPE = (160, 80, 8)
SPACING_MM = (1.2, 1.2, 3.6)
MIDDLE = 79.5
JOINT_MM = 46.0
"""Distance of each joint from the midline."""
BOTTOM, TOP = 15, 64
"""First and last row of bone and joint: 60 mm."""
SCORED = (1, 2, 3, 4, 5, 6)


@dataclass(frozen=True)
class Box:
    """Oedema `ratio` times as bright as marrow, from `depth_mm[0]` to `depth_mm[1]` beside the joint, on rows and
    slices."""

    side: Side
    bone: str
    depth_mm: tuple[float, float]
    rows: tuple[int, int]
    slices: tuple[int, int]
    ratio: float


def grid() -> Grid:
    """Axis 0 to the patient's left, axis 1 up, axis 2 backwards."""
    affine = np.diag([-SPACING_MM[0], SPACING_MM[1], -SPACING_MM[2], 1.0])
    affine[:3, 3] = (MIDDLE * SPACING_MM[0], -48.0, 14.4)
    affine[1:3, 1:3] = [[0, -SPACING_MM[2]], [SPACING_MM[1], 0]]
    return Grid(SHAPE, affine)


def across_mm() -> np.ndarray:
    """Distance from the midline (left positive) of every column, shape (160, 1, 1)."""
    return ((np.arange(SHAPE[0]) - MIDDLE) * SPACING_MM[0])[:, None, None]


def anatomy(height_mm: float = 60.0) -> Anatomy:
    """A sacrum between two straight joints and an ilium of 25 mm on either side, with a gap of 2.4 mm."""
    x = np.broadcast_to(across_mm(), SHAPE)
    rows = np.broadcast_to((np.arange(SHAPE[1]) >= BOTTOM) & (np.arange(SHAPE[1]) <= TOP), (1, SHAPE[1]))[:, :, None]
    beside = np.abs(x) - JOINT_MM
    sacrum, ilium = (beside < -1.2) & rows, (beside > 1.2) & (beside < 26) & rows
    labels = np.where(sacrum, 1, np.where(ilium, np.where(x > 0, 2, 3), 0)).astype(np.uint8)
    inside = labels > 0
    half = np.where(np.arange(SHAPE[1]) > (BOTTOM + TOP) / 2, 2, 1)[None, :, None] * inside
    depth = np.where(inside, np.abs(beside) - 1.2, np.inf).astype(np.float32)
    side = np.where(inside, np.where(x > 0, 1, 2), 0).astype(np.uint8)
    bone = np.where(sacrum, 1, np.where(ilium, 2, 0)).astype(np.uint8)
    space = (np.abs(beside) <= 1.2) & rows
    regions = Regions(side, bone, half.astype(np.uint8), depth, inside, np.broadcast_to(space, SHAPE))
    where = grid()
    segmentation = Segmentation(
        LabelMap(labels, where, dict(NAMES)), Volume(inside.astype(np.float32), where), 1.0, "made", None
    )
    joints = Joints(where, *(_joint(side, height_mm) for side in Side))
    return Anatomy(segmentation, joints, regions, SliceChoice(SCORED, SCORED[-1], "made", 0.0), Quality(()))


def _joint(side: Side, height_mm: float) -> Joint:
    column = MIDDLE + (1 if side is Side.LEFT else -1) * JOINT_MM / SPACING_MM[0]
    rows = np.arange(BOTTOM, TOP + 1, dtype=float)
    line = np.stack([np.full(len(rows), column), rows], 1)
    gap, covered = np.full(len(rows), 2.4), np.ones(len(rows), bool)
    return Joint(
        side, {k: JointSlice(k, line, line, line, gap, covered, height_mm, height_mm, 60.0) for k in range(SHAPE[2])}
    )


def images(boxes: tuple[Box, ...] = (), gain: float = 100.0, noise: float = 0.02) -> tuple[Volume, Volume, np.ndarray]:
    """STIR, T1 and the mask of oedema: marrow 1, muscle 0.6, a vessel of 5 in front; a coil that falls off twofold
    through the slices."""
    rng = np.random.default_rng(7)
    body = anatomy()
    inside = body.segmentation.labels.data > 0
    stir = np.where(inside, 1.0, 0.6)
    t1 = np.where(inside, 1.0, 0.5)
    row = np.arange(SHAPE[1])[None, :, None]
    vessel = (np.abs(across_mm()) > 76) & (np.abs(across_mm()) < 84) & (row > 30) & (row < 38)
    stir[np.broadcast_to(vessel, SHAPE)] = 5.0
    oedema = np.zeros(SHAPE, bool)
    for box in boxes:
        mask = _mask(box, body.regions)
        oedema |= mask
        stir[mask], t1[mask] = box.ratio, 0.7
    coil = np.exp(np.linspace(0, np.log(2), SHAPE[2]))[None, None, :] * (1 + 0.1 * across_mm() / 100)
    stir = gain * coil * stir * (1 + noise * rng.standard_normal(SHAPE))
    t1 = 300 * t1 * (1 + noise * rng.standard_normal(SHAPE))
    return Volume(stir.astype(np.float32), grid()), Volume(t1.astype(np.float32), grid()), oedema


def suspecting(oedema: np.ndarray) -> Maps:
    """What a network would say that sees the bones and half suspects `oedema`."""
    labels = anatomy().segmentation.labels.data
    sure = [np.isin(labels, which).astype(np.float32) for which in ((0,), (1,), (2, 3), ())]
    likely = np.where(oedema, 0.7, 0.02).astype(np.float32)
    return Maps(grid(), *sure, likely, np.zeros(SHAPE, np.float32), 1.0, "made")


def _mask(box: Box, regions: Regions) -> np.ndarray:
    own = (regions.side == (1 if box.side is Side.LEFT else 2)) & (regions.bone == (1 if box.bone == "sacrum" else 2))
    rows = (np.arange(SHAPE[1]) >= box.rows[0]) & (np.arange(SHAPE[1]) <= box.rows[1])
    slices = (np.arange(SHAPE[2]) >= box.slices[0]) & (np.arange(SHAPE[2]) <= box.slices[1])
    near = (regions.depth_mm >= box.depth_mm[0]) & (regions.depth_mm <= box.depth_mm[1])
    return own & near & rows[None, :, None] & slices[None, None, :]
