"""Align a follow-up visit with its baseline: sacrum and each ilium by a rigid motion of its own, with proof of success.

Sacrum and ilia move against each other and joints open, so one motion does not fit all three. The whole pelvis is laid
on first, from several starts (visits may differ by any shift and tilt of the table), then each bone by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from mri_sij.anatomy.labels import LEFT_ILIUM, NAMES, RIGHT_ILIUM, SACRUM
from mri_sij.compare.rigid import Pair, distances, fit, invert, move, pair_up
from mri_sij.compare.surface import Surface, find_surfaces
from mri_sij.config import CompareSettings
from mri_sij.evidence import Reason
from mri_sij.geometry import Floats
from mri_sij.volume import LabelMap

BONES = tuple(NAMES)
_COARSE_POINTS, _FINE_POINTS = 400, 1500
_START_TILTS_DEG = (0.0, -14.0, 14.0)
_GOOD_START_MM = 1.5
"""A start that ends this close needs no other beside it: two people's bones end further apart."""
_HELD_DEG, _HELD_MM = 2.0, 2.0
"""How far a bone is expected from the pelvis' common motion: joints move by 1-4 degrees and 1-2 mm (Sturesson 1989)."""


@dataclass(frozen=True, eq=False)
class BoneAlignment:
    """One bone: `motion` (4x4) takes the baseline's RAS mm to the follow-up's.

    `overlap` is the Dice where both visits see the bone, `surface_mm` the mean distance of its surfaces, `joint_mm` and
    `joint_p95_mm` those of the surface that faces the joint, `shared` the share of that surface that both visits see.
    `pair` holds the two surfaces, for refining.
    """

    bone: int
    motion: Floats
    overlap: float
    surface_mm: float
    joint_mm: float
    joint_p95_mm: float
    shared: float
    pair: Pair

    @property
    def name(self) -> str:
        """Name of the bone."""
        return NAMES[self.bone]


@dataclass(frozen=True, eq=False)
class Alignment:
    """All bones, and the motion of the pelvis as a whole; `failures` is empty when the alignment succeeded."""

    pelvis: Floats
    bones: Mapping[int, BoneAlignment]
    failures: tuple[Reason, ...]

    @property
    def joint_mm(self) -> float:
        """Mean distance of the two visits' joint surfaces, over the bones."""
        return float(np.mean([bone.joint_mm for bone in self.bones.values()])) if self.bones else float("nan")

    @property
    def turn_deg(self) -> float:
        """Angle by which the pelvis turned between the visits, in the scanner's room."""
        return float(np.degrees(np.arccos(np.clip((np.trace(self.pelvis[:3, :3]) - 1) / 2, -1, 1))))


def align(baseline: LabelMap, followup: LabelMap, settings: CompareSettings) -> Alignment:
    """Align by bone labels (1 sacrum, 2 left ilium, 3 right ilium; last axis through the slices, reading frame)."""
    first, second = find_surfaces(baseline), find_surfaces(followup)
    missing = [NAMES[b] for b in BONES if b not in first or b not in second]
    if missing:
        reason = Reason("bone_missing", f"Not found in both visits: {', '.join(missing)}.")
        return Alignment(np.eye(4), MappingProxyType({}), (reason,))
    pelvis = _pelvis(first, second)
    bones = {bone: _bone(bone, first[bone], second[bone], pelvis) for bone in BONES}
    return Alignment(pelvis, MappingProxyType(bones), failures_of(bones, settings))


def failures_of(bones: Mapping[int, BoneAlignment], settings: CompareSettings) -> tuple[Reason, ...]:
    """Why the alignment of `bones` cannot be trusted; empty when it can."""
    unseen = [bone for bone in bones.values() if bone.shared < settings.shared_bone]
    if unseen:
        return tuple(_unseen(bone, settings) for bone in unseen)
    found = []
    apart = float(np.mean([bone.surface_mm for bone in bones.values()]))
    if apart > settings.bone_distance_mm:
        text = (
            f"The bones of the two visits differ by {apart:.1f} mm on average after alignment; at most "
            f"{settings.bone_distance_mm} mm is one person seen twice. Another person, or a wrong segmentation."
        )
        found.append(Reason("not_aligned", text))
    for bone in bones.values():
        if bone.joint_mm > settings.joint_distance_mm or bone.overlap < settings.bone_overlap:
            text = (
                f"At the {bone.name} the joint surfaces of the two visits lie {bone.joint_mm:.1f} mm apart (at most "
                f"{settings.joint_distance_mm}), and the bones overlap by {bone.overlap:.2f} (Dice, at least "
                f"{settings.bone_overlap})."
            )
            found.append(Reason("not_aligned", text))
    return tuple(found)


def _unseen(bone: BoneAlignment, settings: CompareSettings) -> Reason:
    share, needed = f"{bone.shared:.0%}", f"{settings.shared_bone:.0%}"
    text = f"Both visits see {share} of the joint surface of the {bone.name}; {needed} are needed."
    return Reason("no_overlap", text)


def _pelvis(first: Mapping[int, Surface], second: Mapping[int, Surface]) -> Floats:
    coarse = [pair_up(first[b], second[b], _COARSE_POINTS) for b in BONES]
    shift = _joint_centre(second) - _joint_centre(first)
    best, least = np.eye(4), np.inf
    for tilt in _START_TILTS_DEG:
        start = _tilted(tilt, _joint_centre(first), shift)
        motion, cost = fit(coarse, start)
        if cost < least - 1e-6:
            best, least = motion, cost
        if least < _GOOD_START_MM:
            break
    fine = [pair_up(first[b], second[b], _FINE_POINTS) for b in BONES]
    return fit(fine, best)[0]


def _joint_centre(surfaces: Mapping[int, Surface]) -> Floats:
    """Half-way between the two joints: depends less on what the field of view cuts off than the bones' centres do."""
    sides = [surfaces[bone].points[surfaces[bone].facing] for bone in (LEFT_ILIUM, RIGHT_ILIUM)]
    return np.asarray(np.mean([side.mean(0) if len(side) else surfaces[SACRUM].points.mean(0) for side in sides], 0))


def _tilted(tilt_deg: float, centre: Floats, shift: Floats) -> Floats:
    angle = np.deg2rad(tilt_deg)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    motion = np.eye(4)
    motion[:3, :3] = turn
    motion[:3, 3] = centre + shift - turn @ centre
    return motion


def _bone(bone: int, first: Surface, second: Surface, pelvis: Floats) -> BoneAlignment:
    pair = pair_up(first, second, _FINE_POINTS)
    motion, _ = fit([pair], pelvis, held_to_start=(_HELD_DEG, _HELD_MM))
    return measure(bone, pair, motion)


def measure(bone: int, pair: Pair, motion: Floats) -> BoneAlignment:
    """How well `motion` lays the two surfaces of a bone on one another."""
    surface, _ = distances(pair, motion, facing=False)
    joint, shared = distances(pair, motion, facing=True)
    return BoneAlignment(
        bone=bone,
        motion=motion,
        overlap=_overlap(pair, motion),
        surface_mm=float(surface.mean()) if surface.size else float("inf"),
        joint_mm=float(joint.mean()) if joint.size else float("inf"),
        joint_p95_mm=float(np.percentile(joint, 95)) if joint.size else float("inf"),
        shared=shared,
        pair=pair,
    )


def _overlap(pair: Pair, motion: Floats) -> float:
    """Dice on every second lattice point of the baseline that the follow-up sees."""
    lattice = pair.baseline.grid
    index = np.stack(np.meshgrid(*(np.arange(0, n, 2) for n in lattice.shape), indexing="ij"), -1).reshape(-1, 3)
    own = pair.baseline.distance_mm[::2, ::2, ::2].ravel() < 0
    distance, seen = pair.followup.at(move(motion, lattice.world(index)))
    other = distance < 0
    total = int((own & seen).sum() + (other & seen).sum())
    return float(2 * (own & other & seen).sum() / total) if total else 0.0


def joint_motion_mm(alignment: Alignment) -> dict[int, float]:
    """How far each ilium moved against the sacrum between the visits: mean over the points of its joint, in mm."""
    sacrum = invert(alignment.bones[SACRUM].motion)
    moved = {}
    for bone in (LEFT_ILIUM, RIGHT_ILIUM):
        surface = alignment.bones[bone].pair.baseline
        points = surface.points[surface.facing]
        there = move(sacrum @ alignment.bones[bone].motion, points)
        moved[bone] = float(np.linalg.norm(there - points, axis=1).mean()) if len(points) else 0.0
    return moved
