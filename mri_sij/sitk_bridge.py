"""The one bridge to SimpleITK: RAS+ grids of ours to LPS images of theirs and back.

SimpleITK runs on one thread here: with two, registration does not repeat bit for bit.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from mri_sij.errors import GeometryError
from mri_sij.geometry import LPS_TO_RAS, Grid
from mri_sij.volume import LabelMap, Volume

SHEAR_TOLERANCE_MM = 0.05
"""SimpleITK holds no shear. A grid whose axes are off square by the rounding of its header is squared when that moves
no corner further than this, a tenth of the finest pixel of the field; beyond, the grid is refused."""

sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


def square_directions(grid: Grid) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The orthonormal directions (3x3, RAS) nearest to the grid's; GeometryError where a corner moves too far."""
    u, _, v = np.linalg.svd(grid.directions)
    square = u @ v
    moved = (square - grid.directions) @ np.diag(np.array(grid.spacing_mm) * (np.array(grid.shape) - 1))
    shift = float(np.linalg.norm(moved, axis=0).max())
    if shift > SHEAR_TOLERANCE_MM:
        raise GeometryError(
            f"The volume's axes are not at right angles: a corner is {shift:.2f} mm off, at most {SHEAR_TOLERANCE_MM} "
            "can be held.",
            hint="Resample it onto a grid of right angles first.",
        )
    return np.asarray(square)


def to_sitk(volume: Volume | LabelMap) -> sitk.Image:
    """The volume as a SimpleITK image (LPS), voxel for voxel; its index (i, j, k) is ours."""
    lps = LPS_TO_RAS[:3, :3]
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.data.transpose(2, 1, 0)))
    image.SetSpacing(volume.grid.spacing_mm)
    image.SetOrigin((lps @ volume.grid.affine[:3, 3]).tolist())
    image.SetDirection((lps @ square_directions(volume.grid)).ravel().tolist())
    return image


def from_sitk(image: sitk.Image) -> Volume:
    """A three-dimensional SimpleITK image of one component as a Volume; GeometryError for any other."""
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise GeometryError(
            f"The image has {image.GetDimension()} dimensions and {image.GetNumberOfComponentsPerPixel()} values a "
            "voxel, expected 3 and 1."
        )
    directions = np.array(image.GetDirection()).reshape(3, 3)
    affine = np.eye(4)
    affine[:3, :3] = directions * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    data = np.ascontiguousarray(sitk.GetArrayFromImage(image).transpose(2, 1, 0))
    shape = (data.shape[0], data.shape[1], data.shape[2])
    return Volume(data, Grid(shape, LPS_TO_RAS @ affine))
