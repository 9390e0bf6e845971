"""Lesions of a simulated person: bone-marrow oedema at the joint, and what is mistaken for it.

A lesion is placed by side, bone and a point on the joint, reaches `depth_mm` into the bone and `radius_mm` along the
joint, and is feathered at its border. `ratio` is its brightness on STIR against the normal marrow of the same person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from mri_sij.evidence import Bone, Side
from mri_sij.geometry import Floats
from mri_sij.pelvis.mesh import Field
from mri_sij.phantom.body import Person
from mri_sij.phantom.solid import noise


@dataclass(frozen=True)
class Lesion:
    """Oedema next to a joint. `along` and `across` (0-1) say where on the cartilaginous joint: from its lower to its
    upper end, and from its front to its back. Where it `erodes`, bone and cortex are lost, and what fills the cavity is
    `ratio` times as bright as normal marrow."""

    side: Side
    bone: Bone
    along: float
    across: float
    depth_mm: float
    radius_mm: float
    ratio: float
    erodes: bool = False


def joint_point(person: Person, side: Side, along: float, across: float) -> Floats:
    """A point (x, y, z mm) of the cartilaginous joint surface: quantiles along the sacrum and from front to back."""
    points = joint_surface(person, side)
    up = points @ person.frame.up
    at = np.quantile(up, along)
    row = points[np.abs(up - at) < 5]
    back = row @ person.frame.back
    near = row[np.abs(back - np.quantile(back, across)) < 4]
    return np.asarray(near.mean(0))


def joint_surface(person: Person, side: Side) -> Floats:
    """Points (n, 3) half-way between the cartilage-covered margins of one joint."""
    ilium = person.left if side is Side.LEFT else person.right
    half = person.lattice.shape[0] // 2
    own = np.zeros(person.lattice.shape, bool)
    own[half:] = side is Side.LEFT
    own[:half] = side is Side.RIGHT
    middle = (np.abs(person.sacrum - ilium) < 1.5) & person.cartilaginous & own & (person.sacrum < 6)
    return np.asarray(np.argwhere(middle) * person.lattice.step + np.array(person.lattice.origin))


def oedema_field(person: Person, lesions: tuple[Lesion, ...], rng: np.random.Generator) -> tuple[Field, Field]:
    """Presence (0-1, feathered) and brightness ratio of oedema on the person's lattice; the brighter of overlapping
    lesions counts."""
    presence = np.zeros(person.lattice.shape, np.float32)
    excess = np.zeros(person.lattice.shape, np.float32)
    rough = noise(person.lattice, 7, rng) * 0.6 + noise(person.lattice, 3.5, rng) * 0.3
    for lesion in lesions:
        ilium = person.left if lesion.side is Side.LEFT else person.right
        own, other = (person.sacrum, ilium) if lesion.bone is Bone.SACRUM else (ilium, person.sacrum)
        centre = joint_point(person, lesion.side, lesion.along, lesion.across)
        reach = lesion.radius_mm + lesion.depth_mm + 8
        lo = np.maximum(np.floor(person.lattice.index(centre - reach)).astype(int), 0)
        hi = np.minimum(np.ceil(person.lattice.index(centre + reach)).astype(int), person.lattice.shape)
        box = tuple(slice(a, b) for a, b in zip(lo, hi, strict=True))
        x, y, z = person.lattice.axes()
        away = (x[box[0]] - centre[0]) ** 2 + (y[:, box[1]] - centre[1]) ** 2 + (z[:, :, box[2]] - centre[2]) ** 2
        depth = np.maximum(other[box] - 2.0, 0)
        along = np.sqrt(np.maximum(away - depth**2, 0))
        feather = np.float32(min(2.5, 0.35 * lesion.depth_mm))
        wobble = rough[box] * np.float32(min(2.5, 0.25 * lesion.radius_mm))
        inward = np.clip((lesion.depth_mm - depth + wobble) / feather + 0.5, 0, 1)
        sideways = np.clip((lesion.radius_mm - along + wobble) / feather + 0.5, 0, 1)
        here = inward * sideways * (own[box] < 1)
        presence[box] = np.maximum(presence[box], here)
        excess[box] = np.maximum(excess[box], here * np.float32(lesion.ratio - 1))
    return presence, excess


def draw_lesions(rng: np.random.Generator) -> tuple[Lesion, ...]:
    """Oedema as it is met: none in about a third, else one to eight lesions of all sizes, often on both sides of a
    joint."""
    if rng.random() < 0.28:
        return ()
    found: list[Lesion] = []
    for _ in range(int(rng.choice([1, 2, 3, 4, 6], p=[0.2, 0.25, 0.25, 0.2, 0.1]))):
        side = Side.LEFT if rng.random() < 0.5 else Side.RIGHT
        along, across = rng.random(2)
        ratio = 1 + rng.choice(
            [rng.uniform(0.2, 0.45), rng.uniform(0.4, 1.0), rng.uniform(1.0, 2.4)], p=[0.25, 0.45, 0.3]
        )
        size = rng.choice(
            [rng.uniform(3, 7), rng.uniform(6, 14), rng.uniform(14, 32), rng.uniform(35, 60)], p=[0.33, 0.37, 0.2, 0.1]
        )
        bones = (
            (Bone.ILIUM, Bone.SACRUM)
            if rng.random() < 0.45
            else (Bone.ILIUM,)
            if rng.random() < 0.5
            else (Bone.SACRUM,)
        )
        for bone in bones:
            depth = float(np.clip(size * rng.uniform(0.6, 1.3), 3, 60))
            found.append(
                Lesion(
                    side,
                    bone,
                    float(along),
                    float(across),
                    depth,
                    float(size * rng.uniform(0.9, 1.8)),
                    float(1 + (ratio - 1) * rng.uniform(0.8, 1.2)),
                )
            )
    if rng.random() < 0.3:
        side, ratio, low = Side.LEFT if rng.random() < 0.5 else Side.RIGHT, rng.uniform(1.4, 3.2), rng.uniform(0, 0.5)
        for _ in range(int(rng.integers(4, 10))):
            bone = Bone.ILIUM if rng.random() < 0.6 else Bone.SACRUM
            place = float(np.clip(low + rng.uniform(0, 0.5), 0, 1)), float(rng.random())
            found.append(
                Lesion(
                    side,
                    bone,
                    *place,
                    float(rng.uniform(2.5, 7)),
                    float(rng.uniform(3, 8)),
                    float(ratio * rng.uniform(0.85, 1.2)),
                )
            )
    return tuple(found)


def draw_erosions(rng: np.random.Generator, lesions: tuple[Lesion, ...]) -> tuple[Lesion, ...]:
    """Inflamed erosions of every joint that has oedema, about the places where it is: three to eight, two to five mm
    deep, most of them iliac, filled with what is 1.3 to 2.4 times as bright as marrow (inflammation at the site of
    erosion: ASAS 2019, Maksymowych, Ann Rheum Dis 78:1550; sizes are ours)."""
    found: list[Lesion] = []
    for side in Side:
        places = [one for one in lesions if one.side is side]
        ratio = rng.uniform(1.3, 2.4)
        for _ in range(int(rng.integers(3, 9)) if places else 0):
            near = places[int(rng.integers(len(places)))]
            along, across = np.clip(np.array((near.along, near.across)) + rng.normal(0, 0.15, 2), 0, 1)
            found.append(
                Lesion(
                    side,
                    Bone.ILIUM if rng.random() < 0.6 else Bone.SACRUM,
                    float(along),
                    float(across),
                    float(rng.uniform(2, 5)),
                    float(rng.uniform(2, 6)),
                    float(ratio * rng.uniform(0.9, 1.1)),
                    erodes=True,
                )
            )
    return tuple(found)


def sclerosis_field(person: Person, rng: np.random.Generator) -> Field:
    """Share of signal (0-1) that subchondral sclerosis takes from STIR and T1: bands of uneven depth along the joint,
    in six of ten people."""
    lost = np.zeros(person.lattice.shape, np.float32)
    if rng.random() > 0.4:
        return lost
    ilium = np.minimum(person.left, person.right)
    uneven = noise(person.lattice, rng.uniform(8, 16), rng)
    for own, other in ((person.sacrum, ilium), (ilium, person.sacrum)):
        depth = rng.uniform(1, 10) if rng.random() < 0.8 else 0.0
        here = np.clip((depth * (1 + 0.6 * uneven) - np.maximum(other - 2.0, 0)) / 1.5 + 0.5, 0, 1) * (own < 0)
        lost = np.maximum(lost, here * np.float32(rng.uniform(0.3, 0.85) * (depth > 0)))
    return lost


def decoys(person: Person, rng: np.random.Generator) -> tuple[Field, Field]:
    """What is not oedema of the joint: STIR excess (relative to marrow) and fat excess (for T1) on the person's
    lattice.

    The bright rim under the cartilage (Wittram 1995), end-plate oedema at L5/S1, islands of red marrow, vessels in
    bone, fat metaplasia, sclerosis (as negative excess), small cysts.
    """
    excess = np.zeros(person.lattice.shape, np.float32)
    fat = np.zeros(person.lattice.shape, np.float32)
    ilium = np.minimum(person.left, person.right)
    x, y, z = person.lattice.axes()
    rim = np.zeros(person.lattice.shape, np.float32)
    for own, other in ((person.sacrum, ilium), (ilium, person.sacrum)):
        rim = np.maximum(rim, np.clip(1 - np.maximum(other - 2.5, 0) / rng.uniform(1.2, 3.0), 0, 1) * (own < 0))
    excess += rim * rng.uniform(-0.1, 0.25)
    if rng.random() < 0.35:
        centre, up = person.frame.endplate + rng.normal(0, 6, 3), person.frame.endplate_normal
        height = np.abs((y - centre[1]) * up[1] + (z - centre[2]) * up[2])
        wide = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2)
        near = np.clip((rng.uniform(10, 20) - height) / 3, 0, 1) * np.clip((rng.uniform(8, 22) - wide) / 3, 0, 1)
        excess += near * rng.uniform(0.3, 2.0)
    islands = np.clip(noise(person.lattice, 9, rng) - rng.uniform(1.7, 2.8), 0, 1)
    away = np.clip((np.minimum(np.maximum(person.sacrum, ilium), 20) - 7) / 5, 0, 1)
    excess += islands * away * rng.uniform(0.1, 0.5)
    if rng.random() < 0.4:
        patch = np.clip((noise(person.lattice, 10, rng) - rng.uniform(0.6, 1.8)) * 2, 0, 1) * (
            np.maximum(person.sacrum, ilium) < 18
        )
        fat += patch * rng.uniform(0.1, 0.4)
    if rng.random() < 0.35:
        patch = np.clip((noise(person.lattice, 8, rng) - rng.uniform(0.4, 1.5)) * 2, 0, 1) * (
            np.maximum(person.sacrum, ilium) < rng.uniform(6, 12)
        )
        excess -= patch * rng.uniform(0.3, 0.8)
        fat -= patch * rng.uniform(0.2, 0.6)
    channels = np.clip(1 - np.abs(noise(person.lattice, 9, rng)) / 0.05, 0, 1) * np.clip(
        1 - np.abs(noise(person.lattice, 14, rng)) / 0.10, 0, 1
    )
    excess += ndi.gaussian_filter(channels, 0.4) * rng.uniform(0.2, 1.6) * away
    return excess, fat
