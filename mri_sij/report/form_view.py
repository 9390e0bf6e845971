"""The form as the page shows it: a cell an item, with the place that it lights up and the reason for its value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mri_sij.evidence import Bone, Evidence, Half, JointSliceEvidence, Quadrant, QuadrantEvidence, Side
from mri_sij.scoring.overrule import ItemChange
from mri_sij.scoring.sparcc import Sparcc, SparccJoint

UNSURE = (0.2, 0.8)
"""A cell is marked as open to doubt where its probability lies between these."""


Changes = Mapping[tuple[int, Side, str], ItemChange]
"""By slice number, side and item."""


@dataclass(frozen=True)
class Cell:
    """One item: `key` is slice-side-item; `value` is None where it is not scored."""

    key: str
    name: str
    value: int | None
    sign: str
    why: str
    unsure: bool
    changed: bool


@dataclass(frozen=True)
class FormJoint:
    """One joint of a row: four quadrant cells as they lie on the picture, and the two further items."""

    quadrants: tuple[Cell, ...]
    extra: tuple[Cell, ...]
    total: int


@dataclass(frozen=True)
class FormRow:
    """One slice: the right joint first, as on the picture."""

    position: int
    slice_number: int
    joints: tuple[FormJoint, ...]
    total: int


def as_seen(side: Side) -> tuple[Quadrant, ...]:
    """A joint's quadrants as they lie on the picture, on which the patient's right is left: upper ones first."""
    bones = (Bone.ILIUM, Bone.SACRUM) if side is Side.RIGHT else (Bone.SACRUM, Bone.ILIUM)
    return tuple(Quadrant(bone, half) for half in (Half.UPPER, Half.LOWER) for bone in bones)


def _likely(probability: float | None) -> str:
    return "" if probability is None else f", probability {probability:.2f}"


def _unsure(probability: float | None) -> bool:
    return probability is not None and UNSURE[0] < probability < UNSURE[1]


def _quadrant_why(q: QuadrantEvidence) -> str:
    said = ("Oedema" if q.oedema else "No oedema") + _likely(q.probability)
    if q.oedema_area_mm2 is None or q.bone_area_mm2 is None:
        return said
    share = f" ({q.oedema_area_mm2 / q.bone_area_mm2:.0%})" if q.bone_area_mm2 else ""
    return f"{said}; {q.oedema_area_mm2:.0f} of {q.bone_area_mm2:.0f} mm²{share}"


def _intense_why(joint: JointSliceEvidence) -> str:
    ratio = (
        "" if joint.intensity_ratio is None else f"; brightest oedema {joint.intensity_ratio:.2f} times normal marrow"
    )
    return ("Intense" if joint.intense else "Not intense") + _likely(joint.intense_probability) + ratio


def _deep_why(joint: JointSliceEvidence) -> str:
    depth = "" if joint.depth_mm is None else f"; reaches {joint.depth_mm:.1f} mm from the joint"
    return ("Deep, 1 cm or more" if joint.deep else "Not deep") + _likely(joint.deep_probability) + depth


def _changed_why(why: str, change: ItemChange | None) -> str:
    return why if change is None else f"{why}. The reader says {int(change.reader)}."


def _joint(found: JointSliceEvidence, scored: SparccJoint, position: int, changes: Changes) -> FormJoint:
    quadrants = _quadrant_cells(found, scored, position, changes)
    return FormJoint(quadrants, _extra_cells(found, scored, position, changes), scored.total)


def _quadrant_cells(
    found: JointSliceEvidence, scored: SparccJoint, position: int, changes: Changes
) -> tuple[Cell, ...]:
    evidence = {q.quadrant: q for q in found.quadrants}
    cells = []
    for quadrant in as_seen(found.side):
        change = changes.get((found.slice_number, found.side, quadrant.item))
        value, q = scored.of(quadrant), evidence.get(quadrant)
        cells.append(
            Cell(
                key=f"{found.slice_number}-{found.side}-{quadrant.item}",
                name=f"Slice {position}, {found.side} {quadrant}",
                value=value,
                sign="" if value is None else str(value),
                why="" if q is None else _changed_why(_quadrant_why(q), change),
                unsure=q is not None and _unsure(q.probability),
                changed=change is not None,
            )
        )
    return tuple(cells)


def _extra_cells(found: JointSliceEvidence, scored: SparccJoint, position: int, changes: Changes) -> tuple[Cell, ...]:
    """Intensity and depth."""
    is_scored = any(item.value is not None for item in scored.items)
    cells = []
    for item, sign, value, why, probability in (
        ("intense", "I", scored.intensity, _intense_why(found), found.intense_probability),
        ("deep", "D", scored.depth, _deep_why(found), found.deep_probability),
    ):
        change = changes.get((found.slice_number, found.side, item))
        cells.append(
            Cell(
                key=f"{found.slice_number}-{found.side}-{item}",
                name=f"Slice {position}, {found.side} joint, {item}",
                value=value if is_scored else None,
                sign=sign,
                why=_changed_why(why, change),
                unsure=_unsure(probability) and scored.quadrants > 0,
                changed=change is not None,
            )
        )
    return tuple(cells)


def form_rows(evidence: Evidence, sparcc: Sparcc, changes: Sequence[ItemChange] = ()) -> tuple[FormRow, ...]:
    """The form's rows from the anterior to the posterior slice, from evidence and scores of the same slices."""
    by_place = {(c.slice_number, c.side, c.item): c for c in changes}
    found = {(j.slice_number, j.side): j for j in evidence.joints}
    scored = {(j.slice_number, j.side): j for j in sparcc.joints}
    return tuple(
        FormRow(
            position=position,
            slice_number=number,
            joints=tuple(
                _joint(found[number, side], scored[number, side], position, by_place)
                for side in (Side.RIGHT, Side.LEFT)
            ),
            total=sparcc.on_slice(number).total,
        )
        for position, number in enumerate(sparcc.slice_numbers, start=1)
    )
