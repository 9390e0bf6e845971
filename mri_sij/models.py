"""What this program has learnt: the files that a score rests on besides code and settings."""

from __future__ import annotations

import hashlib
from importlib.resources import files

MODELS = (
    ("mri_sij.network", "mri_sij.onnx"),
    ("mri_sij.lesions", "look.onnx"),
    ("mri_sij.lesions", "odds.json"),
    ("mri_sij.pelvis", "pelvis_shapes.npz"),
)
"""Package and file: the network for bone and oedema, the second look, the weighed measures, the shapes of pelves."""


def models_sha256() -> str:
    """One hash of all of them: another one means that scores may be others."""
    digest = hashlib.sha256()
    for package, name in MODELS:
        digest.update((files(package) / name).read_bytes())
    return digest.hexdigest()
