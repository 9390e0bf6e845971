"""A small made-up visit with every record filled in: boxes for bones, a bright block for oedema. No file is read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mri_sij.anatomy.find import Anatomy, Unusable, find_anatomy
from mri_sij.anatomy.labels import LEFT_ILIUM, NAMES, RIGHT_ILIUM, SACRUM, Segmentation
from mri_sij.config import Settings
from mri_sij.evidence import QUADRANTS, Bone, Evidence, Half, JointSliceEvidence, QuadrantEvidence, Reason, Side
from mri_sij.geometry import AxisOrder, Grid
from mri_sij.ingest.acquisition import Acquisition
from mri_sij.ingest.candidate import SeriesChoice
from mri_sij.ingest.visit import VisitImages
from mri_sij.lesions.records import (
    OEDEMA_NAMES,
    BoneBurden,
    Candidate,
    Findings,
    FluidReference,
    Lesion,
    MarrowReference,
    Measures,
    MuscleSign,
    Reference,
    Rejected,
    ScoreInterval,
)
from mri_sij.result import VisitResult
from mri_sij.scoring.sheet import score
from mri_sij.volume import LabelMap, Volume

SHAPE = (160, 90, 14)
TILTED = np.array([[-1.0, 0, 0, 80], [0, 0.643, -3.064, 30], [0, 0.766, 2.571, -60], [0, 0, 0, 1]])
"""Voxels of 1 x 1 x 4 mm in the reading frame: to the left, up, and backwards, tilted 40 degrees from coronal."""

GRID = Grid(SHAPE, TILTED)
AS_READ = AxisOrder((0, 1, 2), (False, False, False))
REVERSED = AxisOrder((2, 1, 0), (True, False, True))
"""An axis order in which a series may have been stored: slices first and from behind, columns from the left."""


def bones() -> Segmentation:
    """A sacrum between two ilia, 3 mm of joint between them over 50 mm."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[50:110, 15:75, 1:13] = SACRUM
    labels[113:145, 20:70, 1:13] = LEFT_ILIUM
    labels[15:47, 20:70, 1:13] = RIGHT_ILIUM
    sure = Volume(np.where(labels > 0, 0.95, 0.0).astype(np.float32), GRID)
    return Segmentation(LabelMap(labels, GRID, NAMES), sure, 0.97, "builtin", "ab" * 32)


def oedema_labels() -> LabelMap:
    """Oedema in the right upper sacrum, on slices 7 to 10."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[50:64, 50:66, 7:11] = 3
    return LabelMap(labels, GRID, OEDEMA_NAMES)


def stir() -> Volume:
    """Marrow of 100 with a little structure, oedema of 250."""
    i, j, k = np.indices(SHAPE)
    signal = 60.0 + 10 * np.sin(i / 5) * np.cos(j / 7) + 2 * (k % 3)
    signal[bones().labels.data > 0] += 40
    signal[oedema_labels().data > 0] = 250
    return Volume(signal.astype(np.float32), GRID)


def anatomy(settings: Settings) -> Anatomy:
    """Joints, quadrants, slices and quality of the bones."""
    found = find_anatomy(stir(), bones(), settings.anatomy)
    assert isinstance(found, Anatomy), found.why
    return found


def evidence(numbers: tuple[int, ...]) -> Evidence:
    """The form that goes with the oedema: right upper sacrum, deep, on the slices that show it."""
    joints = []
    for number in numbers:
        for side in Side:
            here = side is Side.RIGHT and 7 <= number <= 10
            quadrants = tuple(
                QuadrantEvidence(q, yes, 0.93 if yes else 0.04, 224.0 if yes else 0.0, 625.0)
                for q in QUADRANTS
                for yes in [here and q.bone is Bone.SACRUM and q.half is Half.UPPER]
            )
            joints.append(JointSliceEvidence(side, number, quadrants, False, here, 0.2, 0.6, 50.0, 14.0, 2.5))
    return Evidence(tuple(joints))


def findings(found: Anatomy) -> Findings:
    """References, a lesion, a rejected candidate, measures and an interval."""
    place = Candidate(Side.RIGHT, Bone.SACRUM, (7, 8, 9, 10), 3.58, 14.0, 0.5, 2.5, 2.6, 0.9, 0.8, 1.0, 14.0)
    none = replace(place, side=Side.LEFT, slices=(3,), volume_ml=0.02, contact_mm=float("inf"), t1_ratio=None)
    burdens = tuple(
        BoneBurden(side, bone, 3.58, 20.0, 3.58, 5.4, 2.5)
        if (side, bone) == (Side.RIGHT, Bone.SACRUM)
        else BoneBurden(side, bone, 0.0, 20.0, 0.0, 0.0, None)
        for side in Side
        for bone in Bone
    )
    return Findings(
        reference=Reference(
            MarrowReference(np.full(SHAPE, 100, np.float32), 100.0, 0.1, 1.4, 220.0, 90.0, 0.8),
            FluidReference("vessel", 4.2, 3.0),
        ),
        oedema=oedema_labels(),
        lesions=(Lesion(1, place, "2.5 times normal marrow, at the joint, on 4 slices"),),
        rejected=(Rejected(none, Reason("too-small", "0.02 of 0.05 ml")),),
        evidence=evidence(found.slice_choice.numbers),
        measures=Measures(
            3.58,
            5.4,
            0.045,
            burdens,
            False,
            False,
            -1.0,
            ((Side.RIGHT, Bone.SACRUM),),
            (MuscleSign(Side.LEFT, 1.0, 0.0, False),),
        ),
        interval=ScoreInterval(6, 9, 0.9, ((5, 0.05), (6, 0.15), (8, 0.6), (9, 0.2))),
    )


def images(order: AxisOrder = AS_READ) -> VisitImages:
    """The visit's series as read, in another axis order if wanted."""
    acquisition = Acquisition(
        kind="stir", repetition_time_ms=4000.0, echo_time_ms=60.0, inversion_time_ms=150.0, flip_angle_deg=150.0,
        field_strength_t=1.5, slice_thickness_mm=3.5, spacing_between_slices_mm=4.0, in_plane_mm=(1.0, 1.0),
        matrix=(160, 90), manufacturer="Maker", fat_suppressed=True, contrast_agent=False,
    )  # fmt: skip
    t1 = replace(acquisition, kind="t1", inversion_time_ms=None, fat_suppressed=False)
    return VisitImages(
        stir=stir().reordered(order),
        t1=stir().reordered(order),
        stir_acquisition=acquisition,
        t1_acquisition=t1,
        orientation="oblique coronal",
        cautions=(),
        series_considered=(SeriesChoice(1, 1, "stir", "stir", "oblique coronal", 40.0, "the only STIR"),),
        input_sha256="cd" * 32,
    )


def scored(order: AxisOrder = AS_READ) -> VisitResult:
    """A visit with a score: right upper sacrum on four slices, each deep."""
    settings = Settings()
    found = anatomy(settings)
    result = VisitResult(images(order), stir(), stir(), settings, cautions=(Reason("made-up", "A made-up visit."),))
    seen = findings(found)
    named = tuple(replace(j, slice_number=result.native_slice(j.slice_number)) for j in seen.evidence.joints)
    sheet = score(Evidence(named), settings.scoring)
    return replace(result, anatomy=found, findings=seen, evidence=Evidence(named), sheet=sheet)


def refused() -> VisitResult:
    """A visit whose right ilium is missing."""
    settings = Settings()
    whole = bones()
    half = np.where(whole.labels.data == RIGHT_ILIUM, 0, whole.labels.data).astype(np.uint8)
    found = find_anatomy(stir(), replace(whole, labels=LabelMap(half, GRID, NAMES)), settings.anatomy)
    assert isinstance(found, Unusable)
    return VisitResult(images(), stir(), stir(), settings, unusable=found, reasons=found.why.reasons)
