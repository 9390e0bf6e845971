"""Grey pictures of slices as PNG: one window for all slices of a series, so that their brightness can be compared."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri_sij.report.frame import Frame

STIR_UPPER = 99.6
"""Percentile of a STIR's signal that is white where normal marrow is not known; the rest are vessels and CSF."""
STIR_WHITE = 4.0
"""Times normal marrow that are white at most: oedema reaches 3.3, and CSF of 10 must not make all bone black."""


@dataclass(frozen=True)
class Window:
    """Signal shown black (`low`) and white (`high`)."""

    low: float
    high: float


def window_of(slices: list[NDArray[np.generic]], upper_percentile: float) -> Window:
    """From the darkest hundredth to `upper_percentile` of the signal that is shown."""
    values = np.concatenate([s.ravel() for s in slices]).astype(np.float64)
    low, high = (float(v) for v in np.percentile(values, (1.0, upper_percentile)))
    return Window(low, high if high > low else low + 1.0)


def grey(plane: NDArray[np.generic], frame: Frame, window: Window) -> NDArray[np.uint8]:
    """The shown part of a slice in 256 greys, shape (rows, columns)."""
    scaled = (frame.cut(plane).astype(np.float64) - window.low) / (window.high - window.low)
    return np.asarray(np.round(np.clip(scaled, 0, 1) * 255), dtype=np.uint8)


def png_uri(picture: NDArray[np.uint8]) -> str:
    """The picture as a `data:` address, so that the page needs no other file."""
    from PIL import Image  # noqa: PLC0415 - only pages need it

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
