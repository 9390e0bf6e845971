"""Plates: what is bright beside the bones must not make the bones black."""

from __future__ import annotations

from dataclasses import replace

import made_visit
import numpy as np

from mri_sij.report.picture import grey
from mri_sij.report.plate import scene_of
from mri_sij.volume import Volume


def test_oedema_is_bright_however_bright_bladder_and_csf_are() -> None:
    result = made_visit.scored()
    assert result.anatomy is not None and result.findings is not None
    signal = np.array(result.stir.data)
    signal[result.anatomy.segmentation.labels.data == 0] *= 20
    stir = replace(result, stir=Volume(signal, made_visit.GRID)).stir
    marrow = result.findings.reference.marrow
    scene = scene_of(stir, None, result.anatomy, marrow, result.settings.lesions)
    assert scene.stir_window.high == 4 * marrow.level
    shown = grey(stir.data[:, :, 8], scene.frame, scene.stir_window)
    oedema = scene.frame.cut(result.findings.oedema.data[:, :, 8]) > 0
    assert np.median(shown[oedema]) > 120
