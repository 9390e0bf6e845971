"""A simulated person: bones as signed distances, soft tissue as labels, marrow as fields, on one lattice in the
pelvic frame.

The pelvis comes from the shape model; the rest of the sacrum, lumbar vertebrae, discs, canal, nerves, vessels,
muscles, fat and bowel are added by rule around it, with anatomy drawn anew for each person. Sizes follow the
morphometry of the lumbosacral region (sacral breadth about 10 cm, foramina 6-14 mm, joint gap 1-5 mm; Rosatelli 2006,
Vleeming 2012).
"""

# ruff: noqa: RUF005 - positions are arrays: + adds vectors, it does not join tuples

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.geometry import Floats
from mri_sij.pelvis.mesh import Field, Lattice, fill_mesh, signed_distance
from mri_sij.phantom.shape import Pelvis, draw_pelvis
from mri_sij.phantom.solid import ellipsoid, noise, paint_tube
from mri_sij.phantom.tissue import Tissue

LATTICE = Lattice((-153.0, -102.0, -90.0), 1.5, (205, 156, 144))
_CARTILAGE_REACH_MM, _RECESS_FROM_MM = 5.5, 7.0
"""Bones of the shape model no further apart than the one are covered by cartilage, and closed to a joint's width; from
the other they stand as they are, as in the ligamentous recess."""
_RECESS_MM, _RECESS_STEP_MM = 6.0, 10.0
"""Behind and above the middle of where the bones face each other by the second or more, bones count as further apart by
the first, however near they are: the recess. The auricular surface is then some 18 cm2; by gap alone it would be 28. It
is 10-11 cm2 on dry bones (Orthopedics 2003;26:711), limbs of 4.4 and 5.6 by 2 cm on cadavers (J Orthop Trauma
1993;7:510)."""


@dataclass(frozen=True, eq=False)
class Person:
    """Fields on `lattice`, all in mm where they are distances (negative inside).

    `sacrum`, `left`, `right` (ilia) and `lumbar` are signed distances; `tissue` holds a `Tissue` a voxel for all that
    is not bone; `fattiness` and `grain` are marrow fields of mean about 0; `disc` marks disc remnants in the
    sacrum (0-1); `fibre` modulates muscle. `cartilaginous` is where the joint is covered by cartilage. Without
    `mimics` nothing but oedema alters the marrow when the person is scanned.
    """

    lattice: Lattice
    sacrum: Field
    left: Field
    right: Field
    lumbar: Field
    cartilaginous: NDArray[np.bool_]
    tissue: NDArray[np.uint8]
    fattiness: Field
    grain: Field
    disc: Field
    fibre: Field
    frame: Frame
    mimics: bool = True


@dataclass(frozen=True, eq=False)
class Frame:
    """Axes and points of the sacrum: `up` along it, `back` across it in the sagittal plane, points in pelvic mm."""

    up: Floats
    back: Floats
    endplate: Floats
    endplate_normal: Floats
    endplate_depth_mm: float
    s3: Floats
    canal: Floats
    spine_tip: Floats
    promontory: Floats


def draw_person(rng: np.random.Generator) -> Person:
    """A new person of anatomy drawn from `rng`."""
    pelvis = draw_pelvis(rng)
    centre = np.mean([pelvis.landmarks[n] for n in ("promontory", "endplate_back", "s3_front", "s3_back")], 0)
    moved = Pelvis(
        pelvis.vertices - centre + (0.0, 18.0, 22.0),
        pelvis.faces,
        {n: p - centre + (0.0, 18.0, 22.0) for n, p in pelvis.landmarks.items()},
    )
    frame = _frame(moved)
    bones = [
        signed_distance(fill_mesh(v, f, LATTICE), LATTICE.step)
        for v, f in zip(moved.vertices, moved.faces, strict=True)
    ]
    _lower_sacrum(bones[0], frame, moved, rng)
    sacrum, left, right, cartilaginous = _joints(bones, rng)
    lumbar = _lumbar(frame, rng)
    lumbar = np.maximum(lumbar, 1.2 - sacrum)
    tissue = _soft_tissue((sacrum, np.minimum(left, right), lumbar), cartilaginous, frame, rng)
    return Person(
        LATTICE, sacrum, left, right, lumbar, cartilaginous, tissue, *_marrow(sacrum, frame, rng), _fibre(rng), frame
    )


def _frame(pelvis: Pelvis) -> Frame:
    mark = {name: point * (0, 1, 1) for name, point in pelvis.landmarks.items()}
    endplate, s3 = (mark["promontory"] + mark["endplate_back"]) / 2, (mark["s3_front"] + mark["s3_back"]) / 2
    up = (endplate - s3) / np.linalg.norm(endplate - s3)
    along = mark["endplate_back"] - mark["promontory"]
    depth = float(np.linalg.norm(along))
    along = along / depth
    normal = np.array([0.0, -along[2], along[1]])
    back = np.array([0.0, up[2], -up[1]])
    canal = 0.5 * (mark["endplate_back"] + mark["canal_top"])
    return Frame(up, back, endplate, normal, depth, s3, canal, mark["spine_tip"], mark["promontory"])


def _lower_sacrum(sacrum: Field, frame: Frame, pelvis: Pelvis, rng: np.random.Generator) -> None:
    """Add S4, S5 and the coccyx on a curved axis below the S3 of the shape model, with their foramina."""
    vertices = pelvis.vertices[0]
    low = vertices[(vertices - frame.s3) @ frame.up < 4]
    width = float(np.clip(np.percentile(np.abs(low[:, 0]), 90), 22, 38))
    length, turn = rng.uniform(55, 80), rng.uniform(0.012, 0.026)
    point, angle, path = frame.s3 + 8 * frame.up, 0.0, []
    for travelled in np.arange(0, length, 3.0):
        path.append((point, travelled / length, angle))
        angle += turn * 3
        point = point + 3 * (-np.cos(angle) * frame.up - np.sin(angle) * frame.back)
    for point, part, _ in path:
        half = width * np.interp(part, (0, 0.25, 0.5, 0.65, 1), (0.95, 0.85, 0.5, 0.32, 0.12))
        thick = np.interp(part, (0, 0.4, 0.65, 1), (8.0, 6.0, 4.5, 3.0))
        reach = max(half - thick, 0.5)
        paint_tube(sacrum, LATTICE, np.array([point - (reach, 0, 0), point + (reach, 0, 0)]), np.full(2, thick))
    hole = np.full_like(sacrum, 99)
    for point, part, angle in (path[3], path[8]):
        if part < 0.55:
            across = np.cos(angle) * frame.back - np.sin(angle) * frame.up
            for x in (-1, 1):
                aside = np.array([x * width * 0.45, 0, 0])
                paint_tube(
                    hole,
                    LATTICE,
                    np.array([point + aside - 12 * across, point + aside + 12 * across]),
                    np.full(2, rng.uniform(2, 3.5)),
                )
    np.maximum(sacrum, -hole, out=sacrum)


def _joints(bones: list[Field], rng: np.random.Generator) -> tuple[Field, Field, Field, NDArray[np.bool_]]:
    """Open or close both joints to a width drawn anew, and say where they are cartilaginous."""
    fused = rng.random() < 0.03
    sacrum, ilia, cartilaginous = bones[0], [], np.zeros(LATTICE.shape, bool)
    width = rng.uniform(1.2, 3.4)
    rough = rng.uniform(0.1, 0.25) if rng.random() < 0.6 else rng.uniform(0.3, 0.7)
    wobble = np.maximum(rough * noise(LATTICE, rng.uniform(5, 10), rng), -0.7)
    grown = sacrum
    for ilium in bones[1:]:
        gap = np.float32(0.2 if fused else width * rng.uniform(0.85, 1.15)) * (1 + wobble)
        middle, total = (sacrum - ilium) / 2, sacrum + ilium
        apart = total + _RECESS_MM * _recess(middle, total)
        closed = np.clip((_RECESS_FROM_MM - apart) / (_RECESS_FROM_MM - _CARTILAGE_REACH_MM), 0, 1)
        spread = np.clip((total - gap) / 2, 0, 2.0) * closed * (np.abs(middle) < 8)
        own = np.maximum(sacrum - spread, middle + gap / 2)
        grown = np.where(
            middle > -25, np.where(spread > 0, np.minimum(grown, own), np.maximum(grown, middle + gap / 2)), grown
        )
        ilia.append(np.maximum(ilium - spread, gap / 2 - middle).astype(np.float32))
        cartilaginous |= (ndi.gaussian_filter(apart, 1.5) < _CARTILAGE_REACH_MM) & (np.abs(middle) < 12)
    return grown.astype(np.float32), ilia[0], ilia[1], cartilaginous


def _recess(middle: NDArray[np.floating], total: NDArray[np.floating]) -> Field:
    """0 up to the middle of where the bones face each other, rising to 1 behind and above it."""
    _, y, z = LATTICE.axes()
    facing = np.nonzero((np.abs(middle) < 1.5) & (total < 14))
    away_mm = (y - np.median(y.ravel()[facing[1]]) + z - np.median(z.ravel()[facing[2]])) / np.sqrt(2)
    return np.asarray(np.clip(away_mm / _RECESS_STEP_MM, 0, 1), np.float32)


def _lumbar(frame: Frame, rng: np.random.Generator) -> Field:
    """L5 and L4 with bodies, arches, facets, transverse and spinous processes."""
    field = np.full(LATTICE.shape, 60, np.float32)
    disc, height = rng.uniform(7, 12), rng.uniform(24, 30)
    up, base = frame.endplate_normal, frame.endplate
    for level in range(3):
        back = np.array([0.0, up[2], -up[1]])
        centre = base + up * (disc + height / 2)
        _vertebra(
            field,
            centre,
            (up, back),
            (rng.uniform(22, 27), frame.endplate_depth_mm / 2 * rng.uniform(0.98, 1.1), height / 2),
            rng,
            l5=level == 0,
        )
        base = centre + up * height / 2
        up = up + (0, 0.12, 0.35)
        up = up / np.linalg.norm(up)
    return field


def _vertebra(
    field: Field,
    centre: Floats,
    axes: tuple[Floats, Floats],
    size: tuple[float, float, float],
    rng: np.random.Generator,
    *,
    l5: bool,
) -> None:
    up, back = axes
    half_width, half_depth, half_height = size
    lo = np.maximum(np.floor(LATTICE.index(centre - (62, 50, 40))).astype(int), 0)
    hi = np.minimum(np.ceil(LATTICE.index(centre + (62, 75, 40))).astype(int), LATTICE.shape)
    if (hi <= lo).any():
        return
    box = tuple(slice(a, b) for a, b in zip(lo, hi, strict=True))
    grid = np.meshgrid(*(np.arange(a, b) for a, b in zip(lo, hi, strict=True)), indexing="ij")
    p = (np.stack(grid, -1) * LATTICE.step + np.array(LATTICE.origin) - centre).astype(np.float32)
    u, v, w = p[..., 0], p @ back.astype(np.float32), p @ up.astype(np.float32)
    waist = 1 - 0.1 * (1 - np.clip(w / half_height, -1, 1) ** 2)
    round_ = ((np.abs(u) / (half_width * waist)) ** 2.6 + (np.abs(v) / (half_depth * waist)) ** 2.6) ** (1 / 2.6)
    body = np.maximum((round_ - 1) * half_depth, np.abs(w) - half_height)
    canal = half_depth + 8
    ring = np.maximum(np.abs(np.sqrt(0.75 * u**2 + (v - canal) ** 2) - 12) - 3.4, np.abs(w - 2) - 8)
    ring = np.maximum(ring, half_depth - 4 - v)
    spine = np.maximum(np.maximum(np.abs(u) - 3.0, np.abs(v - canal - 22) - 11), np.abs(w + 6) - 8)
    solid = np.minimum(np.minimum(body, ring), spine)
    for side in (-1, 1):
        for at, radius in (((17, canal + 5, -15), 8.0), ((16, canal + 4, 14), 7.0)):
            solid = np.minimum(solid, np.sqrt((u - side * at[0]) ** 2 + (v - at[1]) ** 2 + (w - at[2]) ** 2) - radius)
        reach, thick = (rng.uniform(34, 46), 7.0) if l5 else (rng.uniform(36, 46), 4.5)
        t = np.clip((side * u - 14) / (reach - 14), 0, 1)
        process = np.sqrt(
            (side * u - 14 - t * (reach - 14)) ** 2 + (v - half_depth - 2 - 5 * t) ** 2 + (w - 3 - 5 * t) ** 2
        )
        solid = np.minimum(solid, process - thick * (1 - 0.35 * t))
    field[box] = np.minimum(field[box], solid)


def _soft_tissue(
    bones: tuple[Field, Field, Field], cartilaginous: NDArray[np.bool_], frame: Frame, rng: np.random.Generator
) -> NDArray[np.uint8]:
    _, y, z = LATTICE.axes()
    sacrum, ilium, lumbar = bones
    bone = np.minimum(np.minimum(sacrum, ilium), lumbar)
    muscle = _muscles(sacrum, ilium, bone, frame, rng)
    tissue = np.full(LATTICE.shape, Tissue.FAT, np.uint8)
    viscera = (muscle == 0) & (bone > 3) & (y < np.minimum(_ventral_surface(sacrum, lumbar), frame.s3[1] + 12) - 4)
    viscera &= z - frame.s3[2] > 0.9 * (y - frame.s3[1]) - 75
    _bowel(tissue, viscera, frame, rng)
    tissue[muscle > 0] = Tissue.MUSCLE
    # Fat between muscle groups, and septa inside them where fat infiltration is high.
    border = np.zeros(LATTICE.shape, bool)
    for axis in range(3):
        border |= np.roll(muscle, 1, axis) != muscle
    seams = noise(LATTICE, 25, rng)
    tissue[border & (muscle > 0) & (seams > rng.uniform(-1.2, 0.3))] = Tissue.FAT
    septa = np.abs(noise(LATTICE, (6, 9, 22), rng)) < np.where(
        muscle == 4, rng.uniform(0.05, 0.35), rng.uniform(0.0, 0.05)
    )
    tissue[septa & (muscle > 0)] = Tissue.FAT
    retro = (sacrum + ilium < 34) & (sacrum < 25) & (ilium < 25) & (y > frame.endplate[1] - 8)
    speckle = noise(LATTICE, 5, rng)
    tissue[retro] = np.where(
        speckle > rng.uniform(-0.4, 0.5),
        Tissue.FAT,
        np.where(speckle < rng.uniform(-1.4, -0.4), Tissue.MUSCLE, Tissue.LIGAMENT),
    )[retro]
    _canal_and_nerves(tissue, bone, frame, rng)
    _vessels(tissue, bone, frame, rng)
    _discs(tissue, frame, lumbar, rng)
    near = (sacrum < 3.5) & (ilium < 3.5) & cartilaginous
    fluid = noise(LATTICE, 8, rng) > rng.uniform(1.0, 3.0)
    tissue[near] = np.where(fluid[near], Tissue.JOINT_FLUID, Tissue.CARTILAGE)
    _skin(tissue, muscle, bone, frame, rng)
    return tissue


def _ventral_surface(sacrum: Field, lumbar: Field) -> Field:
    """y of the front of spine and sacrum in the midline for each z, smoothed, shape (1, 1, nz)."""
    middle = slice(LATTICE.shape[0] // 2 - 6, LATTICE.shape[0] // 2 + 7)
    solid = (np.minimum(sacrum, lumbar)[middle] < 0).any(0)
    first = np.where(solid.any(0), solid.argmax(0), -1).astype(float)
    known = np.flatnonzero(first >= 0)
    front = np.interp(np.arange(len(first)), known, first[known])
    front = ndi.gaussian_filter1d(front, 3) * LATTICE.step + LATTICE.origin[1]
    return np.asarray(front, np.float32)[None, None, :]


def _muscles(sacrum: Field, ilium: Field, bone: Field, frame: Frame, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Groups: 1 gluteal, 2 iliacus and inner wall, 3 psoas, 4 multifidus and erector, 5 piriformis, 6 gluteus
    maximus."""
    x, y, z = LATTICE.axes()
    side = np.sign(x)
    gx, gy, gz = np.gradient(ilium, LATTICE.step)
    outward = gx * side * 0.8 + gy * 0.6
    vary = noise(LATTICE, 45, rng)
    muscle = np.zeros(LATTICE.shape, np.uint8)
    crest = frame.promontory[2] + rng.uniform(15, 45)
    taper = np.clip((crest + 35 - z) / 35, 0.15, 1)
    muscle[(outward > 0.1) & (ilium < rng.uniform(26, 42) * taper * (1 + 0.15 * vary))] = 1
    inner = np.where(z > frame.promontory[2] - 35, rng.uniform(16, 34), rng.uniform(7, 15)) * (1 + 0.2 * vary)
    muscle[(outward < -0.1) & (ilium < inner) & (sacrum > 14) & (gz < 0.75)] = 2
    rear = y - np.interp(
        z,
        (frame.s3[2] - 40, frame.spine_tip[2], frame.endplate[2] + 60),
        (frame.s3[1] + 8, frame.spine_tip[1], frame.spine_tip[1] - rng.uniform(0, 12)),
    ).astype(np.float32)
    behind = (y > frame.endplate[1] + (frame.endplate[2] - z) * (-frame.up[1] / frame.up[2]) * 0.75 + 6) & (
        rear < 4 + 3 * vary - 0.10 * np.abs(x)
    )
    muscle[behind & (np.abs(x) + 5 * vary < rng.uniform(48, 66)) & (z > frame.s3[2] - 15)] = 4
    lower = np.minimum(sacrum, ilium)
    maximus = (
        (gy > -0.2)
        & (np.abs(x) > rng.uniform(1, 8) + 3 * vary + 0.25 * np.maximum(z - frame.s3[2] + 20, 0))
        & (lower < rng.uniform(22, 38))
        & (y > frame.s3[1] - 25 + np.abs(x) * 0.2)
        & (z < frame.s3[2] + 28)
        & (muscle == 0)
    )
    muscle[maximus & (y > frame.s3[1] + (frame.s3[2] - z) * 0.3 + 4 - np.abs(x) * 0.15)] = 6
    tube = np.full(LATTICE.shape, 99, np.float32)
    size = rng.uniform(0.8, 1.25)
    for s in (-1, 1):
        top, prom = frame.endplate + 75 * frame.endplate_normal, frame.promontory
        path = np.array(
            [
                top + (s * 36, 4, 10),
                prom + (s * 42, 6, 40),
                prom + (s * 50, -4, 8),
                prom + (s * 66, -38, -26),
                prom + (s * 80, -70, -62),
            ]
        )
        paint_tube(tube, LATTICE, path, size * np.array([15, 20, 20, 17, 15.0]))
    muscle[(tube < 0) & (bone > 1.5)] = 3
    tube[:] = 99
    for s in (-1, 1):
        for lift, radius in ((10, 7.0), (-4, 9.0)):
            root = frame.s3 + lift * frame.up - 8 * frame.back
            path = np.array([root + (s * 20, 0, 0), root + (s * 48, -6, -12), root + (s * 105, -4, -34)])
            paint_tube(tube, LATTICE, path, np.array([radius * 0.6, radius * 1.2, radius]) * size)
    muscle[(tube < 0) & (bone > 1.5)] = 5
    return muscle


def _bowel(tissue: NDArray[np.uint8], room: NDArray[np.bool_], frame: Frame, rng: np.random.Generator) -> None:
    x, y, z = LATTICE.axes()
    septa = np.abs(noise(LATTICE, 14, rng)) < 0.06
    tissue[septa & room] = rng.choice([Tissue.LIGAMENT, Tissue.VEIN, Tissue.MUSCLE])
    bulk = noise(LATTICE, 22, rng)
    tissue[room & (bulk > rng.uniform(0.2, 1.5))] = Tissue.BOWEL
    fill = noise(LATTICE, 9, rng)
    for _ in range(int(rng.integers(10, 30))):
        start = np.array([rng.uniform(-80, 80), rng.uniform(-95, 30), rng.uniform(-70, 110)])
        path = start + np.cumsum(rng.normal(0, 12, (int(rng.integers(2, 7)), 3)), 0)
        _loop(tissue, room, path, rng.uniform(7, 17), fill, rng)
    lower = frame.s3 - 16 * frame.back
    rectum = np.array(
        [
            lower + 45 * frame.up - 6 * frame.back,
            lower + 12 * frame.up,
            lower - 25 * frame.up - 6 * frame.back,
            lower - 60 * frame.up - 20 * frame.back,
        ]
    )
    _loop(tissue, room, rectum + rng.normal(0, 4, 3), rng.uniform(7, 19), fill, rng)
    if rng.random() < 0.5:
        centre = lower + (rng.normal(0, 8), -rng.uniform(22, 40), rng.uniform(-30, 10))
        organ = ellipsoid((x, y, z), centre, rng.uniform((18, 14, 20), (32, 24, 40)))
        tissue[(organ < 0) & room] = Tissue.UTERUS
        tissue[(organ < -rng.uniform(8, 14)) & room] = Tissue.BOWEL
    if rng.random() < 0.6:
        centre = lower + (rng.normal(0, 8), -rng.uniform(50, 75), rng.uniform(-45, -10))
        tissue[(ellipsoid((x, y, z), centre, rng.uniform((20, 14, 14), (45, 35, 35))) < 0) & room] = Tissue.URINE


def _loop(
    tissue: NDArray[np.uint8],
    room: NDArray[np.bool_],
    path: Floats,
    radius: float,
    fill: Field,
    rng: np.random.Generator,
) -> None:
    tube = np.full(LATTICE.shape, 99, np.float32)
    paint_tube(tube, LATTICE, path, radius * rng.uniform(0.8, 1.2, len(path)))
    wall = rng.uniform(1.5, 3.5)
    tissue[(tube < 0) & room] = Tissue.BOWEL_WALL
    contents = rng.choice(
        [Tissue.GAS, Tissue.BOWEL, Tissue.URINE, Tissue.MUSCLE, Tissue.FAT], 2, p=[0.35, 0.3, 0.1, 0.15, 0.1]
    )
    tissue[(tube < -wall) & room] = np.where(fill > rng.normal(0, 0.7), *contents)[(tube < -wall) & room]


def _canal_and_nerves(tissue: NDArray[np.uint8], bone: Field, frame: Frame, rng: np.random.Generator) -> None:
    free = bone > 0.3
    sac, root = np.full(LATTICE.shape, 99, np.float32), np.full(LATTICE.shape, 99, np.float32)
    end = rng.uniform(0.35, 0.9)
    below = frame.canal + (frame.s3 + 10 * frame.back - frame.canal) * np.array([[0.3], [end]])
    axis = frame.endplate_normal + (0, 0.1, 0.2)
    path = np.array([frame.canal + 95 * axis + (0, 12, 0), frame.canal + 42 * axis, frame.canal + 4 * axis, *below])
    paint_tube(sac, LATTICE, path, rng.uniform(0.85, 1.15) * np.array([8.5, 8.5, 7.0, 5.0, 1.5]))
    tissue[(sac < 3) & free] = Tissue.FAT
    tissue[(sac < 0) & free] = Tissue.CSF
    strands = (np.abs(noise(LATTICE, (4, 4, 30), rng)) < rng.uniform(0.05, 0.3)) & (sac < -1) & free
    tissue[strands] = Tissue.NERVE
    for s in (-1, 1):
        ala = frame.promontory + (s * 40, 2, -2)
        l5 = np.array(
            [
                frame.canal + 25 * axis + (s * 9, 0, 0),
                frame.endplate + 12 * frame.endplate_normal + (s * 30, 4, 0),
                ala + (s * 2, -6, 0),
                ala + (s * 2, 8, -30),
            ]
        )
        paint_tube(root, LATTICE, l5, np.array([2.5, 3.5, 3.0, 3.0]))
        for depth, wide in ((26.0, 21.0), (47.0, 19.0), (66.0, 17.0)):
            hole = frame.endplate - depth * frame.up + (s * wide * rng.uniform(0.9, 1.1), 0, 0)
            start = hole + 14 * frame.up + 12 * frame.back - (s * 10, 0, 0)
            out = hole - 14 * frame.back - 10 * frame.up + (s * 8, 0, 0)
            paint_tube(
                root,
                LATTICE,
                np.array(
                    [
                        start,
                        hole + 3 * frame.back,
                        hole - 6 * frame.back,
                        out,
                        out - 25 * frame.up - 4 * frame.back + (s * 8, 0, 0),
                    ]
                ),
                np.array([1.5, 2.8, 2.6, 2.4, 2.0]),
            )
    tissue[(root < 0) & free] = Tissue.NERVE
    rim = (root > 0.5) & (root < 2.2) & (noise(LATTICE, 10, rng) > 0.6) & free
    tissue[rim] = Tissue.VEIN


def _vessels(tissue: NDArray[np.uint8], bone: Field, frame: Frame, rng: np.random.Generator) -> None:
    free = bone > 0.8
    prom = frame.promontory
    for kind, offset in ((Tissue.VEIN, 0.0), (Tissue.ARTERY, -9.0)):
        tube = np.full(LATTICE.shape, 99, np.float32)
        for s in (-1, 1):
            split = prom + (s * 30, -12 + offset, 4) + rng.normal(0, 3, 3)
            trunk = np.array([prom + (s * 8, -16 + offset, 45), split])
            outer = np.array([split, prom + (s * 48, -40 + offset, -22), prom + (s * 62, -75, -48)])
            inner = np.array(
                [split, prom + (s * 40, 14 + offset / 2, -24), prom + (s * 42, 34, -46), prom + (s * 55, 50, -66)]
            ) + rng.normal(0, 3, 3)
            for path, radius in ((trunk, 5.5), (outer, 5.0), (inner, 3.5)):
                paint_tube(tube, LATTICE, path, np.full(len(path), radius * rng.uniform(0.7, 1.2)))
        tissue[(tube < 0) & free] = kind if rng.random() < 0.8 else Tissue.ARTERY
    for kind in (Tissue.VEIN, Tissue.NERVE, Tissue.ARTERY):
        tube = np.full(LATTICE.shape, 99, np.float32)
        for _ in range(int(rng.integers(25, 70))):
            start = frame.s3 + rng.normal(0, 1, 3) * (60, 40, 45) + (0, -15, 15)
            turns = np.cumsum(rng.normal(0, 1, (6, 3)) * rng.uniform(2, 7) + rng.normal(0, 3, 3), 0)
            paint_tube(tube, LATTICE, start + turns, np.full(6, rng.uniform(0.5, 1.7)))
        tissue[(tube < 0) & free] = kind


def _discs(tissue: NDArray[np.uint8], frame: Frame, lumbar: Field, rng: np.random.Generator) -> None:
    x, y, z = LATTICE.axes()
    up = frame.endplate_normal.astype(np.float32)
    back = np.array([0.0, up[2], -up[1]], np.float32)
    for height in (0.0, 36.0, 72.0):
        centre = frame.endplate + (height + 4) * frame.endplate_normal
        v = (y - centre[1]) * back[1] + (z - centre[2]) * back[2]
        w = (y - centre[1]) * up[1] + (z - centre[2]) * up[2]
        inside = (x / 25) ** 2 + (v / (frame.endplate_depth_mm / 2 + 1)) ** 2
        disc = (inside < 1) & (np.abs(w) < 9) & (lumbar > 0) & (tissue != Tissue.CSF)
        tissue[disc] = Tissue.LIGAMENT
        tissue[disc & (inside < 0.55)] = Tissue.DISC if rng.random() < 0.7 else Tissue.MUSCLE


def _skin(
    tissue: NDArray[np.uint8], muscle: NDArray[np.uint8], bone: Field, frame: Frame, rng: np.random.Generator
) -> None:
    """Subcutaneous fat behind the last muscle or bone, skin, and air outside."""
    x, y, z = LATTICE.axes()
    body = (muscle > 0) | (bone < 0)
    last = body.shape[1] - 1 - body[:, ::-1].argmax(1)
    last = np.where(body.any(1), last, 0).astype(np.float32) * LATTICE.step + LATTICE.origin[1]
    column = np.abs(x[:, 0]) + 0 * z[:, 0]
    floor = (frame.spine_tip[1] - 8) - (column / 110) ** 2 * 45
    envelope = ndi.gaussian_filter(np.maximum(last, floor), 9)
    envelope = np.maximum(envelope, ndi.gaussian_filter(np.maximum(last, floor), 3) - 1)
    thick = rng.uniform(8, 45) + 6 * np.sin(z[:, 0] / 50 + rng.uniform(0, 6))
    cleft = rng.uniform(10, 25) * np.exp(-((x[:, 0] / 7) ** 2)) * np.clip((frame.s3[2] - z[:, 0]) / 30, 0, 1)
    skin = (envelope + thick - cleft)[:, None, :]
    fat = (y > envelope[:, None, :] + 1) & ((tissue == Tissue.FAT) | (tissue == Tissue.MUSCLE)) & (muscle == 0)
    tissue[fat] = Tissue.SUBCUTANEOUS_FAT
    strand = np.abs(noise(LATTICE, (25, 6, 12), rng)) < 0.03
    tissue[fat & strand] = Tissue.LIGAMENT
    tissue[np.broadcast_to(y > skin - 1.8, tissue.shape)] = Tissue.SKIN
    tissue[np.broadcast_to(y > skin, tissue.shape)] = Tissue.AIR


def _marrow(sacrum: Field, frame: Frame, rng: np.random.Generator) -> tuple[Field, Field, Field]:
    """Fat content of marrow around its mean (fields of both signs), fine grain, and disc remnants of the sacrum."""
    x, y, z = LATTICE.axes()
    patchy = rng.uniform(0.02, 0.13) * noise(LATTICE, 22, rng) + rng.uniform(0.01, 0.09) * noise(LATTICE, 8, rng)
    grain = rng.uniform(0.02, 0.07) * noise(LATTICE, 3.0, rng) + rng.uniform(0.02, 0.05) * noise(LATTICE, 5, rng)
    # Marrow of patients is as uneven as their muscle: about 5 % of its signal in each octave from 1 to 15 mm (measured
    # on the STIR of four patients). Much of the finest is lost again when a slice averages it.
    rest = rng.spawn(1)[0]
    for scale_mm, least, most in ((1.8, 0.05, 0.16), (3.5, 0.03, 0.1), (7, 0.0, 0.06)):
        grain += rest.uniform(least, most) * noise(LATTICE, scale_mm, rest)
    fattiness = (
        patchy
        + rng.uniform(-0.02, 0.15) * np.clip((np.abs(x) - 22) / 20, 0, 1) * (sacrum < 2)
        + rng.uniform(-0.08, 0.12) * (sacrum > 2)
    )
    disc = np.zeros(LATTICE.shape, np.float32)
    for depth in (rng.uniform(27, 32), rng.uniform(48, 54), rng.uniform(66, 74)):
        centre = frame.endplate - depth * frame.up
        w = (y - centre[1]) * frame.up[1] + (z - centre[2]) * frame.up[2]
        v = (y - centre[1]) * frame.back[1] + (z - centre[2]) * frame.back[2]
        inside = np.clip(2.2 - 2 * np.sqrt((x / rng.uniform(12, 19)) ** 2 + (v / 11) ** 2), 0, 1)
        disc = np.maximum(disc, inside * np.clip(rng.uniform(1.0, 2.0) - np.abs(w), 0, 1) * rng.uniform(0.2, 1))
    return fattiness.astype(np.float32), grain.astype(np.float32), disc.astype(np.float32)


def _fibre(rng: np.random.Generator) -> Field:
    """Texture of muscle: streaks and patches, about 1 on average."""
    fibre = np.float32(1) + rng.uniform(0.03, 0.14) * noise(LATTICE, 4, rng)
    for scale in ((5, 7, 20), (3.2, 4, 26), (14, 4, 9)):
        streak = np.abs(noise(LATTICE, scale, rng))
        fibre += np.clip(1 - streak / rng.uniform(0.05, 0.2), 0, 1) * rng.uniform(0.0, 0.9)
    return np.asarray(fibre / fibre.mean(), np.float32)
