"""The pixels of a stack: decoded, checked against the header, scaled, stacked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import get_frame
from pydicom.filereader import dcmread, read_dataset
from pydicom.pixels.utils import pixel_array

from mri_sij.errors import RefusedError
from mri_sij.evidence import Reason
from mri_sij.ingest.codestream import codestream_size
from mri_sij.ingest.frame import Frame
from mri_sij.ingest.headers import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, inflated, skip_file_meta
from mri_sij.ingest.limits import MAX_VOXELS, BombError
from mri_sij.ingest.stack import Stack, StackError
from mri_sij.volume import Volume

NATIVE = frozenset({IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED})
RLE = "1.2.840.10008.1.2.5"
COMPRESSED = {
    "1.2.840.10008.1.2.4.50": "JPEG baseline",
    "1.2.840.10008.1.2.4.51": "JPEG extended",
    "1.2.840.10008.1.2.4.57": "JPEG lossless",
    "1.2.840.10008.1.2.4.70": "JPEG lossless, first order",
    "1.2.840.10008.1.2.4.80": "JPEG-LS lossless",
    "1.2.840.10008.1.2.4.81": "JPEG-LS near-lossless",
    "1.2.840.10008.1.2.4.90": "JPEG 2000 lossless",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
}
"""Codecs that GDCM decodes, bit for bit where the codec is lossless."""

MAX_FILE_BYTES = 2**31
_PIXEL_DATA, _FLOAT_DATA, _DOUBLE_DATA = 0x7FE00010, 0x7FE00008, 0x7FE00009


def read_stack(stack: Stack) -> tuple[Volume, tuple[Reason, ...]]:
    """The stack's volume, rescale slope and intercept applied slice by slice, and what is to be said of it.

    Whole numbers stay as stored where no slice is rescaled; float32 otherwise. Refuses, with StackError or BombError:
    an unknown codec; pixels that are truncated, or of another length than the header says; a codestream of another
    size than the header says; two images at one place that differ; pixels that are NaN or infinite.
    """
    first = stack.frames[0].pixels
    if first.rows * first.columns * len(stack.frames) > MAX_VOXELS:
        raise BombError(f"The stack declares {first.rows * first.columns * len(stack.frames)} voxels.")
    wanted = list(stack.frames) + [other for _, other in stack.copies]
    images = _decoded(wanted)
    cautions = list(stack.cautions)
    for kept, other in stack.copies:
        same_scale = (kept.slope, kept.intercept) == (other.slope, other.intercept)
        if not same_scale or not np.array_equal(images[_place(kept)], images[_place(other)]):
            raise StackError(
                "conflicting_duplicates",
                f"Two images at one place have different {'pixels' if same_scale else 'rescale slopes or intercepts'}.",
                hint="Two series were mixed, or a slice was taken twice. Export the right one alone.",
                frames=(kept, other),
            )
    if stack.copies:
        cautions.append(Reason("identical_duplicates", f"{len(stack.copies)} identical duplicate images were dropped."))
    if stack.scaling_varies:
        cautions.append(Reason("rescale_varies", "Rescale slope or intercept differ between slices; each was applied."))
    slices = [images[_place(frame)] for frame in stack.frames]
    if all(frame.slope == 1 and frame.intercept == 0 for frame in stack.frames):
        data = np.stack(slices)
    else:
        data = np.stack([_scaled(image, frame) for image, frame in zip(slices, stack.frames, strict=True)])
    if np.issubdtype(data.dtype, np.floating):
        data = data.astype(np.float32)
        if not np.isfinite(data).all():
            raise StackError("not_finite", "The pixels are NaN or infinite.", frames=stack.frames)
    # (slice, row, column) to (column, row, slice): the grid's i runs along a row.
    return Volume(np.ascontiguousarray(data.transpose(2, 1, 0)), stack.grid), tuple(cautions)


def _place(frame: Frame) -> tuple[Path, int]:
    return frame.path, frame.number


def _scaled(image: NDArray[Any], frame: Frame) -> NDArray[np.float32]:
    return (image.astype(np.float64) * frame.slope + frame.intercept).astype(np.float32)


def _decoded(frames: list[Frame]) -> dict[tuple[Path, int], NDArray[Any]]:
    by_file: dict[Path, list[Frame]] = {}
    for frame in frames:
        by_file.setdefault(frame.path, []).append(frame)
    return {_place(frame): image for group in by_file.values() for frame, image in _decoded_file(group)}


def _decoded_file(frames: list[Frame]) -> list[tuple[Frame, NDArray[Any]]]:
    first = frames[0]
    syntax = first.pixels.transfer_syntax
    if syntax not in NATIVE and syntax != RLE and syntax not in COMPRESSED:
        raise StackError(
            "unknown_codec",
            f"The pixels are stored in a way that is not read here (transfer syntax {_known_syntax(syntax)}).",
            hint="Export the series uncompressed. `mri-sij doctor` lists the codecs.",
            frames=(first,),
        )
    try:
        ds = _with_pixels(first)
        if syntax in NATIVE:
            _require_length(ds, first)
        return [(frame, _image(ds, frame)) for frame in frames]
    except RefusedError:
        raise
    except MemoryError as error:
        raise BombError("The pixels need more memory than there is.", files=(first.name,)) from error
    except Exception as error:  # decoders raise many types on damaged pixels
        raise StackError(
            "damaged_pixels",
            "The pixels end early or are damaged.",
            hint="Copy or export the file again.",
            frames=(first,),
        ) from error


def _known_syntax(syntax: str) -> str:
    return syntax if syntax.startswith("1.2.840.10008.1.2") and len(syntax) < 30 else "unknown"


def _with_pixels(frame: Frame) -> Dataset:
    if frame.path.stat().st_size > MAX_FILE_BYTES:
        raise BombError("The file is larger than 2 GB.", files=(frame.name,))
    if frame.pixels.transfer_syntax != DEFLATED:
        ds: Dataset = dcmread(frame.path, force=True)
        if not hasattr(ds, "file_meta") or "TransferSyntaxUID" not in ds.file_meta:
            ds.file_meta = _meta(frame.pixels.transfer_syntax)
        return ds
    with frame.path.open("rb") as file:
        skip_file_meta(file)
        ds = read_dataset(inflated(file), False, True)
    ds.file_meta = _meta(EXPLICIT)
    return ds


def _meta(syntax: str) -> Any:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax  # type: ignore[assignment]
    return meta


def _require_length(ds: Dataset, frame: Frame) -> None:
    pixels = frame.pixels
    tag = next((tag for tag in (_PIXEL_DATA, _FLOAT_DATA, _DOUBLE_DATA) if tag in ds), None)
    if tag is None:
        raise StackError("no_pixels", "The file holds no pixels.", frames=(frame,))
    width = {_PIXEL_DATA: pixels.bits_allocated / 8, _FLOAT_DATA: 4, _DOUBLE_DATA: 8}[tag]
    expected = int(pixels.rows * pixels.columns * pixels.samples * pixels.frames * width)
    found = len(ds[tag].value or b"")
    if not expected <= found <= expected + 1:
        raise StackError(
            "truncated_pixels" if found < expected else "pixel_length",
            f"The header declares {pixels.columns}x{pixels.rows} pixels in {pixels.frames} frames, {expected} bytes; "
            f"the file holds {found}.",
            hint="Copy or export the file again.",
            frames=(frame,),
        )


def _image(ds: Dataset, frame: Frame) -> NDArray[Any]:
    pixels = frame.pixels
    if pixels.transfer_syntax in COMPRESSED:
        size = codestream_size(get_frame(ds.PixelData, frame.number, number_of_frames=pixels.frames))
        if size is not None and size != (pixels.rows, pixels.columns):
            raise StackError(
                "pixel_length",
                f"The header declares {pixels.columns}x{pixels.rows} pixels, the compressed image {size[1]}x{size[0]}.",
                frames=(frame,),
            )
    image = pixel_array(ds, index=frame.number, raw=True, decoding_plugin=_plugin(pixels.transfer_syntax))
    if image.shape != (pixels.rows, pixels.columns):
        raise StackError("pixel_length", f"The pixels decode to shape {image.shape}.", frames=(frame,))
    unused = pixels.bits_allocated - pixels.bits_stored
    if unused > 0 and np.issubdtype(image.dtype, np.integer):
        # Old scanners keep overlays in the unused high bits; shifting up and down also restores the sign.
        image = (image << unused) >> unused
    return image


def _plugin(syntax: str) -> str:
    return "gdcm" if syntax in COMPRESSED else "pydicom" if syntax == RLE else ""
