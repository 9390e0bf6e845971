"""Make `mri_sij/pelvis/pelvis_shapes.npz` from the surfaces of the pelvis atlas of Han et al. 2019 (CC BY 4.0).

usage: python make_shapes.py ATLAS_SURFACE_FOLDER OUT.npz

The folder holds `sacrum/`, `left/` and `right/` with one VTK surface of 5000 corresponding vertices a person. People
are
aligned rigidly (their size is kept), and the principal modes that hold 98 % of the variance are stored in half
precision.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np

MODES = 26


def read_vtk(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 3) and triangles (m, 3) of an ASCII VTK PolyData file."""
    words = path.read_text().split()
    at = words.index("POINTS")
    n = int(words[at + 1])
    points = np.array(words[at + 3 : at + 3 + 3 * n], float).reshape(n, 3)
    at = words.index("POLYGONS")
    m = int(words[at + 1])
    return points, np.array(words[at + 3 : at + 3 + 4 * m], int).reshape(m, 4)[:, 1:]


def rigid(points: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """`points` moved rigidly onto `onto` (least squares, Kabsch 1976)."""
    centred, target = points - points.mean(0), onto - onto.mean(0)
    u, _, v = np.linalg.svd(centred.T @ target)
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ v))]) @ v
    return centred @ turn


def main() -> None:
    """Read, align, decompose, store."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    names = sorted(re.findall(r"Sacrum(\d+)_", " ".join(p.name for p in (folder / "sacrum").glob("*.vtk"))), key=int)
    people, faces = [], []
    for name in names:
        parts = [
            read_vtk(folder / d / f"{b}{name}_cpd.vtk")
            for d, b in (("sacrum", "Sacrum"), ("left", "LeftHip"), ("right", "RightHip"))
        ]
        people.append(np.concatenate([p for p, _ in parts]))
        faces = [f for _, f in parts]
    mean = people[0] - people[0].mean(0)
    for _ in range(5):
        moved = np.array([rigid(p, mean) for p in people])
        mean = moved.mean(0)
    # Mean and modes are made evenly left-right by adding the mirrored people is not possible: the two hips have meshes
    # of their own. Mirroring is done when a person is drawn.
    _, values, modes = np.linalg.svd((moved - mean).reshape(len(people), -1), full_matrices=False)
    scale = values[:MODES] / np.sqrt(len(people) - 1)
    np.savez_compressed(
        out,
        mean=mean.reshape(3, -1, 3).astype(np.float32),
        modes=(modes[:MODES] * 100).reshape(MODES, 3, -1, 3).astype(np.float16),
        mode_scale=(scale / 100).astype(np.float32),
        **{f"faces_{n}": f.astype(np.uint16) for n, f in enumerate(faces)},
    )


if __name__ == "__main__":
    main()
