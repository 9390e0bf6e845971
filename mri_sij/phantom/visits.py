"""Visits of one simulated person: the same anatomy and marrow, other lesions, another position, another scanner."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mri_sij.errors import UsageError
from mri_sij.evidence import Bone, Side
from mri_sij.geometry import Floats, Grid
from mri_sij.phantom.body import Person, draw_person
from mri_sij.phantom.draw import draw_matrix, draw_position, draw_scanner
from mri_sij.phantom.lesion import Lesion, draw_lesions
from mri_sij.phantom.scan import Matrix, Position, Scanner, SimulatedVisit, acquire, grid_of
from mri_sij.volume import LabelMap, Volume

_FADES = (0.0, 0.0, 0.4, 1.0, 1.0, 1.3)
"""What becomes of a lesion's brightness by the follow-up: gone, fainter, the same, brighter."""


@dataclass(frozen=True)
class Session:
    """How a visit is scanned; `room` (4x4, RAS mm) is where the person lies, identity for the pelvic frame."""

    position: Position
    matrix: Matrix
    scanner: Scanner
    room: tuple[tuple[float, ...], ...] = tuple(tuple(float(i == j) for j in range(4)) for i in range(4))


def person_of(seed: int) -> Person:
    """The person that `seed` stands for."""
    return draw_person(np.random.default_rng([seed, 0]))


def scan(person: Person, seed: int, lesions: tuple[Lesion, ...], session: Session) -> SimulatedVisit:
    """One visit. `seed` is the person's: marrow texture, mimics and tissue constants are the same at every visit."""
    grid = grid_of(person, session.position, session.matrix)
    rng = np.random.default_rng([seed, 1])
    visit = acquire(person, lesions, session.scanner, grid, rng, thickness_mm=session.matrix.thickness_mm)
    return in_room(visit, np.array(session.room))


def in_room(visit: SimulatedVisit, room: Floats) -> SimulatedVisit:
    """The visit with the person moved by `room` (4x4 rigid, RAS mm)."""
    grid = Grid(visit.stir.grid.shape, room @ visit.stir.grid.affine)
    labels = LabelMap(visit.labels.data, grid, visit.labels.names)
    return replace(visit, stir=Volume(visit.stir.data, grid), t1=Volume(visit.t1.data, grid), labels=labels)


def draw_sessions(seed: int, visits: int) -> tuple[Session, ...]:
    """Sessions of one person: each later one tilted up to 20 degrees otherwise, sampled anew, lying elsewhere."""
    rng = np.random.default_rng([seed, 2])
    first = draw_position(rng)
    sessions = [Session(first, draw_matrix(rng), draw_scanner(rng, physics=True))]
    for _ in range(visits - 1):
        tilt = float(np.clip(first.tilt_deg + rng.uniform(-20, 20), 0, 60))
        other = Position(
            tilt, first.turn_deg + float(rng.normal(0, 4)), first.roll_deg + float(rng.normal(0, 3)), first.shift_mm
        )
        sessions.append(Session(other, draw_matrix(rng), draw_scanner(rng, physics=True), _room(rng)))
    return tuple(sessions)


def draw_courses(seed: int, visits: int) -> tuple[tuple[Lesion, ...], ...]:
    """Lesions of each visit: drawn at the baseline, then they go, fade, stay or brighten; now and then new ones."""
    rng = np.random.default_rng([seed, 3])
    courses = [draw_lesions(rng)]
    for _ in range(visits - 1):
        fade = rng.choice(_FADES)
        kept = [replace(one, ratio=1 + (one.ratio - 1) * float(fade)) for one in courses[0] if fade > 0]
        fresh = draw_lesions(rng) if rng.random() < 0.3 else ()
        courses.append((*kept, *fresh))
    return tuple(courses)


def read_lesions(path: Path) -> tuple[tuple[Lesion, ...], ...]:
    """Lesions of each visit from TOML: tables `[[visit]]` with `[[visit.lesion]]`; UsageError says what is wrong."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"The lesions cannot be read: {error}", files=(path.name,)) from error
    visits = tables.get("visit")
    if set(tables) != {"visit"} or not isinstance(visits, list) or not visits:
        raise UsageError("The lesions need a table [[visit]] for every visit.", files=(path.name,))
    return tuple(tuple(_lesion(one, path) for one in _lesions_of(visit, path)) for visit in visits)


def _lesions_of(visit: Any, path: Path) -> Sequence[Mapping[str, Any]]:
    found = visit.get("lesion", []) if isinstance(visit, dict) else None
    if not isinstance(found, list) or set(visit) - {"lesion"}:
        raise UsageError("A [[visit]] holds [[visit.lesion]] tables and nothing else.", files=(path.name,))
    return found


_NUMBERS = {"along": (0, 1), "across": (0, 1), "depth_mm": (1, 60), "radius_mm": (1, 80), "ratio": (1, 6)}


def _lesion(given: Mapping[str, Any], path: Path) -> Lesion:
    if set(given) - {"erodes"} != {"side", "bone", *_NUMBERS}:
        raise UsageError(f"A lesion has exactly side, bone, {', '.join(_NUMBERS)} (and erodes).", files=(path.name,))
    if not isinstance(given.get("erodes", False), bool):
        raise UsageError("A lesion erodes or not: true or false.", files=(path.name,))
    for name, (low, high) in _NUMBERS.items():
        value = given[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise UsageError(f"A lesion's {name} must be a number from {low} to {high}.", files=(path.name,))
    if given["side"] not in tuple(Side) or given["bone"] not in tuple(Bone):
        raise UsageError("A lesion's side is left or right, its bone sacrum or ilium.", files=(path.name,))
    along, across, depth_mm, radius_mm, ratio = (float(given[name]) for name in _NUMBERS)
    where = Side(given["side"]), Bone(given["bone"]), along, across
    return Lesion(*where, depth_mm, radius_mm, ratio, erodes=given.get("erodes", False))


def room_of(turns_deg: Sequence[float], shift_mm: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """Where a person lies: turned about the RAS axes, one after the other, then shifted."""
    motion = np.eye(4)
    for axis, angle in enumerate(np.deg2rad(turns_deg)):
        one, two = [n for n in range(3) if n != axis]
        turn = np.eye(4)
        turn[one, one] = turn[two, two] = np.cos(angle)
        turn[one, two], turn[two, one] = -np.sin(angle), np.sin(angle)
        motion = turn @ motion
    motion[:3, 3] = shift_mm
    return tuple(tuple(float(v) for v in row) for row in motion)


def _room(rng: np.random.Generator) -> tuple[tuple[float, ...], ...]:
    """Up to 6 degrees about each axis and 20 mm: nobody lies in a scanner twice in the same way."""
    return room_of(rng.uniform(-6, 6, 3).tolist(), rng.uniform(-20, 20, 3).tolist())
