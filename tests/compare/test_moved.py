"""A real visit against itself with its oedema faded: the figures of `pipelines/validation/moved.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mri_sij.config import Settings

sys.path.insert(0, str(Path(__file__).parents[2] / "pipelines" / "validation"))
from moved import MOVES, compare_moves, read_case


@pytest.mark.real
def test_faded_oedema_of_a_patient_regressed_and_has_not_gone(real_data: Path) -> None:
    """Both readers still outline it at two fifths of its excess over marrow; the program's own reading finds none."""
    faded = next(move for move in MOVES if move.name == "faded 60 % in place")
    there, back = compare_moves(read_case(real_data / "sij_nifti" / "1016"), Settings(), (faded,))
    assert (there["class"], back["class"]) == ("regression", "progression")
    assert there["right"] and back["right"]
