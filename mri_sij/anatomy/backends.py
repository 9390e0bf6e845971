"""Who finds the bones: the shipped network, the user's own masks or network, or another segmenter installed here.

All answer the same request with the same record; left and right are told anew by the affine, whatever they said.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mri_sij.anatomy.labels import NAMES, SACRUM, Segmentation
from mri_sij.anatomy.segment import label_sides, main_part, segment
from mri_sij.anatomy.shape import fit_shape
from mri_sij.config import AnatomySettings
from mri_sij.errors import RefusedError, UsageError
from mri_sij.ingest.nifti import read_volume, write_nifti
from mri_sij.network.maps import Maps
from mri_sij.resample import overlap_fraction, resample
from mri_sij.volume import LabelMap, Volume

LabelNumbers = Mapping[str, list[int]]

TOTALSEGMENTATOR_LABELS = MappingProxyType({"sacrum": [18], "left_ilium": [38], "right_ilium": [39]})
"""Task total_mr written with `--ml` (class map of TotalSegmentator 2)."""
TOTALSEGMENTATOR_FILES = MappingProxyType({"sacrum": "sacrum", "left_ilium": "hip_left", "right_ilium": "hip_right"})
MRSEGMENTATOR_LABELS = MappingProxyType({"sacrum": [26], "left_ilium": [27], "right_ilium": [28]})
"""Class table of MRSegmentator 1 (its README)."""

_BONES, _CARTILAGE = ("sacrum", "left_ilium", "right_ilium"), "cartilage"
_LEAST_OVERLAP = 0.3
_NIFTI = (".nii", ".nii.gz")


class SegmenterError(RefusedError):
    """Another segmenter failed, or its masks do not belong to this visit."""

    code = "segmenter"


@dataclass(frozen=True, eq=False)
class Request:
    """What a back end is given: volumes on one grid in the reading frame, the network's maps, PATH of `name:PATH`."""

    stir: Volume
    t1: Volume | None
    maps: Maps
    path: Path | None
    settings: AnatomySettings


class Backend(Protocol):
    """A back end; raises SegmenterError where it cannot answer."""

    def __call__(self, request: Request) -> Segmentation: ...


def segment_visit(stir: Volume, t1: Volume | None, maps: Maps, settings: AnatomySettings) -> Segmentation:
    """Bones by the back end that `settings.segmenter` names (`name` or `name:PATH`); UsageError for an unknown one."""
    name, _, path = settings.segmenter.partition(":")
    if name not in BACKENDS:
        raise UsageError(f"There is no segmenter {name!r}.", hint=f"One of {', '.join(BACKENDS)}.")
    return BACKENDS[name](Request(stir, t1, maps, Path(path) if path else None, settings))


def _builtin(request: Request) -> Segmentation:
    if request.path is not None:
        raise UsageError("The segmenter builtin takes no path.", hint="onnx:PATH runs your own network.")
    return segment(request.maps, request.settings)


def _onnx(request: Request) -> Segmentation:
    from mri_sij.network.run import predict  # noqa: PLC0415 - loads onnxruntime

    path = _existing(request.path, "onnx")
    try:
        maps = predict(request.stir, request.t1, path.read_bytes())
    except Exception as error:  # onnxruntime raises types of its own for models that do not fit
        raise SegmenterError(
            f"The network cannot be run ({type(error).__name__}).",
            hint="It needs the shipped network's inputs and outputs (mri_sij/network/MODEL_CARD.md).",
            files=(path.name,),
        ) from error
    found = segment(maps, request.settings)
    return replace(found, source="onnx")


def _masks(request: Request) -> Segmentation:
    path = _existing(request.path, "masks")
    return _from_numbers(_read_labels(path), request.settings.mask_labels, request, "masks")


def _totalsegmentator(request: Request) -> Segmentation:
    if request.path is not None:
        return _read_totalsegmentator(_existing(request.path, "totalsegmentator"), request)
    with tempfile.TemporaryDirectory(prefix="mri_sij-") as folder:
        image, out = Path(folder) / "stir.nii.gz", Path(folder) / "out"
        write_nifti(request.stir, image)
        wanted = list(TOTALSEGMENTATOR_FILES.values())
        _run(["TotalSegmentator", "-i", str(image), "-o", str(out), "-ta", "total_mr", "--roi_subset", *wanted])
        return _read_totalsegmentator(out, request)


def _read_totalsegmentator(path: Path, request: Request) -> Segmentation:
    """A folder with a file for each bone, or one file with all labels (`--ml`)."""
    if not path.is_dir():
        return _from_numbers(_read_labels(path), TOTALSEGMENTATOR_LABELS, request, "totalsegmentator")
    masks = {}
    for bone, name in TOTALSEGMENTATOR_FILES.items():
        file = next((f for f in (path / (name + end) for end in _NIFTI) if f.is_file()), None)
        if file is None:
            raise SegmenterError(f"There is no {name}.nii.gz in the folder.", hint="Run it with the task total_mr.")
        masks[bone] = _on_grid(read_volume(file), request.stir) > 0
    return _from_masks(masks, request, "totalsegmentator")


def _mrsegmentator(request: Request) -> Segmentation:
    if request.path is not None:
        labels = _read_labels(_existing(request.path, "mrsegmentator"))
        return _from_numbers(labels, MRSEGMENTATOR_LABELS, request, "mrsegmentator")
    with tempfile.TemporaryDirectory(prefix="mri_sij-") as folder:
        image, out = Path(folder) / "stir.nii.gz", Path(folder) / "out"
        write_nifti(request.stir, image)
        _run(["mrsegmentator", "--input", str(image), "--outdir", str(out)])
        made = sorted(out.glob("*.nii.gz"))
        if len(made) != 1:
            raise SegmenterError(f"MRSegmentator wrote {len(made)} files, expected one.")
        return _from_numbers(read_volume(made[0]), MRSEGMENTATOR_LABELS, request, "mrsegmentator")


BACKENDS: Mapping[str, Backend] = MappingProxyType(
    {
        "builtin": _builtin,
        "masks": _masks,
        "totalsegmentator": _totalsegmentator,
        "mrsegmentator": _mrsegmentator,
        "onnx": _onnx,
    }
)


def _existing(path: Path | None, name: str) -> Path:
    if path is None:
        raise UsageError(f"The segmenter {name} needs a path.", hint=f"{name}:PATH")
    if not path.exists():
        raise UsageError("The path after the segmenter's name does not exist.", files=(path.name,))
    return path


def _run(command: list[str]) -> None:
    """Run a segmenter of the user's environment; its own output is dropped, because it may name files and people."""
    if shutil.which(command[0]) is None:
        raise SegmenterError(
            f"{command[0]} is not installed here.", hint="Install it, or give its finished output as name:PATH."
        )
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise SegmenterError(f"{command[0]} ended with status {done.returncode}.", hint="Run it by hand to see why.")


def _read_labels(path: Path) -> Volume:
    """Label numbers of a NIfTI file or a DICOM SEG on their own grid."""
    if path.is_dir():
        raise UsageError("A file with masks is expected, not a folder.", files=(path.name,))
    if path.name.endswith(_NIFTI):
        return read_volume(path)
    from mri_sij.anatomy.dicom_seg import read_seg  # noqa: PLC0415 - highdicom takes seconds to import

    return read_seg(path)


def _from_numbers(labels: Volume, numbers: LabelNumbers, request: Request, source: str) -> Segmentation:
    there = _on_grid(labels, request.stir)
    missing, unknown = [b for b in _BONES if b not in numbers], sorted(set(numbers) - {*_BONES, _CARTILAGE})
    if missing:
        raise UsageError(f"mask_labels says nothing of {', '.join(missing)}.", hint="See configs/default.toml.")
    if unknown:
        known = ", ".join((*_BONES, _CARTILAGE))
        raise UsageError(f"mask_labels does not know {', '.join(unknown)}.", hint=f"It knows {known}.")
    return _from_masks({name: np.isin(there, numbers[name]) for name in numbers}, request, source)


def _on_grid(labels: Volume, stir: Volume) -> NDArray[np.int32]:
    """Whole-number labels at the STIR's voxels; SegmenterError where they cover too little of it."""
    share = overlap_fraction(stir.grid, labels.grid)
    if share < _LEAST_OVERLAP:
        raise SegmenterError(f"The masks cover {share:.0%} of the STIR's field of view: another visit's?")
    return np.asarray(np.rint(resample(labels, stir.grid, interpolation="nearest").data), np.int32)


def _from_masks(masks: Mapping[str, NDArray[np.bool_]], request: Request, source: str) -> Segmentation:
    sacrum = main_part(masks["sacrum"], request.settings.island_fraction)
    labels = np.zeros(request.stir.grid.shape, np.uint8)
    if sacrum.any():
        ilia = (masks["left_ilium"] | masks["right_ilium"]) & ~sacrum
        labels = label_sides(sacrum, ilia, request.settings.island_fraction)
    sure = (labels >= SACRUM).astype(np.float32)
    grid = request.stir.grid
    shape = fit_shape(labels, grid)
    if shape is not None and shape.residual_mm > request.settings.max_shape_mm:
        shape = None  # masks of parts of bones are the user's own choice, and no sign of another body part
    cartilage = masks.get(_CARTILAGE)
    if cartilage is not None and not cartilage.any():
        cartilage = None  # nothing is marked: found as for any other masks
    return Segmentation(LabelMap(labels, grid, NAMES), Volume(sure, grid), None, source, None, shape, cartilage)
