"""The SPARCC form that a simulated visit deserves, worked out from its truth alone, without any of the measuring
code.

Rules as on the grading page of spa-imaging.org; the figures that it leaves open (least area of a positive quadrant,
reach) are those of the settings' defaults.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.evidence import (
    QUADRANTS,
    Bone,
    Evidence,
    Half,
    JointSliceEvidence,
    QuadrantEvidence,
    Side,
    scored_halves,
)
from mri_sij.phantom.scan import LEFT_ILIUM, RIGHT_ILIUM, SACRUM, SimulatedVisit

MIN_AREA_MM2, REACH_MM, DEEP_MM, TOUCH_MM = 10.0, 25.0, 10.0, 4.0
SLICES = 6
Mask = NDArray[np.bool_]


def true_joint(visit: SimulatedVisit, side: Side) -> Mask:
    """The midline of one joint's cartilage-covered part, about a voxel wide, on the visit's grid."""
    near = np.abs(visit.joint_mm) < max(1.0, 0.75 * visit.stir.grid.spacing_mm[0])
    return near & visit.cartilaginous & _of_side(visit, side)


def true_height_mm(visit: SimulatedVisit, side: Side) -> NDArray[np.float64]:
    """Visible height of one cartilaginous joint on every slice, mm, shape (slices,)."""
    rows = np.asarray(true_joint(visit, side).any(0))
    first, last = rows.argmax(0), rows.shape[0] - 1 - rows[::-1].argmax(0)
    return np.asarray(np.where(rows.any(0), (last - first + 1) * visit.stir.grid.spacing_mm[1], 0.0))


def true_slices(visit: SimulatedVisit) -> tuple[int, ...] | None:
    """The six slices to score: from the most posterior slice on which both joints' cartilage is visible over at least
    half of its greatest height forwards. None when the stack holds fewer than six."""
    heights = [true_height_mm(visit, side) for side in Side]
    full = (
        np.all([h >= 0.5 * h.max() for h in heights], axis=0)
        if min(h.max() for h in heights) > 0
        else np.zeros(1, bool)
    )
    if not full.any():
        return None
    last = int(np.flatnonzero(full).max())
    return tuple(range(last - SLICES + 1, last + 1)) if last >= SLICES - 1 else None


def true_form(visit: SimulatedVisit, slices: tuple[int, ...], intense_ratio: float) -> Evidence:
    """The form on `slices`: a quadrant counts from 10 mm2 of oedema within 25 mm of its joint; depth when oedema that
    touches the margin holds 10 mm2 beyond 1 cm; intensity when 10 mm2 of it are at least `intense_ratio` times as
    bright as normal marrow."""
    return Evidence(tuple(_joint(visit, side, z, intense_ratio) for z in slices for side in Side))


def _of_side(visit: SimulatedVisit, side: Side) -> Mask:
    """Voxels on one side of the patient, by the affine's x."""
    grid = visit.stir.grid
    x, y, z = (np.arange(n) for n in grid.shape)
    row = grid.affine[0]
    world_x = row[0] * x[:, None, None] + row[1] * y[:, None] + row[2] * z + row[3]
    return np.asarray(world_x < 0 if side is Side.LEFT else world_x >= 0)


def _joint(visit: SimulatedVisit, side: Side, z: int, intense_ratio: float) -> JointSliceEvidence:
    spacing = visit.stir.grid.spacing_mm[:2]
    area = spacing[0] * spacing[1]
    line = true_joint(visit, side)[:, :, z]
    height = float(true_height_mm(visit, side)[z])
    scored = scored_halves(height)
    if not scored:
        return JointSliceEvidence(side, z, (), False, False, joint_height_mm=height)
    rows = np.flatnonzero(line.any(0))
    away = ndi.distance_transform_edt(~line, spacing)
    depth = np.maximum(away - 1.5, 0)
    row = np.arange(line.shape[1])[None, :]
    labels = visit.labels.data[:, :, z]
    bones = {Bone.SACRUM: labels == SACRUM, Bone.ILIUM: labels == (LEFT_ILIUM if side is Side.LEFT else RIGHT_ILIUM)}
    # A joint of which less than 3 cm shows is not divided: all of it is scored in its upper quadrants.
    short = len(scored) == 1
    halves = {Half.UPPER: (row > rows.mean()) | short, Half.LOWER: (row <= rows.mean()) & (not short)}
    within = (away <= REACH_MM) & (row >= rows[0] - 3) & (row <= rows[-1] + 3) & _of_side(visit, side)[:, :, z]
    oedema = visit.oedema[:, :, z] & within
    quadrants = []
    for q in QUADRANTS:
        if q.half not in scored:
            continue
        place = bones[q.bone] & halves[q.half]
        mm2 = float((oedema & place).sum() * area)
        quadrants.append(
            QuadrantEvidence(
                q, mm2 >= MIN_AREA_MM2, oedema_area_mm2=mm2, bone_area_mm2=float((place & within).sum() * area)
            )
        )
    deep = any(
        (oedema & b & (depth > DEEP_MM)).sum() * area >= MIN_AREA_MM2 and (oedema & b & (depth < TOUCH_MM)).any()
        for b in bones.values()
    )
    bright = (oedema & (visit.lesion_ratio[:, :, z] >= intense_ratio)).sum() * area >= MIN_AREA_MM2
    any_positive = any(q.oedema for q in quadrants)
    return JointSliceEvidence(
        side, z, tuple(quadrants), bool(bright) and any_positive, deep and any_positive, joint_height_mm=height
    )
