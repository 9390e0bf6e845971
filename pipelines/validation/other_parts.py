"""Scans that are no pair of sacroiliac joints: simulated knees, halves of a pelvis, sagittal slices, noise.

All volumes are in the reading frame of `Grid.reading_order`, tissues and scanners those of `mri_sij.phantom`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy import ndimage as ndi

from mri_sij.geometry import Grid
from mri_sij.pelvis.mesh import Field, Lattice
from mri_sij.phantom.body import Frame, Person
from mri_sij.phantom.draw import draw_scanner
from mri_sij.phantom.scan import Matrix, Position, SimulatedVisit, acquire, grid_of
from mri_sij.phantom.solid import ellipsoid, noise, paint_tube
from mri_sij.phantom.tissue import Tissue
from mri_sij.phantom.visits import draw_courses, draw_sessions, person_of, scan
from mri_sij.volume import Volume

Pair = tuple[Volume, Volume]
"""STIR and T1 on one grid."""

_KNEE = Lattice((-153.0, -75.0, -100.0), 1.5, (205, 100, 134))
_MATRIX = Matrix((320, 320), 0.6, 22, 3.6, 3.3)


def knee(seed: int, *, both: bool = False) -> Pair:
    """Coronal STIR and T1 of one knee in the middle of the field of view, or of both side by side (wider pixels)."""
    rng = np.random.default_rng([seed, 11])
    person = _legs((-62.0, 62.0) if both else (0.0,), rng)
    matrix = replace(_MATRIX, in_plane_mm=0.9) if both else _MATRIX
    position = Position(float(rng.normal(0, 4)), float(rng.normal(0, 4)), float(rng.normal(0, 3)))
    scanner = draw_scanner(rng, physics=True)
    visit = acquire(person, (), scanner, grid_of(person, position, matrix), rng, thickness_mm=matrix.thickness_mm)
    return visit.stir, visit.t1


def half_pelvis(seed: int, side: str) -> Pair:
    """The `left` or `right` half of a simulated patient's slices, cut through the middle of the sacrum."""
    visit = patient(seed)
    middle = _middle(visit)
    kept = slice(middle, None) if side == "left" else slice(0, middle)
    return _cut(visit, (kept, slice(None), slice(None)))


def below_the_joints(seed: int) -> Pair:
    """The lower third of the image: what a stack of the hips or the prostate shows of a pelvis."""
    visit = patient(seed)
    return _cut(visit, (slice(None), slice(0, visit.stir.grid.shape[1] // 3), slice(None)))


def sagittal(seed: int) -> Pair:
    """Sagittal slices of the lumbosacral spine of a simulated patient."""
    rng = np.random.default_rng([seed, 12])
    person, matrix = person_of(seed), Matrix((300, 300), 0.85, 17, 4.4, 4.0)
    grid = grid_of(person, Position(0.0, 90.0), matrix)
    visit = acquire(person, (), draw_scanner(rng, physics=True), grid, rng, thickness_mm=matrix.thickness_mm)
    order = grid.reading_order
    return visit.stir.reordered(order), visit.t1.reordered(order)


def only_noise(seed: int) -> Pair:
    """Rician noise without a signal, on a patient's grid."""
    grid = Grid((336, 336, 24), np.array([[-0.6, 0, 0, 100], [0, 0, -3.3, 40], [0, 0.6, 0, -100], [0, 0, 0, 1.0]]))
    rng = np.random.default_rng([seed, 13])
    stir, t1 = (np.round(rng.rayleigh(100, grid.shape)).astype(np.float32) for _ in range(2))
    return Volume(stir, grid), Volume(t1, grid)


def blobs(seed: int) -> Pair:
    """Smooth random structures at all scales of bones, in a body-sized ellipse."""
    stir, _ = only_noise(seed)
    rng = np.random.default_rng([seed, 14])
    made = []
    for _ in range(2):
        field = sum(ndi.gaussian_filter(rng.standard_normal(stir.grid.shape), (s, s, s / 5)) * s**1.3 for s in (4, 14))
        i, j = (np.linspace(-1, 1, n) for n in stir.grid.shape[:2])
        inside = (i[:, None, None] ** 2 + j[None, :, None] ** 2) < 0.9
        made.append(np.where(inside, 400 * np.exp(np.asarray(field)), 10).round().astype(np.float32))
    return Volume(made[0], stir.grid), Volume(made[1], stir.grid)


@lru_cache(maxsize=1)
def patient(seed: int) -> SimulatedVisit:
    """A simulated visit as `mri-sij phantom --seed` makes it."""
    return scan(person_of(seed), seed, draw_courses(seed, 1)[0], draw_sessions(seed, 1)[0])


def _middle(visit: SimulatedVisit) -> int:
    sacrum = (visit.labels.data == 1).sum((1, 2))
    return round(float(np.average(np.arange(len(sacrum)), weights=sacrum)))


def _cut(visit: SimulatedVisit, box: tuple[slice, slice, slice]) -> Pair:
    grid = visit.stir.grid
    start = [s.start or 0 for s in box]
    affine = grid.affine.copy()
    affine[:3, 3] = grid.world(np.array(start, float))
    stir, t1 = visit.stir.values[box].copy(), visit.t1.values[box].copy()
    cut = Grid((stir.shape[0], stir.shape[1], stir.shape[2]), affine)
    return Volume(stir, cut), Volume(t1, cut)


def _legs(middles: tuple[float, ...], rng: np.random.Generator) -> Person:
    """Legs around the knee, each about a vertical axis at x = `middles` (mm); in the places of sacrum, ilia and
    lumbar spine are femora, fibulae and patellae, and tibiae."""
    femur, tibia, small = (np.full(_KNEE.shape, 99, np.float32) for _ in range(3))
    tissue = np.full(_KNEE.shape, Tissue.AIR, np.uint8)
    for x in middles:
        side = 1.0 if x >= 0 else -1.0
        _femur(femur, x, side, rng)
        _tibia(tibia, small, x, side, rng)
    tibia = np.maximum(tibia, rng.uniform(4, 6) - femur)
    for x in middles:
        _flesh(tissue, (femur, tibia, small), x, rng)
    still = np.zeros(_KNEE.shape, np.float32)
    grain = 0.08 * noise(_KNEE, 3, rng)
    fattiness, fibre = 0.15 * noise(_KNEE, 20, rng), 1 + 0.1 * noise(_KNEE, (4, 4, 20), rng)
    up, back, here = np.array([0.0, 0, 1]), np.array([0.0, 1, 0]), np.array([0.0, 0, 4])
    frame = Frame(up, back, here + 20 * up, up, 30.0, here - 20 * up, here, here + 45 * back, here)
    covered = (femur < 4) & (tibia < 4)
    return Person(_KNEE, femur, small, small, tibia, covered, tissue, fattiness, grain, still, fibre, frame)


def _femur(field: Field, x: float, side: float, rng: np.random.Generator) -> None:
    shaft = np.array([[x + 4 * side, 0, 130], [x + 2 * side, 2, 50], [x, 2, 26]])
    paint_tube(field, _KNEE, shaft, np.array([13.0, 16.0, 24.0]) * rng.uniform(0.95, 1.1))
    for across, width in ((-21, 15.0), (21, 15.5)):
        radii = np.array([width, 28.0, 21.0]) * rng.uniform(0.92, 1.08)
        condyle = ellipsoid(_KNEE.axes(), np.array([x + across * side, 6.0, 20.0]), radii)
        np.minimum(field, condyle, out=field)
    notch = np.full_like(field, 99)
    paint_tube(notch, _KNEE, np.array([[x, 34.0, 8.0], [x, 2.0, 6.0]]), np.array([11.0, 8.0]))
    np.maximum(field, -notch, out=field)


def _tibia(tibia: Field, small: Field, x: float, side: float, rng: np.random.Generator) -> None:
    plateau = ellipsoid(_KNEE.axes(), np.array([x, 5.0, -20.0]), np.array([38.0, 25.0, 17.0]))
    np.minimum(tibia, np.maximum(plateau, _KNEE.axes()[2] + 7), out=tibia)
    shaft = np.array([[x, 4, -24], [x, -2, -60], [x, -4, -130]])
    paint_tube(tibia, _KNEE, shaft, np.array([26.0, 15.0, 13.0]) * rng.uniform(0.95, 1.1))
    fibula = np.array([[x + 33 * side, 22, -26], [x + 34 * side, 20, -45], [x + 32 * side, 18, -130]])
    paint_tube(small, _KNEE, fibula, np.array([9.0, 6.0, 5.5]))
    np.minimum(small, ellipsoid(_KNEE.axes(), np.array([x, -38.0, 22.0]), np.array([22.0, 9.0, 20.0])), out=small)


def _flesh(tissue: np.ndarray, bones: tuple[Field, Field, Field], x: float, rng: np.random.Generator) -> None:
    femur, tibia, small = bones
    ax, ay, az = _KNEE.axes()
    ragged = noise(_KNEE, 25, rng)
    limb = np.sqrt(((ax - x) / 60) ** 2 + ((ay - 3) / 66) ** 2) + 0 * az - 0.03 * ragged
    tissue[limb < 1] = Tissue.SKIN
    tissue[limb < 0.97] = Tissue.SUBCUTANEOUS_FAT
    tissue[limb < rng.uniform(0.78, 0.9)] = Tissue.FAT
    belly = (np.abs(az - 4) > 22 + 8 * ragged) & (limb < 0.8) & (np.abs(noise(_KNEE, (9, 9, 30), rng)) > 0.25)
    tissue[belly] = Tissue.MUSCLE
    gap = (femur < 5) & (tibia < 5)
    tissue[gap] = Tissue.CARTILAGE
    tissue[gap & (np.abs(ax - x) > 22) & (noise(_KNEE, 15, rng) > -0.8)] = Tissue.LIGAMENT
    fluid = (femur < 6) & (np.minimum(tibia, small) > 2) & (noise(_KNEE, 10, rng) > rng.uniform(0.6, 1.6))
    tissue[fluid & (limb < 0.8) & (np.abs(az - 8) < 40)] = Tissue.JOINT_FLUID
    for name, path, radius in (
        (Tissue.LIGAMENT, [[x - 6, 20, 12], [x + 4, -8, -8]], 4.0),
        (Tissue.LIGAMENT, [[x, -36, 0], [x, -28, -40]], 4.0),
        (Tissue.VEIN, [[x + 3, 42, 120], [x, 38, 0], [x + 3, 36, -120]], 4.5),
        (Tissue.ARTERY, [[x - 5, 38, 120], [x - 4, 34, 0], [x - 5, 30, -120]], 3.5),
    ):
        tube = np.full(_KNEE.shape, 99, np.float32)
        paint_tube(tube, _KNEE, np.array(path, float), np.full(len(path), radius))
        tissue[tube < 0] = name
