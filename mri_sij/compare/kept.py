"""What a finished visit keeps for later comparisons: `followup.npz`, so that its images need not be at hand again.

A visit that was just scored is compared from the same record as one read back, so both give the same figures to the
bit. It holds signal near the bones and the joints' lines as bare arrays: no header, no text, nothing but the anatomy
that the report's pictures show as well.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.joint import Joint, Joints, JointSlice
from mri_sij.anatomy.span import box_within
from mri_sij.errors import GeometryError, RefusedError
from mri_sij.evidence import Side
from mri_sij.geometry import Floats, Grid
from mri_sij.lesions.reference import intense_from
from mri_sij.result import VisitResult
from mri_sij.volume import LabelMap, Volume

KEPT = "followup.npz"
_VERSION = 2
_MARGIN_MM = 15.0
"""Signal is kept this far around the bones: refining looks 6 mm around a bone that may yet move by 4."""
_LEVELS = 255
"""Steps from 0 to the brightest signal kept (99.9th percentile), less than half the noise of the real images; the
registration smooths and takes 32 steps, the page shows 256."""
_RATIO_MARGIN_MM = 6.0
"""STIR over marrow is kept this far around the bones: oedema is looked up in bone and its cortex."""
_RATIO_STEP = 0.02
"""STIR over normal marrow is kept to this: lesions are called intense from about 2 times marrow."""
_LARGEST_BYTES = 1_000_000_000
_COLUMNS = 8
"""A point of a joint: midline, sacral and iliac margin (i, j each), gap in mm, cartilaginous or not."""

Arrays = dict[str, NDArray[Any]]


class KeptError(RefusedError):
    """A `followup.npz` that is damaged, or belongs to another visit."""

    code = "finished_visit"


@dataclass(frozen=True, eq=False)
class Kept:
    """Images (reading frame, 0 away from the bones), STIR over normal marrow, the ratio that counts as intense (None:
    nothing does), and the joints; all on `grid`, which NIfTI keeps to single precision only."""

    grid: Grid
    stir: Volume
    t1: Volume | None
    ratio: NDArray[np.float32]
    intense_from: float | None
    joints: Joints


def arrays_of(result: VisitResult) -> Arrays:
    """The arrays of `followup.npz` for a visit that was scored (`anatomy` and `findings` are there)."""
    assert result.anatomy is not None and result.findings is not None
    reference, settings = result.findings.reference, result.settings.lesions
    labels = result.anatomy.segmentation.labels
    box = box_within(labels.data > 0, _MARGIN_MM, labels.grid.spacing_mm)
    wide = [settings.smoothing_mm / s for s in result.stir.grid.spacing_mm[:2]]
    # The box's own edge lies further from what is kept than the filter reaches.
    ratio = ndi.gaussian_filter(result.stir.values[box], (*wide, 0.0)) / reference.marrow.signal[box]
    away_mm = _away_mm(labels, box)
    ratio = np.where(away_mm <= _RATIO_MARGIN_MM, ratio, 0)
    intense = intense_from(reference.fluid, settings)
    arrays: Arrays = {
        "version": np.array(_VERSION, np.int32),
        "shape": np.array(labels.grid.shape, np.int32),
        "affine": np.array(labels.grid.affine),
        "box": np.array([[part.start, part.stop] for part in box], np.int32),
        "ratio": np.clip(np.rint(ratio / _RATIO_STEP), 0, 65535).astype(np.uint16),
        "intense_from": np.array(np.nan if intense is None else intense, np.float64),
    }
    arrays["stir"], arrays["stir_step"] = _stepped(result.stir.values[box])
    if result.t1 is not None:  # no page shows it
        t1 = np.where(away_mm <= _MARGIN_MM, result.t1.values[box], np.float32(0))
        arrays["t1"], arrays["t1_step"] = _stepped(t1)
    for side in Side:
        numbers, measures, points = _joint_arrays(result.anatomy.joints.of(side))
        arrays |= {f"{side}_slices": numbers, f"{side}_measures": measures, f"{side}_points": points}
    return arrays


def kept_of(arrays: Mapping[str, NDArray[Any]], grid: Grid) -> Kept:
    """The record that `arrays` hold for a visit on `grid` (reading frame); KeptError when they do not fit it."""
    try:
        if int(arrays["version"]) != _VERSION:
            raise KeptError(f"{KEPT} was written by another version.", hint="Score the visit again.", files=(KEPT,))
        box, near = tuple(slice(int(a), int(b)) for a, b in arrays["box"]), grid
        grid = Grid(tuple(arrays["shape"].tolist()), arrays["affine"])
        if not grid.same_as(near):
            raise ValueError("the record belongs to another visit")
        joints = Joints(grid, *(_joint(side, arrays) for side in (Side.LEFT, Side.RIGHT)))
        intense = float(arrays["intense_from"])
        return Kept(
            grid=grid,
            stir=_volume(arrays, "stir", box, grid),
            t1=_volume(arrays, "t1", box, grid) if "t1" in arrays else None,
            ratio=_whole(arrays["ratio"].astype(np.float32) * np.float32(_RATIO_STEP), box, grid),
            intense_from=None if np.isnan(intense) else intense,
            joints=joints,
        )
    except (KeyError, ValueError, TypeError, IndexError, GeometryError) as error:
        raise KeptError(f"{KEPT} is damaged.", hint="Score the visit again.", files=(KEPT,)) from error


def write_kept(result: VisitResult, path: Path) -> None:
    """Write the record of a scored visit; the same visit gives the same bytes."""
    # As np.savez_compressed would, but packed the fastest way: 4 % larger, and a third of the time.
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays_of(result).items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=1)


def read_kept(path: Path, grid: Grid) -> Kept:
    """Read what `write_kept` wrote, for a visit on `grid` (reading frame); KeptError when it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > _LARGEST_BYTES:
            raise KeptError(f"{KEPT} holds more than {_LARGEST_BYTES} bytes.", files=(KEPT,))
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise KeptError(f"{KEPT} cannot be read.", hint="Score the visit again.", files=(KEPT,)) from error
    return kept_of(arrays, grid)


def _away_mm(labels: LabelMap, box: tuple[slice, ...]) -> Floats:
    """Distance in the plane of the box's voxels from any bone of their slice or the next ones, infinite without one."""
    bone = ndi.maximum_filter(labels.data[box] > 0, (1, 1, 3))
    away = np.full(bone.shape, np.inf)
    for k in np.flatnonzero(bone.any((0, 1))):
        away[:, :, k] = ndi.distance_transform_edt(~bone[:, :, k], labels.grid.spacing_mm[:2])
    return away


def _stepped(values: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    top = float(np.percentile(values, 99.9))
    step = np.float32((top if top > 0 else 1.0) / _LEVELS)
    return np.clip(np.rint(values / step), 0, _LEVELS).astype(np.uint8), np.array(step, np.float32)


def _volume(arrays: Mapping[str, NDArray[Any]], name: str, box: tuple[slice, ...], grid: Grid) -> Volume:
    step = np.float32(arrays[f"{name}_step"])
    if not np.isfinite(step) or step <= 0:
        raise ValueError("a step must be above 0")
    return Volume(_whole(arrays[name].astype(np.float32) * step, box, grid), grid)


def _whole(part: NDArray[np.float32], box: tuple[slice, ...], grid: Grid) -> NDArray[np.float32]:
    whole = np.zeros(grid.shape, np.float32)
    if whole[box].shape != part.shape:
        raise ValueError("the arrays belong to another grid")
    whole[box] = part
    return whole


def _joint_arrays(joint: Joint) -> tuple[NDArray[np.int32], Floats, Floats]:
    """Slice numbers with points on each (n, 2); heights (n, 3); points of all slices on end."""
    slices = [joint.slices[k] for k in sorted(joint.slices)]
    numbers = np.array([[s.slice_number, len(s.midline)] for s in slices], np.int32).reshape(-1, 2)
    measures = np.array([[s.height_mm, s.covered_mm, s.facing_mm] for s in slices], np.float64).reshape(-1, 3)
    parts = [
        np.column_stack([s.midline, s.sacral_margin, s.iliac_margin, s.gap_mm, s.cartilaginous]).astype(np.float64)
        for s in slices
    ]
    return numbers, measures, np.concatenate(parts) if parts else np.zeros((0, _COLUMNS))


def _joint(side: Side, arrays: Mapping[str, NDArray[Any]]) -> Joint:
    numbers, measures, points = (arrays[f"{side}_{name}"] for name in ("slices", "measures", "points"))
    if points.shape != (int(numbers[:, 1].sum()), _COLUMNS) or not (np.isfinite(points).all() and len(measures)):
        raise ValueError("the points of a joint do not match its slices")
    slices, start = {}, 0
    for (number, count), heights in zip(numbers.tolist(), measures.tolist(), strict=True):
        own = points[start : start + count]
        start += count
        slices[number] = JointSlice(
            number, own[:, 0:2], own[:, 2:4], own[:, 4:6], own[:, 6], own[:, 7] > 0.5, *heights
        )  # fmt: skip
    return Joint(side, MappingProxyType(slices))
