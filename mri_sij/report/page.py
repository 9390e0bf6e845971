"""A visit's page: one self-contained HTML file that a reader can check the score on, on the screen and on paper."""

from __future__ import annotations

import numpy as np

from mri_sij import __version__
from mri_sij.evidence import Side
from mri_sij.report.blocks import blocks_of, flat
from mri_sij.report.form_view import form_rows
from mri_sij.report.frame import edges_of, frame_around
from mri_sij.report.head import score_view
from mri_sij.report.picture import STIR_UPPER, grey, png_uri, window_of
from mri_sij.report.plate import Plate, bone_layers, plates_of, scene_of
from mri_sij.report.provenance import provenance_dict
from mri_sij.report.render import render
from mri_sij.report.view import LAYERS, PlateView, VisitView
from mri_sij.result import VisitResult

TITLE = "Sacroiliac joints, fat-suppressed MRI"
FOOTER = "Research use only. Not for diagnosis. No name or identifier of the images is in this page; it loads nothing."
_OVERVIEW = 12
"""Slices shown of a visit that is not scorable, evenly spread."""


def visit_page(result: VisitResult, title: str = TITLE) -> str:
    """The page as text; the same result gives the same bytes. `title` must not identify the patient."""
    return render("visit.html.j2", view=visit_view(result, title))


def visit_view(result: VisitResult, title: str = TITLE) -> VisitView:
    """What the page shows."""
    plates, size = _scored_plates(result) if result.sheet is not None else _plain_plates(result)
    changes = result.reading.overruled.changes if result.reading else ()
    form = (
        ()
        if result.sheet is None or result.evidence is None
        else form_rows(result.evidence, result.sheet.sparcc, changes)
    )
    drawn = {layer.layer for plate in plates for layer in plate.layers}
    provenance = tuple(flat(provenance_dict(result)))
    return VisitView(
        title=title,
        score=score_view(result),
        reasons=result.reasons,
        cautions=result.cautions,
        plates=plates,
        form=form,
        layers=tuple(key for key in LAYERS if key.layer in drawn),
        blocks=blocks_of(result),
        records=(("Provenance", provenance), ("Settings", tuple(flat(result.settings.shown())))),
        edges=edges_of(result.stir.grid),
        stir_name="STIR" if result.images.stir_acquisition.kind == "stir" else "T2 FS",
        width_mm=round(size[0], 2),
        height_mm=round(size[1], 2),
        has_t1=any(plate.t1 for plate in plates),
        footer=f"mri_sij {__version__}. {FOOTER}",
    )


def _scored_plates(result: VisitResult) -> tuple[tuple[PlateView, ...], tuple[float, float]]:
    anatomy, findings = result.anatomy, result.findings
    assert anatomy is not None and findings is not None
    scene = scene_of(result.stir, result.t1, anatomy, findings.reference.marrow, result.settings.lesions)
    native = {k: result.native_slice(k) for k in anatomy.slice_choice.numbers}
    plates = plates_of(scene, anatomy, findings.oedema, native)
    views = tuple(_plate_view(plate, len(plates), _caption(result, plate.slice_number)) for plate in plates)
    return views, (scene.frame.width_mm, scene.frame.height_mm)


def _plate_view(plate: Plate, of: int, caption: str) -> PlateView:
    where = {1: ", most anterior", of: ", most posterior"}.get(plate.position, "")
    return PlateView(
        slice_number=plate.slice_number,
        name=f"Slice {plate.position} of {of}",
        place=f"index {plate.slice_number} in the series, counted from 0{where}",
        caption=caption,
        stir=plate.stir,
        t1=plate.t1,
        layers=plate.layers,
        spots=plate.spots,
    )


def _caption(result: VisitResult, slice_number: int) -> str:
    assert result.sheet is not None
    joints = {j.side: j for j in result.sheet.sparcc.joints if j.slice_number == slice_number}
    return f"right joint {joints[Side.RIGHT].total} of 6 · left joint {joints[Side.LEFT].total} of 6"


def _plain_plates(result: VisitResult) -> tuple[tuple[PlateView, ...], tuple[float, float]]:
    """Slices with the bones alone, so that a reader sees what could not be scored."""
    grid, count = result.stir.grid, result.stir.grid.shape[2]
    labels = None if result.segmentation is None else result.segmentation.labels
    frame = frame_around(grid, [], (0.0, 0.0))
    numbers = np.unique(np.linspace(0, count - 1, min(count, _OVERVIEW)).round().astype(int))
    window = window_of([result.stir.data[:, :, k] for k in numbers], STIR_UPPER)
    views = tuple(
        PlateView(
            slice_number=result.native_slice(int(k)),
            name=f"Slice {result.native_slice(int(k))}",
            place="",
            caption="",
            stir=png_uri(grey(result.stir.data[:, :, k], frame, window)),
            t1="",
            layers=() if labels is None else bone_layers(labels, frame, int(k)),
            spots=(),
        )
        for k in numbers
    )
    return views, (frame.width_mm, frame.height_mm)
