"""What `mri-sij segment` writes: label map, joints and quality as JSON, and a picture to check them on."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mri_sij import __version__
from mri_sij.anatomy.find import Anatomy, Unusable
from mri_sij.anatomy.joint import JointSlice
from mri_sij.anatomy.quality import Check
from mri_sij.evidence import Side
from mri_sij.geometry import Floats, Grid
from mri_sij.ingest.nifti import write_nifti
from mri_sij.report.folder import whole_folder
from mri_sij.report.masks import in_native_order
from mri_sij.report.montage import anatomy_montage
from mri_sij.volume import Volume

SEGMENT_FILES = r"anatomy\.nii\.gz|joint\.json|quality\.json|anatomy\.png"
"""Every file of a finished segmentation."""


def write_anatomy(found: Anatomy | Unusable, stir: Volume, native: Grid, out: Path) -> None:
    """Write the folder `out`, all of it or nothing.

    `stir` is in the reading frame, `native` the grid that was read: label map and voxel indices belong to the latter.
    """
    scored = found.slice_choice.numbers if isinstance(found, Anatomy) else ()
    labels = found.segmentation.labels
    with whole_folder(out, SEGMENT_FILES) as folder:
        write_nifti(in_native_order(labels, native), folder / "anatomy.nii.gz")
        _write_json(folder / "joint.json", joint_record(found, native))
        _write_json(folder / "quality.json", quality_record(found, native))
        picture = anatomy_montage(stir, labels, found.joints, scored, native)
        (folder / "anatomy.png").write_bytes(picture)


def joint_record(found: Anatomy | Unusable, native: Grid) -> dict[str, Any]:
    """Joints by side and slice: points from lower to upper end in voxels of `native` and in RAS mm, widths in mm."""
    joints = found.joints
    sides = {
        str(side): [
            _slice_record(joints.of(side).slices[k], joints.grid, native) for k in sorted(joints.of(side).slices)
        ]
        for side in Side
    }
    return {
        "version": __version__,
        "frame": "voxel indices of the STIR as read; world: RAS+ millimetres",
        "slice_axis": native.reading_order.axes[2],
        "joints": sides,
    }


def quality_record(found: Anatomy | Unusable, native: Grid) -> dict[str, Any]:
    """Checks with their limits, why the visit is not scorable (if it is not), and the slices to score."""
    reasons = found.why.reasons if isinstance(found, Unusable) else ()
    record: dict[str, Any] = {
        "version": __version__,
        "status": "not_scorable" if isinstance(found, Unusable) else "scorable",
        "reasons": [asdict(reason) for reason in reasons],
        "segmenter": found.segmentation.source,
        "model_sha256": found.segmentation.model_sha256,
        "checks": [_check_record(check) for check in found.quality.checks],
        "slices": None,
    }
    if isinstance(found, Anatomy):
        choice = found.slice_choice
        record["slices"] = {
            "numbers": [native.native_slice(k) for k in choice.numbers],
            "transitional": native.native_slice(choice.transitional),
            "reason": choice.reason,
            "obliquity_deg": _rounded(choice.obliquity_deg),
            "cautions": [asdict(caution) for caution in choice.cautions],
        }
    return record


def _slice_record(there: JointSlice, reading: Grid, native: Grid) -> dict[str, Any]:
    midline = np.column_stack([there.midline, np.full(len(there.midline), there.slice_number)])
    world = reading.world(midline)
    return {
        "slice": native.native_slice(there.slice_number),
        "height_mm": round(there.height_mm, 2),
        "covered_mm": round(there.covered_mm, 2),
        "facing_mm": round(there.facing_mm, 2),
        "cartilaginous_fraction": round(there.cartilaginous_fraction, 3),
        "midline_voxel": _points(native.index(world)),
        "midline_world_mm": _points(world),
        "gap_mm": np.round(there.gap_mm, 2).tolist(),
        "cartilaginous": there.cartilaginous.tolist(),
    }


def _points(points: Floats) -> list[list[float]]:
    return [[float(v) for v in point] for point in np.round(points, 2) + 0.0]


def _check_record(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "value": _rounded(check.value),
        "low": check.low,
        "high": check.high,
        "unit": check.unit,
        "passed": check.passed,
        "meaning": check.meaning,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _write_json(path: Path, record: dict[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=1, ensure_ascii=True) + "\n", encoding="utf-8", newline="")
