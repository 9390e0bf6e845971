"""NRRD and MetaImage: the header is read here and held against the file; SimpleITK then reads the voxels.

Only files that hold their own voxels are read: a header that points to another file is refused, never followed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from mri_sij.errors import RefusedError
from mri_sij.geometry import LPS_TO_RAS, Floats, Grid
from mri_sij.ingest.limits import require_plausible_size
from mri_sij.sitk_bridge import from_sitk
from mri_sij.volume import Volume

_HEADER_BYTES = 65536
_NRRD_BYTES = {
    "char": 1, "signed char": 1, "int8": 1, "int8_t": 1, "uchar": 1, "unsigned char": 1, "uint8": 1, "uint8_t": 1,
    "short": 2, "short int": 2, "signed short": 2, "int16": 2, "int16_t": 2, "ushort": 2, "unsigned short": 2,
    "uint16": 2, "uint16_t": 2, "int": 4, "signed int": 4, "int32": 4, "int32_t": 4, "uint": 4, "unsigned int": 4,
    "uint32": 4, "uint32_t": 4, "float": 4, "double": 8,
}  # fmt: skip
_META_BYTES = {
    "MET_CHAR": 1, "MET_UCHAR": 1, "MET_SHORT": 2, "MET_USHORT": 2, "MET_INT": 4, "MET_UINT": 4, "MET_FLOAT": 4,
    "MET_DOUBLE": 8,
}  # fmt: skip
_TO_RAS = {
    "left-posterior-superior": LPS_TO_RAS, "lps": LPS_TO_RAS, "right-anterior-superior": np.eye(4), "ras": np.eye(4),
    "left-anterior-superior": np.diag([-1.0, 1.0, 1.0, 1.0]), "las": np.diag([-1.0, 1.0, 1.0, 1.0]),
}  # fmt: skip


class ImageFileError(RefusedError):
    """An NRRD or MetaImage file that cannot be read without guessing."""

    code = "image_file"


def read_grid(path: Path, kind: str) -> Grid:
    """The grid that the header declares (`kind` "nrrd" or "metaimage"), after checks of size, place and name."""
    if not _is_unicode(path):
        # SimpleITK ends the process on such a name, in C++, where nothing can be caught.
        raise ImageFileError("The file's name or folder is no UTF-8.", hint="Rename it.")
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    fields = _nrrd_fields(start) if kind == "nrrd" else _meta_fields(start)
    try:
        shape, width, compressed, affine = _nrrd(fields) if kind == "nrrd" else _meta(fields)
    except (KeyError, ValueError, IndexError) as error:
        raise ImageFileError("The header is damaged or lacks its size, type or place.") from error
    if len(shape) != 3:
        raise ImageFileError(f"The file has {len(shape)} axes, expected three.")
    require_plausible_size(shape, width, path.stat().st_size, compressed)
    return Grid(shape, affine)


def read_volume(path: Path, kind: str) -> Volume:
    """The voxels, read with SimpleITK, on the grid of the header; the two must agree."""
    grid = read_grid(path, kind)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO("NrrdImageIO" if kind == "nrrd" else "MetaImageIO")
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise ImageFileError("The voxels end early or are damaged.", hint="Export the file again.") from error
    volume = from_sitk(image)
    if not volume.grid.same_as(grid):
        raise ImageFileError("The header can be read in two ways that place the voxels differently.")
    return Volume(volume.data, grid)


def _is_unicode(path: Path) -> bool:
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _nrrd_fields(start: bytes) -> dict[str, str]:
    head = start.replace(b"\r\n", b"\n").split(b"\n\n")[0].decode("ascii", "replace")
    fields = {}
    for line in head.splitlines()[1:]:
        if ": " in line and not line.startswith("#"):
            name, _, value = line.partition(": ")
            fields[name.strip().lower()] = value.strip()
    if {"data file", "datafile"} & set(fields):
        raise ImageFileError("The header keeps its voxels in another file.", hint="Save the image as one .nrrd file.")
    return fields


def _meta_fields(start: bytes) -> dict[str, str]:
    fields = {}
    for raw in start.splitlines():
        name, _, value = raw.decode("ascii", "replace").partition("=")
        fields[name.strip()] = value.strip()
        if name.strip() == "ElementDataFile":
            break
    if fields.get("ElementDataFile", "").upper() != "LOCAL":
        raise ImageFileError("The header keeps its voxels in another file.", hint="Save the image as one .mha file.")
    return fields


def _vector(text: str) -> list[float]:
    return [float(part) for part in text.strip().strip("()").split(",")]


def _require_mm(units: list[str]) -> None:
    """Refuse lengths that are stated to be other than mm; files that say nothing, or question marks, hold mm."""
    if set(units) - {"mm", "", "?", "???"}:
        raise ImageFileError("The header states its lengths in other units than mm.", hint="Export the file in mm.")


def _nrrd(fields: dict[str, str]) -> tuple[tuple[int, int, int], int, bool, Floats]:
    _require_mm(fields.get("space units", "").replace('"', " ").split())
    shape = tuple(int(n) for n in fields["sizes"].split())
    directions = np.array([_vector(part) for part in fields["space directions"].split(") (")])
    affine = np.eye(4)
    affine[:3, :3] = directions.T
    affine[:3, 3] = _vector(fields["space origin"])
    compressed = fields.get("encoding", "raw").lower() not in ("raw", "txt", "text", "ascii", "hex")
    return shape, _NRRD_BYTES[fields["type"].lower()], compressed, _TO_RAS[fields["space"].lower()] @ affine  # type: ignore[return-value]


def _meta(fields: dict[str, str]) -> tuple[tuple[int, int, int], int, bool, Floats]:
    _require_mm([fields.get("DistanceUnits", "")])
    shape = tuple(int(n) for n in fields["DimSize"].split())
    if int(fields.get("ElementNumberOfChannels", "1")) != 1:
        raise ImageFileError("The image has several values a voxel, expected one.")
    matrix = fields.get("TransformMatrix") or fields.get("Rotation") or fields.get("Orientation") or ""
    origin = fields.get("Offset") or fields.get("Position") or fields.get("Origin") or ""
    if not matrix or not origin:
        raise ImageFileError("The header does not say where the voxels lie, so left and right are unknown.")
    affine = np.eye(4)
    affine[:3, :3] = np.array([float(v) for v in matrix.split()]).reshape(3, 3).T
    affine[:3, :3] *= np.array([float(v) for v in fields["ElementSpacing"].split()])
    affine[:3, 3] = [float(v) for v in origin.split()]
    compressed = fields.get("CompressedData", "False").lower() == "true"
    return shape, _META_BYTES[fields["ElementType"]], compressed, LPS_TO_RAS @ affine  # type: ignore[return-value]
