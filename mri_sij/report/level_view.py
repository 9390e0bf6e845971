"""The levels of a comparison: both visits' pictures of the same anatomy side by side, and the lines over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.labels import SACRUM
from mri_sij.compare.change import ItemChange
from mri_sij.compare.records import NEW, PERSISTING, RESOLVED, Change, FollowUp
from mri_sij.compare.visit import Visit
from mri_sij.geometry import Floats, Grid
from mri_sij.report.frame import Frame
from mri_sij.report.outline import outline
from mri_sij.report.picture import STIR_UPPER, STIR_WHITE, Window, grey, png_uri, window_of
from mri_sij.report.plate import midline_paths
from mri_sij.volume import Volume


@dataclass(frozen=True)
class LevelView:
    """One anatomical level: both visits' pictures of it (empty where a finished folder holds none) and the lines."""

    level: int
    key: str
    place: str
    caption: str
    baseline: str
    followup: str
    lines: tuple[tuple[str, str], ...]


def level_views(followup: FollowUp, baseline: Visit, frame: Frame) -> tuple[LevelView, ...]:
    """Every level of a follow-up that was compared; `frame` is that of the baseline's joints."""
    change, visit, alignment = followup.change, followup.visit, followup.alignment
    assert change is not None and visit is not None and alignment is not None
    first = [] if baseline.stir is None else [baseline.stir.data[:, :, k] for k in baseline.slices]
    motion = alignment.bones[SACRUM].motion
    second = (
        []
        if visit.stir is None
        else [_cut_through(visit.stir, baseline.labels.grid, motion, k) for k in baseline.slices]
    )
    windows = _windows((first, second), (baseline, visit), frame)
    views = []
    for n, k in enumerate(baseline.slices):
        where = {0: ", most anterior", len(baseline.slices) - 1: ", most posterior"}.get(n, "")
        views.append(
            LevelView(
                level=n + 1,
                key=f"{followup.number}-{n + 1}",
                place=_place(baseline.native_slice(k), visit.native_slice(change.followup_slices[n]), where),
                caption=_caption(change, n + 1),
                baseline=_picture(first, n, frame, windows[0]),
                followup=_picture(second, n, frame, windows[1]),
                lines=_lines(baseline, change, k, frame),
            )
        )
    return tuple(views)


def _place(first: int, second: int, where: str) -> str:
    return f"baseline slice {first}, follow-up nearest slice {second}{where}"


def _cut_through(stir: Volume, grid: Grid, motion: Floats, k: int) -> NDArray[np.float32]:
    """The follow-up's STIR at the place of slice `k` of the baseline, through the motion of the sacrum."""
    matrix = np.linalg.inv(stir.grid.affine) @ motion @ grid.affine
    i, j = np.meshgrid(np.arange(grid.shape[0]), np.arange(grid.shape[1]), indexing="ij")
    voxels = np.stack([i, j, np.full(i.shape, k)]).reshape(3, -1)
    index = matrix[:3, :3] @ voxels + matrix[:3, 3:]
    found = ndi.map_coordinates(stir.values, index, order=1, mode="constant", cval=0.0)
    return np.asarray(found, np.float32).reshape(grid.shape[:2])


def _windows(
    shown: tuple[Sequence[NDArray[np.generic]], Sequence[NDArray[np.generic]]],
    visits: tuple[Visit, Visit],
    frame: Frame,
) -> tuple[Window | None, Window | None]:
    """A window for each visit in which normal marrow has one grey, so that only a change of signal shows."""
    own = [window_of([frame.cut(s) for s in slices], STIR_UPPER) if slices else None for slices in shown]
    marrow = [_marrow(visit) for visit in visits]
    known = [(w.low / m, w.high / m) for w, m in zip(own, marrow, strict=True) if w is not None]
    if not known:
        return None, None
    low, high = min(low for low, _ in known), min(max(high for _, high in known), STIR_WHITE)
    first, second = (None if w is None else Window(low * m, high * m) for w, m in zip(own, marrow, strict=True))
    return first, second


def _marrow(visit: Visit) -> float:
    """Signal of normal marrow on the STIR: the visit's own reference, in the middle of the bones."""
    if visit.stir is None or visit.intensity is None:
        return 1.0
    ratio = visit.intensity.ratio
    bone = (visit.labels.data > 0) & (ratio > 0)
    level = float(np.median(visit.stir.values[bone] / ratio[bone])) if bone.any() else 0.0
    return level if level > 0 else 1.0


def _picture(slices: Sequence[NDArray[np.generic]], n: int, frame: Frame, window: Window | None) -> str:
    return png_uri(grey(slices[n], frame, window)) if window is not None else ""


def _caption(change: Change, level: int) -> str:
    first, second = totals_of([i for i in change.changes.items if i.level == level])
    return f"{first} → {second} of 12"


def _lines(baseline: Visit, change: Change, k: int, frame: Frame) -> tuple[tuple[str, str], ...]:
    labels = change.labels.data[:, :, k]
    paths = [
        (name, outline(labels == label, frame))
        for label, name in ((RESOLVED, "resolved"), (PERSISTING, "persisting"), (NEW, "new"))
    ]
    for joint in (baseline.joints.left, baseline.joints.right):
        if k in joint.slices:
            paths += midline_paths(joint.slices[k], frame)
    return tuple((name, path) for name, path in paths if path)


def totals_of(items: Sequence[ItemChange]) -> tuple[int, int]:
    """Points of both visits."""
    return sum(i.baseline or 0 for i in items), sum(i.followup or 0 for i in items)
