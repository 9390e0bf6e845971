"""Bones from maps of a simulated person: the shape model takes out what is no bone, cortex and thin blades are left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage as ndi

from mri_sij.anatomy.find import Unusable, find_anatomy
from mri_sij.anatomy.labels import LEFT_ILIUM, RIGHT_ILIUM, SACRUM
from mri_sij.anatomy.segment import segment, within_cortex
from mri_sij.config import AnatomySettings
from mri_sij.geometry import Grid
from mri_sij.network.maps import Maps
from mri_sij.phantom.body import draw_person
from mri_sij.phantom.lesion import draw_lesions
from mri_sij.phantom.scan import Matrix, Position, Scanner, acquire, grid_of
from mri_sij.phantom.tissue import Sequence
from mri_sij.volume import Volume

SETTINGS = AnatomySettings()


@pytest.fixture(scope="module")
def truth() -> tuple[np.ndarray, Grid]:
    """True labels of a simulated person on 4 mm slices: 1 sacrum, 2 left, 3 right ilium, 4 lumbar."""
    rng = np.random.default_rng(11)
    person = draw_person(rng)
    scanner = Scanner(Sequence(4800, 60, 155, 1.5), Sequence(560, 12, None, 1.5), 30, 50, 1, 0.1, 0.2)
    grid = grid_of(person, Position(35.0), Matrix((190, 190), 1.1, 20, 4.0, 3.6))
    visit = acquire(person, draw_lesions(rng), scanner, grid, rng, thickness_mm=3.6)
    return visit.labels.data, visit.stir.grid


def _maps(labels: np.ndarray, grid: Grid) -> Maps:
    def sure(mask: np.ndarray) -> np.ndarray:
        return np.where(mask, 0.9, 0.03).astype(np.float32)

    sacrum, ilium, lumbar = sure(labels == 1), sure(np.isin(labels, (2, 3))), sure(labels == 4)
    background = (1 - sacrum - ilium - lumbar).astype(np.float32)
    none = np.zeros(labels.shape, np.float32)
    return Maps(grid, background, sacrum, ilium, lumbar, none, none, 0.95, "00" * 32)


def _lump(labels: np.ndarray) -> tuple[slice, slice, slice]:
    """A block of 2.6 x 2.6 x 2 cm beside the lower part of the left ilium, in the gluteal muscle."""
    rows = np.flatnonzero((labels[:, :, 8:13] == LEFT_ILIUM).any((0, 2)))
    j = int(rows[0] + 0.25 * len(rows))
    edge = int(np.flatnonzero((labels[:, j - 12 : j + 12, 8:13] == LEFT_ILIUM).any((1, 2))).max())
    return slice(edge - 6, min(edge + 18, labels.shape[0])), slice(j - 12, j + 12), slice(8, 13)


def test_a_lump_of_muscle_is_no_ilium(truth: tuple[np.ndarray, Grid]) -> None:
    labels, grid = truth
    wrong = labels.copy()
    lump = _lump(labels)
    false = np.zeros(labels.shape, bool)
    false[lump] = labels[lump] == 0
    wrong[false] = LEFT_ILIUM
    found = segment(_maps(wrong, grid), SETTINGS)
    assert found.shape is not None and found.shape.residual_mm < 2.5
    away = ndi.distance_transform_edt(labels != LEFT_ILIUM, grid.spacing_mm) > 6
    assert (false & away).sum() * grid.voxel_ml > 5
    assert (found.labels.data[false & away] == LEFT_ILIUM).mean() < 0.1
    bones = np.isin(labels, (SACRUM, LEFT_ILIUM, RIGHT_ILIUM))
    assert (found.labels.data[bones] > 0).mean() > 0.85


def test_bone_that_was_lost_with_conviction_comes_back(truth: tuple[np.ndarray, Grid]) -> None:
    labels, grid = truth
    depth = ndi.distance_transform_edt(labels == SACRUM, grid.spacing_mm)
    i, j, k = np.unravel_index(depth.argmax(), depth.shape)
    lost = np.zeros(labels.shape, bool)
    lost[i - 12 : i + 12, j - 12 : j + 12, k - 1 : k + 2] = True
    lost &= labels == SACRUM
    sure = _maps(labels, grid)
    maps = replace(
        sure,
        sacrum=np.where(lost, np.float32(0.001), sure.sacrum),
        background=np.where(lost, np.float32(0.96), sure.background),
    )
    deep = lost & (depth > 9)
    assert deep.sum() > 100
    assert (segment(maps, SETTINGS).labels.data[deep] == SACRUM).mean() > 0.8


@pytest.mark.parametrize("wedge", [0, 8], ids=["empty", "all but a wedge"])
def test_an_empty_slice_holds_no_bone(truth: tuple[np.ndarray, Grid], wedge: int) -> None:
    labels, grid = truth
    padded = labels.copy()
    padded[wedge:, :, :4] = padded[wedge:, :, 16:] = 0
    assert all((labels[wedge:, :, k] > 0).sum() > 2 * (labels[:wedge, :, k] > 0).sum() for k in (3, 16))
    assert not wedge or (padded[:, :, 16] > 0).any()
    found = segment(_maps(padded, grid), SETTINGS).labels.data
    assert not found[:, :, :4].any() and not found[:, :, 16:].any()
    assert (found[:, :, 4:16] > 0).any((0, 1)).all()


def test_what_is_no_pelvis_is_not_made_to_look_like_one(truth: tuple[np.ndarray, Grid]) -> None:
    labels, grid = truth
    boxes = np.zeros_like(labels)
    boxes[70:110, 60:120, 2:18], boxes[125:160, 60:120, 2:18], boxes[30:60, 60:120, 2:18] = 1, 2, 3
    found = segment(_maps(boxes, grid), SETTINGS)
    assert found.shape is not None and found.shape.residual_mm > SETTINGS.max_shape_mm
    assert ((found.labels.data > 0) & (boxes == 0)).sum() == 0
    assert (found.labels.data[boxes > 0] > 0).mean() > 0.9
    stir = Volume(np.where(boxes > 0, 100, 60).astype(np.float32), grid)
    refused = find_anatomy(stir, found, SETTINGS)
    assert isinstance(refused, Unusable)
    assert "quality_shape_mm" in {reason.code for reason in refused.why.reasons}


def test_a_mirrored_patient_has_mirrored_bones(truth: tuple[np.ndarray, Grid]) -> None:
    labels, grid = truth
    maps = _maps(labels, grid)
    flipped = replace(
        maps, **{n: np.ascontiguousarray(getattr(maps, n)[::-1]) for n in ("background", "sacrum", "ilium", "lumbar")}
    )
    plain, mirrored = segment(maps, SETTINGS), segment(flipped, SETTINGS)
    swapped = np.array([0, 1, 3, 2], np.uint8)[mirrored.labels.data[::-1]]
    differ = plain.labels.data != swapped
    assert differ.sum() <= 1e-4 * (plain.labels.data > 0).sum()


def test_cortex_and_thin_blades_are_left_out_but_not_at_the_joint() -> None:
    labels = np.zeros((80, 100, 1), np.uint8)
    labels[10:40, 20:60] = SACRUM
    labels[44:60, 20:60] = LEFT_ILIUM
    labels[50:53, 60:98] = LEFT_ILIUM
    found = within_cortex(labels, (0.6, 0.6, 4.0))[:, :, 0]
    assert (found[39, 25:55] == SACRUM).all() and (found[44, 25:55] == LEFT_ILIUM).all()
    assert (found[10, :] == 0).all() and (found[59, :] == 0).all()
    assert (found[50:53, 80:] == 0).all()
    assert (found[12:40, 22:58] == SACRUM).all()
