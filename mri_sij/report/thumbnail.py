"""A small picture of a scored visit for a list of many: the slice with most oedema, the oedema outlined."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from scipy import ndimage as ndi

from mri_sij.report.picture import grey
from mri_sij.report.plate import scene_of
from mri_sij.result import VisitResult

WIDTH = 240
"""Pixels."""
OEDEMA = (255, 0, 255)
"""Magenta, which no other line has; an outline, never filled over the signal that is judged."""


def thumbnail_png(result: VisitResult) -> bytes | None:
    """PNG of one scored slice, the patient's right on the left; None where the visit is not scored."""
    anatomy, findings = result.anatomy, result.findings
    if anatomy is None or findings is None or result.sheet is None:
        return None
    scene = scene_of(result.stir, None, anatomy, findings.reference.marrow, result.settings.lesions)
    numbers = anatomy.slice_choice.numbers
    most = max(numbers, key=lambda k: (int(np.count_nonzero(findings.oedema.data[:, :, k])), -k))
    frame = scene.frame
    size = WIDTH, round(WIDTH * frame.height_mm / frame.width_mm)
    picture = Image.fromarray(grey(result.stir.data[:, :, most], frame, scene.stir_window))
    shown = np.array(picture.resize(size, Image.Resampling.BILINEAR).convert("RGB"))
    mask = Image.fromarray(frame.cut(findings.oedema.data[:, :, most] > 0).astype(np.uint8) * 255)
    inside = np.asarray(mask.resize(size, Image.Resampling.NEAREST)) > 0
    shown[inside & ~ndi.binary_erosion(inside)] = OEDEMA
    buffer = io.BytesIO()
    Image.fromarray(shown).save(buffer, "PNG")
    return buffer.getvalue()
