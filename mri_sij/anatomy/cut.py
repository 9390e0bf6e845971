"""Joints that the edge of the image cuts off: what lies beyond is not seen, and is scored as if it were not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mri_sij.anatomy.joint import Joints
from mri_sij.evidence import Reason, Side
from mri_sij.volume import Volume

NEAR_MM = 15.0
"""Ends of a whole joint lie further inside (27 mm and more on real and simulated scans); of one that is cut, bone is
found to within 0-15 mm of the edge."""


def cut_joints(stir: Volume, joints: Joints, numbers: Sequence[int]) -> tuple[Reason, ...]:
    """A caution for each joint and edge where an end of the joint comes near to the edge on half of the slices
    `numbers` or more (reading frame). The edge is that of the signal: images are filled up with zeros."""
    cautions = []
    for side in Side:
        near = Counter(edge for k in numbers for edge in _edges_near(stir, joints, side, k))
        for edge, count in near.items():
            if 2 * count >= len(numbers):
                text = (
                    f"The {side} joint reaches within {NEAR_MM:g} mm of the {edge} edge of the image on {count} of "
                    f"{len(numbers)} scored slices: what lies beyond is not seen, and the total may be too low."
                )
                cautions.append(Reason("joint_cut", text))
    return tuple(cautions)


def _edges_near(stir: Volume, joints: Joints, side: Side, k: int) -> list[str]:
    """Edges of slice `k` that either end of the joint comes near to."""
    if k not in joints.of(side).slices:
        return []
    ends = joints.of(side).slices[k].midline[[0, -1]]
    signal = stir.values[:, :, k] > 0
    found = []
    for axis, names in enumerate((("right", "left"), ("lower", "upper"))):
        there = np.flatnonzero(signal.any(1 - axis))
        inside_mm = (ends[:, axis] - there[0], there[-1] - ends[:, axis])
        for name, distance in zip(names, inside_mm, strict=True):
            if distance.min() * stir.grid.spacing_mm[axis] < NEAR_MM:
                found.append(name)
    return found
