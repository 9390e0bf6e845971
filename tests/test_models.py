"""Every model that ships is in the hash that studies and validations are held against."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from mri_sij import models

BINARY = {".onnx", ".npz", ".json"}


def test_all_that_was_learnt_is_named() -> None:
    package = Path(str(files("mri_sij")))
    shipped = {path for path in package.rglob("*") if path.suffix in BINARY}
    named = {Path(str(files(room))) / name for room, name in models.MODELS}
    assert named == shipped


@pytest.mark.parametrize("changed", range(len(models.MODELS)))
def test_another_file_is_another_hash(changed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = models.models_sha256()
    one, other = models.MODELS[changed], models.MODELS[changed - 1]
    monkeypatch.setattr(models, "MODELS", tuple(other if m == one else m for m in models.MODELS))
    assert models.models_sha256() != before
