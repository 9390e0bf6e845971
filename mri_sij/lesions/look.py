"""A second look at each joint: a network that is shown what the first one found, and the marrow under the coil's field.

The measures of `odds` see a voxel and its surroundings; this network, the mean of three small U-Nets over five slices
of the STIR over normal marrow (three of the T1), sees shapes: a strip along the joint, a wedge, a vessel, the grain of
healthy marrow. It learnt from simulated patients whose bones, marrow and maps had been found by this program, not from
their truth (`pipelines/train_look`). Each joint is shown to it as if it were a left one, so that a mirrored patient
gets mirrored answers. What was compared: `docs/lesions.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.span import Box, Mask, box_around
from mri_sij.lesions.search import Field, Search, log_odds_of
from mri_sij.network.prepare import resized, slice_by_slice, to_pixel
from mri_sij.network.session import Session, shipped

T = TypeVar("T", bound=np.generic)

MODEL_FILE = "look.onnx"
STIR_SLICES = (-2, -1, 0, 1, 2)
BESIDE = (-1, 0, 1)
"""Neighbours of a slice that are shown: of the STIR, and of the T1, the first network's log odds and the bones."""

CHANNELS = len(STIR_SLICES) + 4 * len(BESIDE) + 7
UNLIKELY = -8.0
"""Log odds where oedema is not looked for."""

_MARGIN_MM, _SEEN_PIXELS, _NEAR_MM = 9.6, 10, 8.0


@dataclass(frozen=True, eq=False)
class Joint:
    """One joint of a search box: `own` marks its bones in the box, `place` is the part about them, `mirrored` a right
    one."""

    own: Mask
    place: Box
    mirrored: bool

    def cut(self, values: NDArray[T]) -> NDArray[T]:
        """That part of an array of the box, as if the joint were a left one (a view: what is written to it is written
        to the array)."""
        return values[self.place][:: -1 if self.mirrored else 1]


def log_odds(search: Search) -> Field:
    """Log odds of oedema, of the search box's shape; `UNLIKELY` where it is not looked for. ValueError without the
    first network's maps."""
    session, found = shipped("mri_sij.lesions", MODEL_FILE), np.full(search.code.shape, UNLIKELY, np.float32)
    for joint in joints_of(search):
        own, here = joint.cut(joint.own), joint.cut(found)
        here[own] = resized(_answers(session, views(search, joint)), own.shape)[own]
    return found


def sha256() -> str:
    """Hash of the network's file."""
    return shipped("mri_sij.lesions", MODEL_FILE).sha256


def joints_of(search: Search) -> tuple[Joint, ...]:
    """The joints at which oedema is looked for, the left one first."""
    x, y = (int(np.ceil(_MARGIN_MM / side_mm)) for side_mm in search.grid.spacing_mm[:2])
    margins = x, y, search.code.shape[2]
    both = (np.asarray((search.code + 1) // 2 == side) for side in (1, 2))
    return tuple(Joint(own, box_around(own, margins), bool(n)) for n, own in enumerate(both) if own.any())


def views(search: Search, joint: Joint) -> dict[str, Field]:
    """What there is to see of one joint, as if it were a left one: volumes (x, y, slices) at the network's pixel."""
    if search.oedema is None or search.fluid is None:
        raise ValueError("the second look needs the network's maps")
    seen = {"stir": joint.cut(search.ratio), "fluid": joint.cut(search.fluid)}
    seen["said"] = log_odds_of(joint.cut(search.oedema))
    if search.t1_ratio is not None:
        seen["t1"] = joint.cut(search.t1_ratio)
    small = {name: to_pixel(values, search.grid.spacing_mm) for name, values in seen.items()}
    small["stir"] = np.log(np.clip(small["stir"], 0.2, 5.0))
    if "t1" in small:
        small["t1"] = np.log(np.clip(small["t1"], 0.15, 4.0))
    code, depth_mm = joint.cut(search.code), joint.cut(search.depth_mm)
    known = {
        "sacrum": code % 2 == 1, "ilium": (code > 0) & (code % 2 == 0), "own": joint.cut(joint.own),
        "bone": joint.cut(search.bone), "cartilaginous": joint.cut(search.cartilaginous) & (code > 0),
        "depth_mm": np.minimum(depth_mm, 60.0),
    }  # fmt: skip
    return small | {name: _nearest(values, small["stir"].shape) for name, values in known.items()}


def _nearest(values: NDArray[Any], shape: tuple[int, ...]) -> Field:
    """Values of the nearest voxels in the plane."""
    x, y = (((np.arange(m) + 0.5) * n / m).astype(int) for n, m in zip(values.shape[:2], shape[:2], strict=True))
    return np.asarray(values[x][:, y], np.float32)


def image(shown: dict[str, Field], k: int) -> Field:
    """What the network is fed of slice `k`, (CHANNELS, x, y): brightness only within 12 mm of bone. Beyond the last
    slice with bone the slice itself is repeated; a T1 that is not there is 0, and so is the channel that tells."""

    def bones(n: int) -> Field:
        return shown["sacrum"][:, :, n] + shown["ilium"][:, :, n]

    def shown_at(step: int) -> int:
        n = int(np.clip(k + step, 0, shown["own"].shape[2] - 1))
        return n if bones(n).any() else k

    at = {step: shown_at(step) for step in STIR_SLICES}

    def beside(name: str, steps: tuple[int, ...]) -> list[Field]:
        return [shown[name][:, :, at[step]] for step in steps]

    seen = ndi.maximum_filter(bones(k), 2 * _SEEN_PIXELS + 1, mode="constant")
    none, every = np.zeros_like(seen), np.ones_like(seen)
    bright = [2 * a for a in beside("stir", STIR_SLICES)]
    dark = [2 * a for a in beside("t1", BESIDE)] if "t1" in shown else [none] * len(BESIDE)
    said = [(a + 3) / 3 for a in beside("said", BESIDE)]
    bone, depth_mm, cartilaginous, own = (shown[n][:, :, k] for n in ("bone", "depth_mm", "cartilaginous", "own"))
    near = np.exp(-depth_mm / np.float32(_NEAR_MM)) * (bones(k) > 0)
    return np.stack(
        [
            *(a * seen for a in (*bright, *dark)), every if "t1" in shown else none,
            *(a * seen for a in said), every, shown["fluid"][:, :, k] * seen,
            *beside("sacrum", BESIDE), *beside("ilium", BESIDE),
            bone, near, cartilaginous, own,
        ]
    )  # fmt: skip


def _answers(session: Session, shown: dict[str, Field]) -> Field:
    nx, ny, slices = shown["stir"].shape
    shown = {name: slice_by_slice(values) for name, values in shown.items()}
    out = np.full((nx, ny, slices), UNLIKELY, np.float32)
    for k in np.flatnonzero(shown["own"].any((0, 1))):
        out[:, :, k] = session.run(image(shown, int(k)))[0, :nx, :ny]
    return out
