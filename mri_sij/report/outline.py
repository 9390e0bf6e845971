"""Outlines of masks as SVG paths, in the millimetres of a `Frame`: lines over the picture, never a fill."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri_sij.anatomy.span import span
from mri_sij.report.frame import Frame


def path_of_lines(lines: list[NDArray[np.float64]], *, closed: bool = False) -> str:
    """SVG path data of lines of (x, y) millimetres, shape (n, 2) each; a hundredth of a millimetre is kept."""
    parts = []
    for line in lines:
        if len(line) > 1:
            drawn = line[:-1] if closed and np.allclose(line[0], line[-1]) else line
            body = "L".join(f"{x:.2f} {y:.2f}" for x, y in drawn)
            parts.append(f"M{body}{'Z' if closed else ''}")
    return "".join(parts)


def outline(mask: NDArray[np.bool_], frame: Frame) -> str:
    """The edge of a slice's mask, shape (i, j), as closed paths; an empty mask gives an empty path."""
    return path_of_lines(_level_lines(mask.astype(np.float32), 0.5, frame), closed=True)


def level(values: NDArray[np.floating], at: float, inside: NDArray[np.bool_], frame: Frame) -> str:
    """The line where `values` pass `at`, drawn only within the mask `inside` (both of shape (i, j))."""
    return path_of_lines(_level_lines(np.where(np.isfinite(values), values, 1e6), at, frame, inside))


def _level_lines(
    values: NDArray[np.floating], at: float, frame: Frame, inside: NDArray[np.bool_] | None = None
) -> list[NDArray[np.float64]]:
    from skimage.measure import find_contours  # noqa: PLC0415 - half a second to import; only pages need it

    shown = values > at if inside is None else inside
    if not shown.any():
        return []
    box = span(shown.any(1)), span(shown.any(0))
    around = np.pad(values[box], 1, constant_values=0.0 if inside is None else 1e6)
    mask = None if inside is None else np.pad(inside[box], 1)
    lines = find_contours(around, at, mask=mask)  # type: ignore[no-untyped-call]
    first = np.array([box[0].start - 1.0, box[1].start - 1.0])
    return [frame.place(line + first) for line in lines]
