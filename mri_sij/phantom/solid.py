"""Solids on a voxel lattice: the primitives that complete the anatomy.

Signed distances are in mm, negative inside. Arrays are indexed (x, y, z) on a `Lattice` in the pelvic frame (LPS mm).
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from mri_sij.geometry import Floats
from mri_sij.pelvis.mesh import Field, Lattice


def ellipsoid(axes: tuple[Field, Field, Field], centre: Floats, radii: Floats) -> Field:
    """About the signed distance to an ellipsoid along the lattice's axes, of `radii` (3,)."""
    x, y, z = (((a - np.float32(c)) / np.float32(r)) ** 2 for a, c, r in zip(axes, centre, radii, strict=True))
    return np.asarray((np.sqrt(x + y + z) - 1) * np.float32(min(radii)), np.float32)


def paint_tube(field: Field, lattice: Lattice, path: Floats, radii: Floats) -> None:
    """Lower `field` to the signed distance to a tube through `path` (n, 3) of `radii` (n,), near the tube only."""
    for a, b, ra, rb in zip(path[:-1], path[1:], radii[:-1], radii[1:], strict=True):
        reach = max(ra, rb) + 3.0
        lo = np.maximum(np.floor(lattice.index(np.minimum(a, b) - reach)).astype(int), 0)
        hi = np.minimum(np.ceil(lattice.index(np.maximum(a, b) + reach)).astype(int) + 1, lattice.shape)
        if (hi <= lo).any():
            continue
        box = tuple(slice(p, q) for p, q in zip(lo, hi, strict=True))
        grid = np.meshgrid(*(np.arange(p, q) for p, q in zip(lo, hi, strict=True)), indexing="ij")
        point = np.stack(grid, -1) * lattice.step + np.array(lattice.origin)
        along = b - a
        t = np.clip(((point - a) @ along) / max(float(along @ along), 1e-6), 0, 1)
        distance = np.linalg.norm(point - a - t[..., None] * along, axis=-1) - (ra + t * (rb - ra))
        field[box] = np.minimum(field[box], distance.astype(np.float32))


def noise(lattice: Lattice, scale_mm: float | tuple[float, float, float], rng: np.random.Generator) -> Field:
    """A smooth random field of standard deviation 1 with structures of about `scale_mm` (along x, y, z)."""
    scales = np.broadcast_to(np.asarray(scale_mm, float), 3)
    coarse = [max(4, int(np.ceil(n * lattice.step / s)) + 3) for n, s in zip(lattice.shape, scales, strict=True)]
    seeds = rng.standard_normal(coarse).astype(np.float32)
    seeds = ndi.gaussian_filter(seeds, 0.6)
    seeds /= seeds.std()
    for axis, (n, s) in enumerate(zip(lattice.shape, scales, strict=True)):
        at = np.arange(n) * lattice.step / s + rng.random()
        below = np.minimum(at.astype(int), coarse[axis] - 2)
        part = np.minimum(at - below, 1).astype(np.float32)
        part = part * part * (3 - 2 * part)
        shape = [1, 1, 1]
        shape[axis] = n
        part = part.reshape(shape)
        seeds = np.take(seeds, below, axis) * (1 - part) + np.take(seeds, below + 1, axis) * part
    return np.asarray(seeds, np.float32)
