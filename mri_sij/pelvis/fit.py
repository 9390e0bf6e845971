"""Fit the shape model of the pelvis to bones that were found in a scan.

An active shape model (Cootes et al. 1995): pose, size, principal modes and a small movement of each hip bone of its
own are drawn, by Gauss-Newton steps, to where the model's vertices lie on the border of the found bones. A
redescending weight (Geman and McClure 1987), annealed from wide to narrow, lets bone that was lost, and tissue that
was taken for bone, pull no longer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.pelvis.lower import beyond_lower_sacrum_mm
from mri_sij.pelvis.mesh import Field
from mri_sij.pelvis.model import BONES, Floats, load_model

MODES = 20
"""Principal modes that are fitted; the others are below a millimetre."""

_EVERY = 16
_FAR_MM = 30.0
_START_DEG = -35.0
"""Turn of the pelvis about the left-right axis to start from: that of usual semicoronal slices. From 55 degrees off
either way the fit still comes to the same place."""
_POSE_ROUNDS, _POSE_FIRST_MM, _POSE_LAST_MM = 10, 25.0, 12.0
_SHAPE_ROUNDS, _SHAPE_FIRST_MM, _SHAPE_LAST_MM = 18, 15.0, 3.0
_COOLING = 0.8
_PRIOR_MM2 = 10.0
"""Variance (mm2) of a vertex's distance times the number of neighbours that err with it: what a mode of one standard
deviation is weighed against."""
_SIZE_SPREAD, _HIP_TURN_DEG, _HIP_SHIFT_MM = 0.06, 2.5, 2.0
_WIDEST_MODE, _LARGEST_TURN, _LARGEST_GROWTH = 3.0, 0.2, 0.1
_CUT_FRONT_YZ, _CUT_BACK_YZ, _CUT_MARGIN_MM = (41.0, -2.0), (57.0, 3.0), 4.0
"""Front and back of the plane in which the model's sacrum ends, below S3 (y, z of the mean shape)."""
_JOINTS_MIDDLE_MM = 33.5
"""Where, backwards and upwards at 45 degrees, the sacrum of the mean shape faces the ilia: half of its vertices within
10 mm of one lie further in front and below."""


@dataclass(frozen=True, eq=False)
class Pose:
    """Where the model lies: `scale * rotation @ shape + shift`, its modes' weights in standard deviations, and how
    each hip bone turned (2, 3, 3) and moved (2, 3) by itself about its own middle."""

    rotation: Floats
    shift: Floats
    scale: float
    weights: Floats
    hip_rotations: Floats
    hip_shifts: Floats


@dataclass(frozen=True, eq=False)
class FittedPelvis:
    """The model where it fits best: `pose`, and `residual_mm`, the mean distance of its vertices in the field of view
    from the border of the bones that were found (each at most 10 mm)."""

    pose: Pose
    residual_mm: float

    def vertices(self, bone: int) -> Floats:
        """All vertices (n, 3) of a bone (0 sacrum, 1 left hip, 2 right hip) in the frame of the fit, mm."""
        placed, _ = _placed(self.pose, bone, _part(bone, slice(None)))
        return placed

    def above_cut_mm(self, points: Floats) -> Floats:
        """How far points (n, 3) of the frame lie above the plane below S3, in which the model's sacrum ends."""
        normal, front = _cut()
        # The plane is brought to the points, not the many points to the plane.
        along = self.pose.rotation @ normal / self.pose.scale
        return np.asarray((points - self.pose.shift) @ along - front @ normal)

    def behind_joints_mm(self, points: Floats) -> Floats:
        """How far points (n, 3) of the frame lie behind and above the middle of both joints, at 45 degrees in the
        pelvis's own frame: the auricular surface is in front and below, the recess behind and above."""
        _, y, z = self._unplaced(points).T
        return np.asarray(self.pose.scale * ((y + z) / np.sqrt(2) - _JOINTS_MIDDLE_MM))

    def beyond_lower_sacrum_mm(self, points: Floats) -> Floats:
        """How far points (n, 3) of the frame lie from where the sacrum may go on below S3."""
        return self.pose.scale * beyond_lower_sacrum_mm(self._unplaced(points))

    def _unplaced(self, points: Floats) -> Floats:
        return (points - self.pose.shift) @ self.pose.rotation / self.pose.scale


@dataclass(frozen=True, eq=False)
class Border:
    """Signed distance (mm) to one bone's border, smoothed, and its slopes along x, y, z, on an array whose first voxel
    is the origin."""

    distance: Field
    slopes: tuple[Field, Field, Field]
    spacing_mm: tuple[float, float, float]

    def at(self, points: Floats) -> tuple[NDArray[np.bool_], Floats, Floats]:
        """Which points (n, 3) lie in the field of view; of those, distance (m,) and slopes (m, 3)."""
        index = points / self.spacing_mm
        seen = ((index >= 0) & (index <= np.array(self.distance.shape) - 1)).all(1)
        where = index[seen].T
        distance = ndi.map_coordinates(self.distance, where, order=1)
        slopes = np.stack([ndi.map_coordinates(s, where, order=1) for s in self.slopes], 1)
        return np.asarray(seen), np.asarray(distance, float), np.asarray(slopes, float)

    @property
    def mirrored(self) -> Border:
        """The border with left and right exchanged."""
        x, y, z = (s[::-1] for s in self.slopes)
        return Border(self.distance[::-1], (-x, y, z), self.spacing_mm)


@dataclass(frozen=True, eq=False)
class _Part:
    """Chosen vertices of one bone of the model: mean (n, 3), the modes that are fitted (MODES, n, 3), and the middle of
    the whole bone (3,)."""

    mean: Floats
    modes: Floats
    middle: Floats


Borders = tuple[Border, Border, Border]
"""Of the sacrum, the left and the right ilium."""


def borders_of(labels: NDArray[np.uint8], spacing_mm: tuple[float, float, float]) -> Borders | None:
    """Borders of `labels` (0 none, 1 sacrum, 2 left, 3 right ilium) of shape (x to the left, y to the back, z up) and
    that spacing. None where one of the bones is missing."""
    if any(not (labels == n).any() for n in (1, 2, 3)):
        return None
    sacrum, left, right = (_border(labels == n, spacing_mm) for n in (1, 2, 3))
    return sacrum, left, right


def mirrored(borders: Borders) -> Borders:
    """The same bones of the mirrored patient."""
    sacrum, left, right = borders
    return sacrum.mirrored, right.mirrored, left.mirrored


def fit_pelvis(borders: Borders) -> FittedPelvis:
    """The model fitted to borders of bones, in their frame."""
    sacrum = borders[0].distance
    inside = np.argwhere(sacrum <= max(0.0, float(sacrum.min())))
    pose = _start(np.radians(_START_DEG), inside.mean(0) * borders[0].spacing_mm)
    pose = _steps(pose, borders, 2 * _EVERY, (_POSE_FIRST_MM, _POSE_LAST_MM), _POSE_ROUNDS, pose_only=True)
    pose = _steps(pose, borders, _EVERY, (_SHAPE_FIRST_MM, _SHAPE_LAST_MM), _SHAPE_ROUNDS)
    return FittedPelvis(pose, _residual_mm(pose, borders))


def _border(bone: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> Border:
    away = ndi.distance_transform_edt(~bone, spacing_mm) - ndi.distance_transform_edt(bone, spacing_mm)
    distance = ndi.gaussian_filter(np.clip(away, -_FAR_MM, _FAR_MM).astype(np.float32), 0.7)
    slopes = [np.asarray(np.gradient(distance, mm, axis=n), np.float32) for n, mm in enumerate(spacing_mm)]
    return Border(distance, (slopes[0], slopes[1], slopes[2]), spacing_mm)


def _start(tilt: float, middle: Floats) -> Pose:
    turned = _rotation(np.array([tilt, 0.0, 0.0]))
    none = np.stack([np.eye(3), np.eye(3)])
    shift = middle - turned @ load_model().mean[0].mean(0)
    return Pose(turned, shift, 1.0, np.zeros(MODES), none, np.zeros((2, 3)))


def _steps(
    pose: Pose,
    borders: Borders,
    every: int,
    scales_mm: tuple[float, float],
    rounds: int,
    *,
    pose_only: bool = False,
) -> Pose:
    """Gauss-Newton steps; the unknowns are turn, shift, growth, modes, and turn and shift of each hip."""
    parts = _fitted_parts(every)
    for n in range(rounds):
        scale_mm = max(scales_mm[0] * _COOLING**n, scales_mm[1])
        curve, slope = _prior(pose)
        for bone, border in enumerate(borders):
            distance, jacobian = _linear(pose, bone, parts[bone], border)
            weighted = jacobian / (1 + (distance / scale_mm) ** 2)[:, None] ** 2
            curve += weighted.T @ jacobian
            slope += weighted.T @ distance
        free = 6 if pose_only else len(slope)
        step = np.zeros(len(slope))
        step[:free] = -np.linalg.solve(curve[:free, :free], slope[:free])
        pose = _moved(pose, step)
    return pose


def _linear(pose: Pose, bone: int, part: _Part, border: Border) -> tuple[Floats, Floats]:
    """Distances (n,) of the vertices in view from the border, and how each unknown changes them (n, unknowns)."""
    placed, shape = _placed(pose, bone, part)
    seen, distance, slopes = border.at(placed)
    turned = placed[seen] - pose.shift
    out = np.zeros((len(distance), 7 + MODES + 12))
    out[:, :3] = np.cross(turned, slopes)
    out[:, 3:6] = slopes
    out[:, 6] = (slopes * turned).sum(1)
    own = slopes @ (pose.scale * pose.rotation)
    of_shape = own
    if bone:
        first = 7 + MODES + 6 * (bone - 1)
        of_shape = own @ pose.hip_rotations[bone - 1]
        about = (shape[seen] - part.middle) @ pose.hip_rotations[bone - 1].T
        out[:, first : first + 3] = np.cross(about, own)
        out[:, first + 3 : first + 6] = own
    out[:, 7 : 7 + MODES] = np.einsum("ni,mni->nm", of_shape, part.modes[:, seen])
    return distance, out


def _prior(pose: Pose) -> tuple[Floats, Floats]:
    """Curvature and slope of what holds size, modes and hips back."""
    hip = [1 / np.radians(_HIP_TURN_DEG) ** 2] * 3 + [1 / _HIP_SHIFT_MM**2] * 3
    diagonal = _PRIOR_MM2 * np.array([0.0] * 6 + [1 / _SIZE_SPREAD**2] + [1.0] * MODES + hip + hip)
    turns = [_turn_of(r) for r in pose.hip_rotations]
    now = np.concatenate([
        np.zeros(6), [np.log(pose.scale)], pose.weights,
        turns[0], pose.hip_shifts[0], turns[1], pose.hip_shifts[1],
    ])  # fmt: skip
    return np.diag(diagonal + 1e-6), diagonal * now


def _moved(pose: Pose, step: Floats) -> Pose:
    turn, growth = step[:3], float(np.clip(step[6], -_LARGEST_GROWTH, _LARGEST_GROWTH))
    hips = step[7 + MODES :].reshape(2, 6)
    return replace(
        pose,
        rotation=_rotation(np.clip(turn, -_LARGEST_TURN, _LARGEST_TURN)) @ pose.rotation,
        shift=pose.shift + step[3:6],
        scale=pose.scale * float(np.exp(growth)),
        weights=np.clip(pose.weights + step[7 : 7 + MODES], -_WIDEST_MODE, _WIDEST_MODE),
        hip_rotations=np.stack([_rotation(h[:3]) @ r for h, r in zip(hips, pose.hip_rotations, strict=True)]),
        hip_shifts=pose.hip_shifts + hips[:, 3:],
    )


def _placed(pose: Pose, bone: int, part: _Part) -> tuple[Floats, Floats]:
    """Vertices of a bone in the frame of the fit, and in the model's own before its hip moved."""
    shape = part.mean + np.tensordot(pose.weights, part.modes, 1)
    moved = shape
    if bone:
        moved = (shape - part.middle) @ pose.hip_rotations[bone - 1].T + part.middle + pose.hip_shifts[bone - 1]
    return pose.scale * moved @ pose.rotation.T + pose.shift, shape


def _part(bone: int, chosen: NDArray[np.intp] | slice) -> _Part:
    model = load_model()
    return _Part(model.mean[bone, chosen], model.modes[:MODES, bone][:, chosen], model.mean[bone].mean(0))


@lru_cache(maxsize=2)
def _fitted_parts(every: int) -> tuple[_Part, ...]:
    """Every so many vertices of each bone; of the sacrum none beside the cut below S3, which is no border of bone."""
    chosen = [np.arange(0, load_model().mean.shape[1], every) for _ in BONES]
    normal, front = _cut()
    chosen[0] = chosen[0][(load_model().mean[0, chosen[0]] - front) @ normal > _CUT_MARGIN_MM]
    return tuple(_part(bone, vertices) for bone, vertices in enumerate(chosen))


def _cut() -> tuple[Floats, Floats]:
    """Upward normal and front edge of the plane below S3, in the model's frame."""
    front, back = np.array([0.0, *_CUT_FRONT_YZ]), np.array([0.0, *_CUT_BACK_YZ])
    _, y, z = (back - front) / np.linalg.norm(back - front)
    return np.array([0.0, -z, y]), front


def _residual_mm(pose: Pose, borders: Borders) -> float:
    parts = _fitted_parts(_EVERY)
    away = [border.at(_placed(pose, n, parts[n])[0])[1] for n, border in enumerate(borders)]
    every = np.concatenate(away)
    return float(np.minimum(np.abs(every), 10.0).mean()) if len(every) else float("inf")


def _rotation(turn: Floats) -> Floats:
    """Rotation matrix of a turn vector in radians (Rodrigues)."""
    angle = float(np.linalg.norm(turn))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = turn / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def _turn_of(rotation: Floats) -> Floats:
    """Turn vector of a small rotation."""
    return (
        np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]])
        / 2
    )
