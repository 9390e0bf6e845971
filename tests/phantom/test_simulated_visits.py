"""Lesion files, drawn courses and positions of simulated visits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mri_sij.errors import UsageError
from mri_sij.evidence import Bone, Side
from mri_sij.phantom.visits import draw_courses, draw_sessions, read_lesions, room_of

LESION = 'side = "left"\nbone = "ilium"\nalong = 0.5\nacross = 0.5\ndepth_mm = 9\nradius_mm = 12\nratio = 2.1\n'


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "lesions.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_lesions_of_every_visit_are_read(tmp_path: Path) -> None:
    found = read_lesions(file(tmp_path, f"[[visit]]\n[[visit.lesion]]\n{LESION}\n[[visit]]\n"))
    assert [len(lesions) for lesions in found] == [1, 0]
    assert (found[0][0].side, found[0][0].bone, found[0][0].depth_mm) == (Side.LEFT, Bone.ILIUM, 9.0)
    eroding = read_lesions(file(tmp_path, f"[[visit]]\n[[visit.lesion]]\n{LESION}\nerodes = true\n"))
    assert eroding[0] == (replace(found[0][0], erodes=True),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", r"\[\[visit\]\]"),
        ("[[visit]]\nlesions = 3\n", "nothing else"),
        ("[[visit]]\n[[visit.lesion]]\n" + LESION.replace("depth_mm = 9", "depth_mm = 900"), "depth_mm"),
        ("[[visit]]\n[[visit.lesion]]\n" + LESION.replace('"left"', '"both"'), "left or right"),
        ("[[visit]]\n[[visit.lesion]]\n" + LESION.replace("ratio = 2.1\n", ""), "exactly"),
        ("[[visit]]\n[[visit.lesion]]\n" + LESION + '\nerodes = "deep"', "true or false"),
        ("[[visit", "cannot be read"),
    ],
)
def test_a_lesion_file_that_is_wrong_says_where(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_lesions(file(tmp_path, text))


def test_a_seed_decides_courses_and_sessions() -> None:
    assert draw_courses(4, 3) == draw_courses(4, 3) != draw_courses(5, 3)
    first, second = draw_sessions(4, 2)
    assert (first, second) == draw_sessions(4, 2)
    assert abs(first.position.tilt_deg - second.position.tilt_deg) <= 20


def test_a_person_lies_elsewhere_without_being_bent() -> None:
    motion = np.array(room_of((3, -4, 5), (10, 0, -7)))
    assert np.allclose(motion[:3, :3] @ motion[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(motion[:3, :3]) == pytest.approx(1)
    assert motion[:3, 3].tolist() == [10, 0, -7]
