"""`quadrants.csv`: one row a quadrant of each scored slice, tidy, with what decided it."""

from __future__ import annotations

import csv
import io

from mri_sij.evidence import QUADRANTS, Evidence, JointSliceEvidence, Quadrant
from mri_sij.report.dictionary import QUADRANT_COLUMNS
from mri_sij.scoring.overrule import ItemChange
from mri_sij.scoring.sparcc import scored_quadrants

Cell = str | int | float | None


def quadrant_rows(evidence: Evidence, changes: tuple[ItemChange, ...] = ()) -> list[dict[str, Cell]]:
    """A row a quadrant, 8 a slice, under the columns of `dictionary.QUADRANT_COLUMNS`; None is an empty cell."""
    position = {number: n for n, number in enumerate(evidence.slice_numbers, start=1)}
    by_item = {(c.slice_number, c.side, c.item): int(c.reader) for c in changes}
    rows = []
    for joint in evidence.joints:
        whole = _joint_cells(joint)
        for quadrant in QUADRANTS:
            reader = {
                f"reader_{name}": by_item.get((joint.slice_number, joint.side, item))
                for name, item in (("oedema", quadrant.item), ("intense", "intense"), ("deep", "deep"))
            }
            cells = {
                "position": position[joint.slice_number],
                **_quadrant_cells(joint, quadrant),
                **whole,
                **reader,
            }
            rows.append({entry.name: cells[entry.name] for entry in QUADRANT_COLUMNS})
    return rows


def _quadrant_cells(joint: JointSliceEvidence, quadrant: Quadrant) -> dict[str, Cell]:
    found = next((q for q in joint.quadrants if q.quadrant == quadrant), None)
    scored = found is not None and found in scored_quadrants(joint)
    return {
        "slice": joint.slice_number,
        "side": str(joint.side),
        "bone": str(quadrant.bone),
        "half": str(quadrant.half),
        "scored": int(scored),
        "oedema": int(found.oedema) if found is not None and scored else None,
        "probability": _rounded(found.probability if found else None, 3),
        "oedema_area_mm2": _rounded(found.oedema_area_mm2 if found else None, 2),
        "bone_area_mm2": _rounded(found.bone_area_mm2 if found else None, 2),
    }


def _joint_cells(joint: JointSliceEvidence) -> dict[str, Cell]:
    any_oedema = any(q.oedema for q in scored_quadrants(joint))
    return {
        "joint_height_mm": _rounded(joint.joint_height_mm, 1),
        "joint_intense": int(joint.intense and any_oedema),
        "joint_intense_probability": _rounded(joint.intense_probability, 3),
        "joint_intensity_ratio": _rounded(joint.intensity_ratio, 3),
        "joint_deep": int(joint.deep and any_oedema),
        "joint_deep_probability": _rounded(joint.deep_probability, 3),
        "joint_depth_mm": _rounded(joint.depth_mm, 1),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(float(value), digits)


def quadrants_csv(evidence: Evidence | None, changes: tuple[ItemChange, ...] = ()) -> str:
    """The table as CSV; without evidence (a visit that is not scorable) the header alone."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [entry.name for entry in QUADRANT_COLUMNS], lineterminator="\n")
    writer.writeheader()
    if evidence is not None:
        writer.writerows(quadrant_rows(evidence, changes))
    return text.getvalue()
