"""One scored slice as the page shows it: STIR and T1 pictures, and the lines over them in layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mri_sij.anatomy.find import Anatomy
from mri_sij.anatomy.joint import Joints, JointSlice
from mri_sij.anatomy.labels import LEFT_ILIUM, RIGHT_ILIUM, SACRUM
from mri_sij.anatomy.quadrants import BONE_ILIUM, BONE_SACRUM, HALF_LOWER, HALF_UPPER, REGION_SIDE, Regions
from mri_sij.config import LesionSettings
from mri_sij.evidence import QUADRANTS, Bone, Half, Side
from mri_sij.lesions.records import MarrowReference
from mri_sij.report.frame import Frame, frame_of_joints
from mri_sij.report.outline import level, outline, path_of_lines
from mri_sij.report.picture import STIR_UPPER, STIR_WHITE, Window, grey, png_uri, window_of
from mri_sij.volume import LabelMap, Volume

BONES = ((SACRUM, "sacrum"), (LEFT_ILIUM, "left-ilium"), (RIGHT_ILIUM, "right-ilium"))


@dataclass(frozen=True)
class Layer:
    """Lines of one kind: `layer` is what a key switches, `style` how it is drawn."""

    layer: str
    style: str
    path: str


@dataclass(frozen=True)
class Spot:
    """The outline of one quadrant, lit up from the form: `key` is slice-side-item."""

    key: str
    path: str


@dataclass(frozen=True)
class Plate:
    """A slice of the page; `t1` is empty where there is no T1."""

    position: int
    slice_number: int
    stir: str
    t1: str
    layers: tuple[Layer, ...]
    spots: tuple[Spot, ...]


@dataclass(frozen=True, eq=False)
class Scene:
    """What all plates share: volumes in the reading frame on one grid, the frame, and a window a series."""

    stir: Volume
    t1: Volume | None
    frame: Frame
    stir_window: Window
    t1_window: Window | None
    reach_mm: float
    deep_mm: float


def scene_of(
    stir: Volume, t1: Volume | None, anatomy: Anatomy, marrow: MarrowReference, lesions: LesionSettings
) -> Scene:
    """Frame and windows from the scored slices; `t1` must lie on the STIR's grid.

    Quadrants and the line of the depth item are drawn as far from the joint as they were measured.
    """
    numbers = anatomy.slice_choice.numbers
    frame = frame_of_joints(anatomy.joints, numbers)
    shown = [frame.cut(stir.data[:, :, k]) for k in numbers]
    t1_shown = None if t1 is None else [frame.cut(t1.data[:, :, k]) for k in numbers]
    window = window_of(shown, STIR_UPPER)
    return Scene(
        stir=stir,
        t1=t1,
        frame=frame,
        stir_window=replace(window, high=min(window.high, STIR_WHITE * marrow.level)),
        t1_window=None if t1_shown is None else window_of(t1_shown, 99.8),
        reach_mm=lesions.reach_mm,
        deep_mm=lesions.deep_mm,
    )


def make_plate(scene: Scene, anatomy: Anatomy, oedema: LabelMap, at: tuple[int, int, int]) -> Plate:
    """The plate of one slice; `at` is its position (1 is the most anterior), its number, and its index in the frame."""
    position, slice_number, k = at
    frame, t1, regions = scene.frame, "", anatomy.regions.on(k)
    if scene.t1 is not None and scene.t1_window is not None:
        t1 = png_uri(grey(scene.t1.data[:, :, k], frame, scene.t1_window))
    layers = [
        *bone_layers(anatomy.segmentation.labels, frame, k),
        *_joint_layers(anatomy.joints, regions, scene, k),
        Layer("oedema", "oedema", outline(oedema.data[:, :, k] > 0, frame)),
    ]
    return Plate(
        position=position,
        slice_number=slice_number,
        stir=png_uri(grey(scene.stir.data[:, :, k], frame, scene.stir_window)),
        t1=t1,
        layers=tuple(layer for layer in layers if layer.path),
        spots=_spots(regions, scene, slice_number),
    )


def bone_layers(labels: LabelMap, frame: Frame, k: int) -> tuple[Layer, ...]:
    """The outlines of the bones on slice `k`."""
    return tuple(Layer("bones", name, outline(labels.data[:, :, k] == label, frame)) for label, name in BONES)


def _joint_layers(joints: Joints, regions: Regions, scene: Scene, k: int) -> list[Layer]:
    """Midlines and quadrants of both joints; `regions` are those of slice `k` alone."""
    frame = scene.frame
    upper = (regions.half == HALF_UPPER).astype(np.float32)
    layers = []
    for side in Side:
        joint = joints.of(side)
        if k not in joint.slices:
            continue
        layers += [Layer("joint", name, path) for name, path in midline_paths(joint.slices[k], frame)]
        for bone in Bone:
            scored = _scored_bone(regions, (side, bone), scene.reach_mm)
            layers.append(Layer("quadrants", "divide", level(upper, 0.5, scored, frame)))
            layers.append(Layer("quadrants", "deep", level(regions.depth_mm, scene.deep_mm, scored, frame)))
    return layers


def midline_paths(joint: JointSlice, frame: Frame) -> list[tuple[str, str]]:
    """Class and path of the ligamentous part of the midline, and of the scored part, a line of its own."""
    points, covered = frame.place(joint.midline), joint.cartilaginous
    scored = np.flatnonzero(covered)
    if not scored.size:
        return [("ligamentous", path_of_lines([points]))]
    first, last = int(scored[0]), int(scored[-1])
    rest = path_of_lines([points[: first + 1], points[last:]])
    return [("ligamentous", rest), ("joint", path_of_lines([points[first : last + 1]]))]


def _scored_bone(regions: Regions, which: tuple[Side, Bone], reach_mm: float) -> NDArray[np.bool_]:
    """Bone of one joint that counts on a slice: beside cartilage and no farther from the margin than is scored."""
    side, bone = which
    return np.asarray(
        (regions.side == REGION_SIDE[side])
        & (regions.bone == (BONE_SACRUM if bone is Bone.SACRUM else BONE_ILIUM))
        & regions.cartilaginous
        & (regions.depth_mm <= reach_mm)
    )


def _spots(regions: Regions, scene: Scene, slice_number: int) -> tuple[Spot, ...]:
    spots = []
    for side in Side:
        for q in QUADRANTS:
            half = regions.half == (HALF_UPPER if q.half is Half.UPPER else HALF_LOWER)
            mask = _scored_bone(regions, (side, q.bone), scene.reach_mm) & half
            spots.append(Spot(f"{slice_number}-{side}-{q.item}", outline(mask, scene.frame)))
    return tuple(spot for spot in spots if spot.path)


def plates_of(
    scene: Scene,
    anatomy: Anatomy,
    oedema: LabelMap,
    native_number: Mapping[int, int],
) -> tuple[Plate, ...]:
    """All scored slices from anterior to posterior; `native_number` gives each frame index its number in the series."""
    return tuple(
        make_plate(scene, anatomy, oedema, (position, native_number[k], k))
        for position, k in enumerate(anatomy.slice_choice.numbers, start=1)
    )
