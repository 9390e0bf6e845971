"""What made a result: version, settings, input, network, packages. No date, no path: equal runs are equal."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from mri_sij import __version__
from mri_sij.lesions import look
from mri_sij.result import VisitResult

PACKAGES = ("numpy", "scipy", "scikit-image", "SimpleITK", "onnxruntime")
"""The packages whose arithmetic a score rests on."""


def provenance_dict(result: VisitResult) -> dict[str, Any]:
    """The `provenance` of `visit.json`."""
    segmentation = result.segmentation
    return {
        "version": __version__,
        "settings_sha256": result.settings.sha256,
        "input_sha256": result.images.input_sha256,
        "model_sha256": None if segmentation is None else segmentation.model_sha256,
        "look_sha256": look.sha256() if result.settings.lesions.method == "combined" and result.findings else None,
        "packages": {name: metadata.version(name) for name in PACKAGES},
    }
