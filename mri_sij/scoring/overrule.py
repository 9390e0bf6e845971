"""A reader's changes to single items of the machine's form, kept apart from what the machine found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mri_sij.evidence import Evidence, JointSliceEvidence, Side
from mri_sij.scoring.form import (
    HEIGHT,
    ITEM_COLUMNS,
    JOINT_COLUMNS,
    NOT_SCORED,
    FormError,
    bit,
    height_mm,
    items_of,
    place_of,
    read_rows,
    require_consistent,
)

_SAME_MM = 0.05
"""Spreadsheets round a height that nobody changed; the page shows tenths of a millimetre."""


@dataclass(frozen=True)
class ItemChange:
    """One item on which the reader differs from the machine; `item` is a column of the form."""

    slice_number: int
    side: Side
    item: str
    machine: bool
    reader: bool


@dataclass(frozen=True)
class Overruled:
    """The evidence after a reader's changes, and those changes."""

    evidence: Evidence
    changes: tuple[ItemChange, ...]

    def changes_dict(self) -> list[dict[str, Any]]:
        """The changes as plain values."""
        return [
            {**asdict(c), "side": str(c.side), "machine": int(c.machine), "reader": int(c.reader)} for c in self.changes
        ]


def overrule(evidence: Evidence, form: Path) -> Overruled:
    """Apply a form in which only the cells to change need be filled in; empty cells leave what the machine found.

    FormError when it names a slice that was not scored, a joint twice, or a quadrant that is not scored, when it would
    leave out a quadrant that is scored or change a joint's height, or when an item would contradict the others
    (intense or deep where no oedema is left).
    """
    joints = {(joint.slice_number, joint.side): joint for joint in evidence.joints}
    changes: list[ItemChange] = []
    seen: set[tuple[int, Side]] = set()
    for line, cells in read_rows(form):
        place = place_of(line, cells, form)
        if place not in joints or place in seen:
            problem = "twice" if place in seen else "but it is not among the scored slices"
            numbers = ", ".join(map(str, evidence.slice_numbers))
            raise FormError(
                f"Line {line} names slice {place[0]}, {place[1]} joint, {problem} ({numbers}).", files=(form.name,)
            )
        seen.add(place)
        _require_same_scored(joints[place], line, cells, form)
        wanted = {c: bit(line, c, cells[c], form) for c in ITEM_COLUMNS if cells[c] not in ("", NOT_SCORED)}
        joints[place], changed = _change(joints[place], wanted, (line, form))
        changes += changed
        if any(wanted.get(column) for column in JOINT_COLUMNS):
            require_consistent(joints[place], f"Line {line}", form)
    changed_evidence = Evidence(tuple(joints[joint.slice_number, joint.side] for joint in evidence.joints))
    return Overruled(changed_evidence, tuple(changes))


def _require_same_scored(joint: JointSliceEvidence, line: int, cells: dict[str, str], form: Path) -> None:
    """FormError when `na` or another height would change which quadrants are scored: an item's value is the reader's to
    change, what was measured is not."""
    for column, now in items_of(joint).items():
        if cells[column] == NOT_SCORED and now is not None:
            raise FormError(
                f"Line {line}, column {column}: this item cannot be left out, expected 0 or 1.",
                hint="Leave the cell empty to keep what the program found.",
                files=(form.name,),
            )
    height, machine = height_mm(line, cells, form), joint.joint_height_mm
    if height is not None and (machine is None or abs(height - machine) > _SAME_MM):
        raise FormError(
            f"Line {line}, column {HEIGHT}: the height is measured and cannot be changed.",
            hint="Leave the cell empty, or as the program's form has it.",
            files=(form.name,),
        )


def _change(
    joint: JointSliceEvidence, wanted: dict[str, bool], at: tuple[int, Path]
) -> tuple[JointSliceEvidence, list[ItemChange]]:
    now = items_of(joint)
    changes = []
    for column, value in wanted.items():
        machine = now[column]
        if machine is None:
            raise FormError(f"Line {at[0]}, column {column}: this quadrant is not scored.", files=(at[1].name,))
        if machine != value:
            changes.append(ItemChange(joint.slice_number, joint.side, column, machine, value))
    by_item = {change.item: change.reader for change in changes}
    quadrants = tuple(
        replace(q, oedema=by_item[q.quadrant.item], probability=None, oedema_area_mm2=None)
        if q.quadrant.item in by_item
        else q
        for q in joint.quadrants
    )
    intense, deep = (by_item.get(column, getattr(joint, column)) for column in JOINT_COLUMNS)
    return replace(joint, quadrants=quadrants, intense=intense, deep=deep), changes
