"""NIfTI-1 and -2, read and written with the exact affine.

Read with nibabel. The affine is the header's own: the sform, or the qform where the sform is unset or leads to a
template's space and the qform to the scanner's. The size that a header declares is held against the file before any
voxel is read.
"""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from numpy.typing import NDArray

from mri_sij.errors import RefusedError
from mri_sij.geometry import Floats, Grid
from mri_sij.ingest.limits import require_plausible_size
from mri_sij.volume import LabelMap, Volume
from mri_sij.whole import write_whole

FORM_TOLERANCE_MM = 0.1
"""sform and qform may place a corner voxel this far apart, beyond what the rounding of the quaternion explains, before
the file contradicts itself."""

ALIGNED = 2
"""nifti1.h, NIFTI_XFORM codes: up to this (scanner, aligned) a form leads to the patient's own space, above it to that
of a template."""

_UNSTATED, _MM, _OTHER_UNITS = 0, 2, {1: "metres", 3: "micrometres"}
_GZIP = b"\x1f\x8b"


class NiftiError(RefusedError):
    """A NIfTI file that cannot be read without guessing."""

    code = "nifti"


@dataclass(frozen=True)
class NiftiHeader:
    """What a NIfTI header says: `shape` with 3 or 4 axes, the affine (RAS+ mm), the free text of `descrip`."""

    shape: tuple[int, ...]
    affine: Floats
    dtype: np.dtype[Any]
    description: str
    data_offset: int
    compressed: bool
    slope: float = 1.0
    intercept: float = 0.0

    @property
    def volumes(self) -> int:
        """How many volumes the file holds along its fourth axis."""
        return self.shape[3] if len(self.shape) > 3 else 1

    @property
    def grid(self) -> Grid:
        """The grid of each of its volumes."""
        return Grid((self.shape[0], self.shape[1], self.shape[2]), self.affine)


def read_header(path: Path) -> NiftiHeader:
    """The header alone, bounded; refuses what is no NIfTI, lies about its size, or does not say where it lies."""
    file_bytes = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8192)
    compressed = start.startswith(_GZIP)
    if compressed:
        try:
            start = zlib.decompressobj(wbits=31).decompress(start, 4096)
        except zlib.error as error:
            raise NiftiError("The gzip stream is damaged.") from error
    header = _parse(start)
    shape = tuple(int(n) for n in header.get_data_shape())
    dtype = header.get_data_dtype()
    if dtype.fields is not None or not (np.issubdtype(dtype, np.integer) or np.issubdtype(dtype, np.floating)):
        raise NiftiError(f"The voxels are of type {dtype}, expected one real number each.", hint="Colour is not read.")
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) not in (3, 4) or min(shape) < 1:
        raise NiftiError(f"The file has shape {shape}, expected three axes, or four with volumes.")
    require_plausible_size(shape, dtype.itemsize, file_bytes, compressed)
    _require_mm(header)
    grid = Grid((shape[0], shape[1], shape[2]), _affine(header))
    text = bytes(header["descrip"]).split(b"\0")[0].decode("ascii", "ignore")
    smallest = 352 if header.sizeof_hdr == 348 else 544
    offset = max(int(header["vox_offset"]), smallest) if np.isfinite(header["vox_offset"]) else smallest
    return NiftiHeader(shape, grid.affine, dtype, text, offset, compressed, *_scale(header))


def read_volume(path: Path, *, volume: int = 0) -> Volume:
    """Volume number `volume` (from 0) with slope and intercept applied; NiftiError or BombError for what is refused."""
    header = read_header(path)
    if not 0 <= volume < header.volumes:
        raise NiftiError(f"The file holds {header.volumes} volumes; volume {volume + 1} was asked for.")
    data = _scaled(_stored(path, header, volume), header)
    if np.issubdtype(data.dtype, np.floating) and not np.isfinite(data).all():
        count = int((~np.isfinite(data)).sum())
        raise NiftiError(f"{count} of {data.size} voxels are NaN or infinite.", hint="Export the series again.")
    if np.issubdtype(data.dtype, np.floating):
        data = data.astype(np.float32)
        if not np.isfinite(data).all():
            raise NiftiError("Voxels are greater than single precision can hold.")
    return Volume(np.ascontiguousarray(data), header.grid)


def _stored(path: Path, header: NiftiHeader, volume: int) -> NDArray[Any]:
    """The stored numbers of one volume; reads no more than the header's own size, however much a gzip holds."""
    shape = header.shape[:3]
    length = int(np.prod(shape)) * header.dtype.itemsize
    try:
        with gzip.open(path) if header.compressed else path.open("rb") as file:
            file.seek(header.data_offset + volume * length)
            content = file.read(length)
    except (OSError, EOFError, zlib.error) as error:
        raise NiftiError("The voxels are damaged.", hint="Copy or export the file again.") from error
    if len(content) < length:
        raise NiftiError(
            f"The voxels end early: {len(content)} of {length} bytes.", hint="Copy or export the file again."
        )
    return np.frombuffer(content, header.dtype).reshape(shape, order="F")


def _scaled(stored: NDArray[Any], header: NiftiHeader) -> NDArray[Any]:
    """Slope and intercept of the header, which NIfTI-1 says to ignore where the slope is 0."""
    native = stored.astype(stored.dtype.newbyteorder("="))
    if (header.slope, header.intercept) == (1.0, 0.0):
        return native
    with np.errstate(over="ignore", invalid="ignore"):
        return native.astype(np.float64) * header.slope + header.intercept


def write_nifti(image: Volume | LabelMap, path: Path) -> None:
    """Write `.nii` or `.nii.gz`: same voxels, exact affine, the same bytes each time, all of the file or none of it."""
    if not path.name.endswith((".nii", ".nii.gz")):
        raise NiftiError(f"A NIfTI file ends in .nii or .nii.gz, not {path.suffix or 'nothing'}.")
    data = image.data.astype(np.float32) if image.data.dtype == np.float16 else image.data
    # A stored form keeps the affine to single precision. Both forms are written, so that readers agree; a qform cannot
    # hold axes that are not at right angles, and stays unset where it would place voxels elsewhere.
    nifti = nib.Nifti1Image(np.asarray(data), image.grid.affine, dtype=data.dtype)
    nifti.set_qform(image.grid.affine, code=int(image.grid.same_as(_squared(image.grid))), strip_shears=True)
    nifti.set_sform(image.grid.affine, code=1)
    nifti.header.set_xyzt_units("mm")
    payload = nifti.to_bytes()
    if path.name.endswith(".gz"):
        packed = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=6, mtime=0) as stream:
            stream.write(payload)
        payload = packed.getvalue()
    write_whole(path, payload)


def _squared(grid: Grid) -> Grid:
    """The grid with its axes turned to right angles, as a quaternion holds them (nifti1.h, method 2)."""
    left, _, right = np.linalg.svd(grid.directions)
    affine = grid.affine.copy()
    affine[:3, :3] = left @ right * grid.spacing_mm
    return Grid(grid.shape, affine)


def _parse(start: bytes) -> Nifti1Header | Nifti2Header:
    size = int.from_bytes(start[:4], "little"), int.from_bytes(start[:4], "big")
    kind = Nifti1Header if 348 in size else Nifti2Header if 540 in size else None
    if kind is None or len(start) < (348 if kind is Nifti1Header else 540):
        raise NiftiError("This is no NIfTI header, or one that ends early.")
    length = 348 if kind is Nifti1Header else 540
    magic = start[344:347] if kind is Nifti1Header else start[4:7]
    if magic not in (b"n+1", b"n+2"):
        raise NiftiError(
            "The header's magic is not that of a single-file NIfTI.", hint="Pairs of .hdr and .img are not read."
        )
    try:
        header = kind(start[:length], check=False)
        header.get_data_shape()
        header.get_data_dtype()
    except Exception as error:  # nibabel raises many types on damaged headers
        raise NiftiError("The NIfTI header is damaged.") from error
    return header


def _scale(header: Nifti1Header | Nifti2Header) -> tuple[float, float]:
    """Slope and intercept; 1 and 0 where the slope is 0 (nifti1.h, scl_slope) or both are NaN, as nibabel writes."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    finite = np.isfinite([slope, intercept])
    if slope == 0 or not finite.any():
        return 1.0, 0.0
    if not finite.all():
        raise NiftiError(
            f"The header scales voxels with slope {slope:g} and intercept {intercept:g}, expected two numbers or none.",
            hint="Convert the DICOM again.",
        )
    return slope, intercept


def _require_mm(header: Nifti1Header | Nifti2Header) -> None:
    """Refuse lengths that are stated to be other than mm (nifti1.h, xyzt_units); files that say nothing hold mm."""
    units = int(header["xyzt_units"]) & 0b111
    if units not in (_UNSTATED, _MM):
        raise NiftiError(
            f"The header states its lengths in {_OTHER_UNITS.get(units, f'units of code {units}')}, expected mm.",
            hint="Convert the DICOM again.",
        )


def _affine(header: Nifti1Header | Nifti2Header) -> Floats:
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    if sform_code <= 0 and qform_code <= 0:
        raise NiftiError(
            "The file does not say where its voxels lie (sform and qform are unset), so left and right are unknown.",
            hint="Convert the DICOM again.",
        )
    if header["pixdim"][0] == 0:
        header["pixdim"][0] = 1  # "should not occur" (nifti1.h, qfac), and then counts as 1
    try:
        sform = np.asarray(header.get_sform(), np.float64) if sform_code > 0 else None
        qform = np.asarray(header.get_qform(), np.float64) if qform_code > 0 else None
    except Exception as error:  # an impossible quaternion raises several types
        raise NiftiError("The header's quaternion is not a rotation.") from error
    if qform is not None and (sform is None or qform_code <= ALIGNED < sform_code):
        return qform
    assert sform is not None
    if qform is not None:
        _require_agreement(sform, qform, header)
    return sform


def _require_agreement(sform: Floats, qform: Floats, header: Nifti1Header | Nifti2Header) -> None:
    """Refuse two forms that place voxels differently; where one leads to a template's space, only mirrored ones."""
    if np.linalg.det(sform[:3, :3]) * np.linalg.det(qform[:3, :3]) < 0:
        raise NiftiError(
            "sform and qform are mirror images of each other, so left and right are unknown.",
            hint="Which one is right cannot be known: convert the DICOM again.",
        )
    if max(int(header["sform_code"]), int(header["qform_code"])) > ALIGNED:
        return
    shape = [max(int(n), 1) for n in header.get_data_shape()[:3]]
    if len(shape) < 3:
        return
    grids = [Grid((shape[0], shape[1], shape[2]), form) for form in (sform, qform)]
    off = float(np.abs(grids[0].corners - grids[1].corners).max())
    reach_mm = float(np.linalg.norm(grids[0].corners - sform[:3, 3], axis=1).max())
    allowed = FORM_TOLERANCE_MM + reach_mm * _rounding_of_turn(header)
    if off > allowed:
        raise NiftiError(
            f"sform and qform place a corner {off:.2f} mm apart (at most {allowed:.2f}).",
            hint="Which one is right cannot be known: convert the DICOM again.",
        )


def _rounding_of_turn(header: Nifti1Header | Nifti2Header) -> float:
    """Radians by which the stored quaternion may miss the rotation that it was made from.

    NIfTI-1 keeps b, c, d of a unit quaternion in single precision and leaves a = sqrt(1 - b2 - c2 - d2) to the reader
    (nifti1.h, "quaternion"): near a half turn a is close to 0, and a rounding of 1e-7 becomes one of 1e-3.
    """
    parts = [header["quatern_" + name] for name in "bcd"]
    squared = max(0.0, 1.0 - sum(float(part) ** 2 for part in parts))
    spare = 4 * float(np.finfo(parts[0].dtype).eps)
    ends = np.sqrt([max(squared - spare, 0.0), squared, squared + spare])
    return float(2 * np.diff(ends).max())
