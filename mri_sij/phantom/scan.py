"""Scan a simulated person: slices in any position, signal by physics, and the faults of real scanners.

`acquire` gives STIR and T1 on one grid with the truth that belongs to them. Arrays are in the reading frame of
`Grid.reading_order` (axis 0 to the patient's left, axis 1 up the image, axis 2 backwards through the slices).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.geometry import LPS_TO_RAS, Floats, Grid
from mri_sij.pelvis.mesh import Field
from mri_sij.phantom.body import Person
from mri_sij.phantom.lesion import Lesion, decoys, oedema_field, sclerosis_field
from mri_sij.phantom.solid import noise
from mri_sij.phantom.tissue import Sequence, Tissue, signal_table
from mri_sij.volume import LabelMap, Volume

SACRUM, LEFT_ILIUM, RIGHT_ILIUM, LUMBAR = range(1, 5)
_NAMES = {SACRUM: "sacrum", LEFT_ILIUM: "left ilium", RIGHT_ILIUM: "right ilium", LUMBAR: "lumbar vertebra"}
_SUBSLICES = 3


@dataclass(frozen=True)
class Position:
    """Where the slices lie. `tilt_deg` is the angle of the slices from coronal (top of the image forwards),
    `turn_deg` and `roll_deg` their angles about the other axes; `shift_mm` moves the middle of the stack (left, up,
    back)."""

    tilt_deg: float
    turn_deg: float = 0.0
    roll_deg: float = 0.0
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Matrix:
    """Sampling: voxels in the plane, slices, their spacing and thickness."""

    size: tuple[int, int]
    in_plane_mm: float
    slices: int
    spacing_mm: float
    thickness_mm: float


@dataclass(frozen=True)
class Scanner:
    """Sequences and faults. `snr` is that of normal marrow; `coil_mm` the distance over which the posterior coil
    falls to 1/e; `fat_fault` (0-1) how uneven fat suppression is; without `physics` every tissue's signal is drawn
    half-way freely."""

    stir: Sequence
    t1: Sequence
    snr: float
    coil_mm: float
    coil_gain: float
    fat_fault: float
    blur_mm: float
    physics: bool = True


@dataclass(frozen=True, eq=False)
class SimulatedVisit:
    """Images and truth on one grid in the reading frame.

    `labels`: 1 sacrum, 2 left ilium, 3 right ilium, 4 lumbar vertebra. `oedema` is where at least half of a voxel is
    oedema that makes marrow brighter, `faint` where some is but less than that; `lesion_ratio` is how bright it makes
    it (1: not at all). `fluid` marks CSF, vessels and joint fluid, `joint_mm` the signed distance from the joint's
    midline (sacral side negative), `cartilaginous` the part covered by cartilage.
    """

    stir: Volume
    t1: Volume
    labels: LabelMap
    oedema: NDArray[np.bool_]
    faint: NDArray[np.bool_]
    fluid: NDArray[np.bool_]
    joint_mm: Field
    cartilaginous: NDArray[np.bool_]
    lesion_ratio: Field


def grid_of(person: Person, position: Position, matrix: Matrix) -> Grid:
    """The slices' grid in RAS mm: centred between the two joints, then moved and turned by `position`."""
    tilt, turn, roll = np.deg2rad((position.tilt_deg, position.turn_deg, position.roll_deg))
    across, up = np.array([1.0, 0, 0]), np.array([0, -np.sin(tilt), np.cos(tilt)])
    across = np.cos(turn) * across + np.sin(turn) * np.cross(up, across)
    through = np.cross(up, across)
    across, up = np.cos(roll) * across + np.sin(roll) * up, np.cos(roll) * up - np.sin(roll) * across
    axes = np.stack([across, up, through], 1)
    frame = person.frame
    centre = (frame.endplate + frame.s3) / 2 + 8 * frame.up + 3 * frame.back + axes @ np.array(position.shift_mm)
    steps = np.array([matrix.in_plane_mm, matrix.in_plane_mm, matrix.spacing_mm])
    shape = (*matrix.size, matrix.slices)
    affine = np.eye(4)
    affine[:3, :3] = axes * steps
    affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, LPS_TO_RAS @ affine)


def acquire(
    person: Person,
    lesions: tuple[Lesion, ...],
    scanner: Scanner,
    grid: Grid,
    rng: np.random.Generator,
    *,
    thickness_mm: float,
) -> SimulatedVisit:
    """Simulate STIR and T1 of `person` with `lesions` on `grid` (in the reading frame)."""
    presence, excess = oedema_field(person, tuple(one for one in lesions if not one.erodes), rng)
    if person.mimics:
        more, fat = decoys(person, rng)
        hard = sclerosis_field(person, rng)
    else:
        more, fat, hard = np.zeros((3, *person.lattice.shape), np.float32)
    stir_table, t1_table = (_table(s, scanner.physics, rng) for s in (scanner.stir, scanner.t1))
    uneven = np.exp(scanner.fat_fault * noise(person.lattice, 70, rng))
    soft = [_soft_signal(person, stir_table, uneven), _soft_signal(person, t1_table, None)]
    *marrow, seen = _marrow_signal(person, (stir_table, t1_table), (excess, more, fat, hard), rng)
    fluid = np.isin(person.tissue, (Tissue.CSF, Tissue.VEIN, Tissue.JOINT_FLUID, Tissue.URINE)).astype(np.float32)
    ilium = np.minimum(person.left, person.right)
    cortex_mm = np.float32(rng.uniform(0.4, 1.6)) * np.exp(
        np.float32(rng.uniform(0, 0.8)) * noise(person.lattice, 12, rng)
    )
    cortex_mm = cortex_mm * np.where(person.sacrum < ilium, np.float32(rng.uniform(0.3, 1.1)), np.float32(1))
    fields = {
        "s": person.sacrum,
        "i": ilium,
        "l": person.lumbar,
        "soft0": soft[0],
        "soft1": soft[1],
        "m0": marrow[0],
        "m1": marrow[1],
        "p": presence,
        "x": seen,
        "f": fluid,
        "c": cortex_mm,
        "k": person.cartilaginous.astype(np.float32),
    }
    if cavities := tuple(one for one in lesions if one.erodes):
        # Numbers of its own: an eroded joint differs from the same joint by its erosions alone.
        lost, bright = oedema_field(person, cavities, np.random.default_rng(len(cavities)))
        fields |= _eroded(fields, lost, bright, t1_table[Tissue.MUSCLE])
    shades = stir_table[Tissue.CORTEX], t1_table[Tissue.CORTEX]
    mean = _mean_of_layers(person, fields, grid, thickness_mm, shades)
    stir = _degrade(mean["stir"], stir_table[Tissue.MARROW], scanner, grid, rng, person)
    t1 = _degrade(mean["t1"], t1_table[Tissue.MARROW], scanner, grid, rng, person)
    oedema = mean["oedema"] > 0.5
    return SimulatedVisit(
        Volume(stir, grid),
        Volume(t1, grid),
        _labels(mean, grid),
        oedema,
        (mean["oedema"] > 0.1) & ~oedema,
        mean["fluid"] > 0.5,
        mean["joint"],
        mean["cartilage"] > 0.5,
        mean["ratio"] + 1,
    )


def _mean_of_layers(
    person: Person, fields: dict[str, Field], grid: Grid, thickness_mm: float, cortex: tuple[float, float]
) -> dict[str, Field]:
    """What a slice of that thickness shows: the mean of thin layers through the person's `fields`."""
    sums = {
        name: np.zeros(grid.shape, np.float32)
        for name in ("stir", "t1", "sacrum", "ilium", "lumbar", "oedema", "fluid", "joint", "cartilage", "ratio")
    }
    edge = 0.5 * grid.spacing_mm[0] + 0.25
    for part in range(_SUBSLICES):
        offset = ((part + 0.5) / _SUBSLICES - 0.5) * thickness_mm / grid.spacing_mm[2]
        _add_layer(sums, {n: _sample(person, f, grid, offset) for n, f in fields.items()}, edge, cortex)
    return {name: np.asarray(total / _SUBSLICES, np.float32) for name, total in sums.items()}


def _labels(mean: dict[str, Field], grid: Grid) -> LabelMap:
    """The bone that most of each voxel is; its side by the affine's x."""
    side_left = np.asarray(
        grid.world(np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), -1))[..., 0] < 0
    )
    labels = np.zeros(grid.shape, np.uint8)
    labels[mean["lumbar"] > 0.5] = LUMBAR
    labels[mean["sacrum"] > 0.5] = SACRUM
    labels[mean["ilium"] > 0.5] = np.where(side_left, LEFT_ILIUM, RIGHT_ILIUM)[mean["ilium"] > 0.5]
    return LabelMap(labels, grid, _NAMES)


def _table(sequence: Sequence, physics: bool, rng: np.random.Generator) -> Floats:
    """Signal a tissue; half-way to free signals when not by physics, so that a network learns forms rather than one
    contrast."""
    table = signal_table(sequence, rng, 0.08)
    if not physics:
        marrow = table[Tissue.MARROW]
        free = marrow * rng.lognormal(-0.2, 0.7, len(table))
        mix = rng.uniform(0.2, 0.7)
        dark = [
            Tissue.AIR,
            Tissue.CORTEX,
            Tissue.GAS,
            Tissue.OEDEMA,
            Tissue.MARROW,
            Tissue.FATTY_MARROW,
            Tissue.RED_MARROW,
        ]
        kept = table[dark]
        table = table * (1 - mix) + free * mix
        table[dark] = kept
    return np.asarray(table / table[Tissue.MARROW])


def _soft_signal(person: Person, table: Floats, fat_gain: Field | None) -> Field:
    signal = table.astype(np.float32)[person.tissue]
    if fat_gain is not None:
        fat = (person.tissue == Tissue.FAT) | (person.tissue == Tissue.SUBCUTANEOUS_FAT)
        signal[fat] *= fat_gain[fat]
    muscle = person.tissue == Tissue.MUSCLE
    signal[muscle] *= person.fibre[muscle]
    signal *= 1 + 0.6 * person.grain
    return np.asarray(ndi.gaussian_filter(signal, 0.35))


def _marrow_signal(
    person: Person, tables: tuple[Floats, Floats], changes: tuple[Field, Field, Field, Field], rng: np.random.Generator
) -> tuple[Field, Field, Field]:
    """Marrow on STIR and on T1, and by how much oedema makes it brighter on STIR than the same marrow without oedema,
    sclerosis or other loss of signal: what is dark in spite of oedema is none to a reader, nor to SPARCC."""
    stir_table, t1_table = tables
    excess, more, fat, hard = changes
    fatter = person.fattiness + fat
    stir_slope = (stir_table[Tissue.FATTY_MARROW] - stir_table[Tissue.RED_MARROW]) / 0.55
    t1_slope = (t1_table[Tissue.FATTY_MARROW] - t1_table[Tissue.RED_MARROW]) / 0.55
    stir = 1 + np.clip(stir_slope, -1.3, 0.3) * fatter + person.grain * rng.uniform(0.7, 1.5)
    bright = np.maximum(excess, 0) + more
    healthy = stir * (1 + np.maximum(more, 0))
    stir = np.maximum(stir * (1 + np.maximum(more, -0.9)) * (1 - hard) + excess * (1 - 0.4 * hard), 0.05)
    seen = np.clip(stir - healthy, 0, excess)
    stir = stir * (1 - person.disc) + stir_table[Tissue.DISC] * rng.uniform(0.3, 1.0) * person.disc
    t1 = 1 + t1_slope * fatter - person.grain * rng.uniform(0.7, 1.5)
    darkening = rng.uniform(0.15, 0.5)
    t1 = np.maximum(
        t1 * (1 - darkening * np.clip(bright, 0, 1.5) / 1.5) * (1 + np.minimum(more, 0)) * (1 - 0.9 * hard), 0.1
    )
    t1 = t1 * (1 - person.disc) + t1_table[Tissue.DISC] * person.disc
    return stir.astype(np.float32), t1.astype(np.float32), seen.astype(np.float32)


def _eroded(fields: dict[str, Field], lost: Field, bright: Field, t1: float) -> dict[str, Field]:
    """Those of the `fields` that change where bone is `lost` (0-1) with its cortex and the cartilage on it: what fills
    the cavity has an excess `bright` over normal marrow on STIR and is as dark as muscle on T1 (granulation tissue).
    Readers outline it with the oedema beside it, and so does the truth."""
    kept = 1 - lost
    filling = {"0": lost + bright, "1": np.float32(t1) * lost}
    signal = {f"{name}{n}": fields[f"{name}{n}"] * kept + filling[n] for name in ("soft", "m") for n in filling}
    seen = {"p": np.maximum(fields["p"], lost), "x": np.maximum(fields["x"] * kept, bright)}
    return {**signal, **seen, "c": fields["c"] * kept}


def _sample(person: Person, field: Field, grid: Grid, slice_offset: float) -> Field:
    """`field` at the centres of `grid`'s voxels, moved by a part of a slice, linearly interpolated."""
    pelvic = LPS_TO_RAS @ grid.affine
    moved = pelvic.copy()
    moved[:3, 3] += pelvic[:3, 2] * slice_offset
    step = person.lattice.step
    matrix = moved[:3, :3] / step
    start = (moved[:3, 3] - np.array(person.lattice.origin)) / step
    return np.asarray(
        ndi.affine_transform(field, matrix, start, output_shape=grid.shape, order=1, mode="nearest", output=np.float32)
    )


def _add_layer(sums: dict[str, Field], at: dict[str, Field], edge: float, cortex: tuple[float, float]) -> None:
    """Compose one thin layer: marrow inside cortex inside soft tissue, each with soft borders of `edge` mm."""
    bone = np.minimum(np.minimum(at["s"], at["i"]), at["l"])
    inside = np.clip(0.5 - bone / (2 * edge), 0, 1)
    inner = np.clip(0.5 - (bone + np.maximum(at["c"], 0.1)) / (2 * edge), 0, 1)
    for name, n in (("stir", 0), ("t1", 1)):
        sums[name] += at[f"soft{n}"] * (1 - inside) + cortex[n] * (inside - inner) + at[f"m{n}"] * inner
    for name, key in (("sacrum", "s"), ("ilium", "i"), ("lumbar", "l")):
        sums[name] += (at[key] < 0) & (at[key] <= bone + 1e-6)
    sums["oedema"] += np.where(bone < 0, (at["p"] > 0.5) & (at["x"] > 0.12), 0)
    sums["fluid"] += at["f"] * (bone > 0)
    sums["joint"] += np.clip((at["s"] - at["i"]) / 2, -60, 60)
    sums["cartilage"] += at["k"]
    sums["ratio"] += at["x"]


def _degrade(
    image: Field, marrow: float, scanner: Scanner, grid: Grid, rng: np.random.Generator, person: Person
) -> Field:
    """Coil, uneven gain, blur or edge enhancement, ghosts, Rician noise, and the whole numbers that scanners store."""
    image = image * _coil(scanner, grid, person) * _bias(grid.shape, rng)
    blur = scanner.blur_mm / grid.spacing_mm[0]
    image = ndi.gaussian_filter(image, (blur * rng.uniform(0.8, 1.2), blur * rng.uniform(0.8, 1.6), 0))
    if rng.random() < 0.35:
        image = np.maximum(image + rng.uniform(0.3, 1.2) * (image - ndi.gaussian_filter(image, (1.2, 1.2, 0))), 0)
    if rng.random() < 0.3:
        image = image + rng.uniform(0.01, 0.05) * np.roll(
            image, int(rng.integers(20, 70)), axis=int(rng.integers(0, 2))
        )
    sigma = marrow / scanner.snr
    real = image + rng.normal(0, sigma, grid.shape)
    noisy = np.sqrt(real**2 + rng.normal(0, sigma, grid.shape) ** 2)
    return np.asarray(np.round(noisy * 300), np.float32)


def _coil(scanner: Scanner, grid: Grid, person: Person) -> Field:
    """Gain of a surface coil under the back: 1 at the joints, `coil_gain` at the skin, falling with depth."""
    index = np.stack(
        np.meshgrid(*(np.arange(0, n, 1 if a == 2 else 4) for a, n in enumerate(grid.shape)), indexing="ij"), -1
    )
    back = -(grid.world(index)[..., 1])
    depth = person.frame.spine_tip[1] + 10 - back
    gain = 1 + scanner.coil_gain * np.exp(-np.maximum(depth, -20) / scanner.coil_mm)
    full = ndi.zoom(
        gain, [n / m for n, m in zip(grid.shape, gain.shape, strict=True)], order=1, grid_mode=True, mode="nearest"
    )
    return np.asarray(full / np.median(full), np.float32)


def _bias(shape: tuple[int, int, int], rng: np.random.Generator) -> Field:
    coarse = rng.normal(0, rng.uniform(0.02, 0.16), (5, 5, 4))
    full = ndi.zoom(
        ndi.gaussian_filter(coarse, 0.7),
        [n / m for n, m in zip(shape, coarse.shape, strict=True)],
        order=1,
        grid_mode=True,
        mode="nearest",
    )
    return np.asarray(np.exp(full), np.float32)
