"""A SPARCC form as CSV: one row a joint and slice, written by a reader or by the program, read back strictly.

    slice,side,upper_ilium,upper_sacrum,lower_ilium,lower_sacrum,intense,deep[,joint_height_mm]
    7,right,1,0,1,1,0,0

Items are 0 or 1; `na` marks quadrants that the rule for low joints leaves out. Slices are named by their index on the
STIR's slice axis, counted from 0, or by any other consecutive numbers. Nothing is guessed: an empty or unknown cell,
an unknown column or a missing row is refused with its line.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path

from mri_sij.config import ScoringSettings
from mri_sij.errors import RefusedError
from mri_sij.evidence import (
    HALVED_JOINT_MM,
    QUADRANTS,
    Evidence,
    JointSliceEvidence,
    Quadrant,
    QuadrantEvidence,
    Side,
)
from mri_sij.scoring.complete import EvidenceError, require_complete
from mri_sij.scoring.sparcc import scored_quadrants

QUADRANT_COLUMNS = {q.item: q for q in QUADRANTS}
JOINT_COLUMNS = ("intense", "deep")
ITEM_COLUMNS = (*QUADRANT_COLUMNS, *JOINT_COLUMNS)
HEADER = ("slice", "side", *ITEM_COLUMNS)
HEIGHT = "joint_height_mm"
NOT_SCORED = "na"

_MAX_BYTES = 100_000
"""A form has twelve short rows; a larger file is something else."""


class FormError(RefusedError):
    """A form that cannot be read without guessing; the message names line and column."""

    code = "form"


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells of each row, stripped and in lower case; FormError when the header is not a form's.

    As spreadsheets write: commas, semicolons or tabs, a first line that names them (`sep=;`), any line ends, UTF-8 or
    marked UTF-16. Empty lines, and empty cells behind the last column, are passed over.
    """
    text = _text(path)
    header_line = next((line for line in text.splitlines() if HEADER[0] in line.lower()), "")
    separator = max(",;\t", key=header_line.count)
    rows = csv.reader(io.StringIO(text, newline=None), delimiter=separator, strict=True)
    header: list[str] = []
    try:
        for row in rows:
            cells = [cell.strip().lower() for cell in row]
            while len(cells) > len(header) and not cells[-1]:
                cells.pop()
            if not any(cells) or (not header and cells == ["sep="]):
                continue
            if not header:
                _require_header(cells, path)
                header = cells
            elif len(cells) != len(header):
                raise FormError(
                    f"Line {rows.line_num} has {len(cells)} cells, expected {len(header)}.", files=(path.name,)
                )
            else:
                yield rows.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise FormError(f"Line {rows.line_num} is not CSV ({error}).", files=(path.name,)) from error
    if not header:
        _require_header([], path)


def _text(path: Path) -> str:
    """The file's text; FormError when it is too large or no text."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
        if len(raw) > _MAX_BYTES:
            raise FormError(f"The form is larger than {_MAX_BYTES} bytes.", files=(path.name,))
        return raw.decode("utf-16" if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
    except FileNotFoundError as error:
        raise FormError("The form cannot be read: there is no such file.", files=(path.name,)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise FormError(f"The form cannot be read as text ({type(error).__name__}).", files=(path.name,)) from error


def _require_header(header: list[str], path: Path) -> None:
    missing = [name for name in HEADER if name not in header]
    unknown = sum(name not in (*HEADER, HEIGHT) for name in header)
    doubled = len(header) - len(set(header))
    if missing or unknown or doubled:
        told = [f"missing: {', '.join(missing)}"] if missing else []
        told += [f"{unknown} unknown"] if unknown else []
        told += [f"{doubled} given twice"] if doubled else []
        raise FormError(
            f"The columns are not those of a form ({'; '.join(told)}).",
            hint=f"Expected: {','.join(HEADER)} and, if wanted, {HEIGHT}.",
            files=(path.name,),
        )


def place_of(line: int, cells: dict[str, str], path: Path) -> tuple[int, Side]:
    """Slice number and side of a row."""
    if not cells["slice"].isdecimal() or len(cells["slice"]) > 5:
        raise FormError(f"Line {line}, column slice: expected a whole number from 0.", files=(path.name,))
    if cells["side"] not in tuple(Side):
        raise FormError(f"Line {line}, column side: expected left or right (the patient's own).", files=(path.name,))
    return int(cells["slice"]), Side(cells["side"])


def bit(line: int, column: str, cell: str, path: Path) -> bool:
    """A cell that must be 0 or 1."""
    if cell not in ("0", "1"):
        also = f" (or {NOT_SCORED} where the joint is too low)" if column in QUADRANT_COLUMNS else ""
        raise FormError(f"Line {line}, column {column}: expected 0 or 1{also}.", files=(path.name,))
    return cell == "1"


def height_mm(line: int, cells: dict[str, str], path: Path) -> float | None:
    """The joint's height, None where the cell is empty or the column missing."""
    cell = cells.get(HEIGHT, "")
    if not cell:
        return None
    try:
        height = float(cell.replace(",", "."))  # a decimal comma, as spreadsheets write in some countries
    except ValueError:
        height = float("nan")
    if not 0 <= height <= 200:
        raise FormError(f"Line {line}, column {HEIGHT}: expected millimetres from 0 to 200.", files=(path.name,))
    return height


def _joint(line: int, cells: dict[str, str], path: Path) -> JointSliceEvidence:
    number, side = place_of(line, cells, path)
    quadrants = tuple(
        QuadrantEvidence(quadrant, bit(line, column, cells[column], path))
        for column, quadrant in QUADRANT_COLUMNS.items()
        if cells[column] != NOT_SCORED
    )
    intense, deep = (bit(line, column, cells[column], path) for column in JOINT_COLUMNS)
    return JointSliceEvidence(side, number, quadrants, intense, deep, joint_height_mm=height_mm(line, cells, path))


def require_consistent(joint: JointSliceEvidence, where: str, path: Path) -> None:
    """FormError when items contradict: oedema in a quadrant too low to score, intense or deep without oedema."""
    scored = scored_quadrants(joint)
    if any(q.oedema for q in joint.quadrants if q not in scored):
        raise FormError(
            f"{where}: oedema is marked in a quadrant that is not scored at {joint.joint_height_mm:g} mm joint height.",
            hint=f"Below {HALVED_JOINT_MM:g} mm only the upper quadrants are scored.",
            files=(path.name,),
        )
    if (joint.intense or joint.deep) and not any(q.oedema for q in scored):
        raise FormError(f"{where}: intense or deep is marked, but no quadrant has oedema.", files=(path.name,))


def read_form(path: Path, settings: ScoringSettings | None = None) -> Evidence:
    """The evidence of a form filled in by a reader; FormError says which line and column is wrong.

    All slices with both joints must be there, in order from the anterior to the posterior slice (or the reverse).
    """
    settings = settings or ScoringSettings()
    joints = []
    for line, cells in read_rows(path):
        joint = _joint(line, cells, path)
        require_consistent(joint, f"Line {line}", path)
        joints.append(joint)
    evidence = Evidence(tuple(joints))
    try:
        require_complete(evidence, settings)
    except EvidenceError as error:
        raise FormError(error.message, hint=error.hint, files=(path.name,)) from error
    if not any(scored_quadrants(joint) for joint in joints):
        raise FormError(
            "No quadrant of the form is scored, expected at least one.",
            hint="A joint that was not read is not free of oedema: such a visit is not scorable, never 0.",
            files=(path.name,),
        )
    return evidence


def form_text(evidence: Evidence) -> str:
    """The form as CSV, `na` where a quadrant is not scored; `read_form` gives the same scores back."""
    lines = [",".join((*HEADER, HEIGHT))]
    for joint in evidence.joints:
        oedema = {q.quadrant: q.oedema for q in scored_quadrants(joint)}
        items = [str(int(oedema[q])) if q in oedema else NOT_SCORED for q in QUADRANT_COLUMNS.values()]
        further = [str(int(flag and any(oedema.values()))) for flag in (joint.intense, joint.deep)]
        height = "" if joint.joint_height_mm is None else repr(joint.joint_height_mm)
        lines.append(",".join((str(joint.slice_number), str(joint.side), *items, *further, height)))
    return "\n".join(lines) + "\n"


def write_form(evidence: Evidence, path: Path) -> None:
    """Write the form that `read_form` reads."""
    path.write_text(form_text(evidence), encoding="utf-8", newline="")


def items_of(joint: JointSliceEvidence) -> dict[str, bool | None]:
    """The six items of a form's row by column name; None where a quadrant is not scored."""
    oedema: dict[Quadrant, bool] = {q.quadrant: q.oedema for q in scored_quadrants(joint)}
    items: dict[str, bool | None] = {column: oedema.get(q) for column, q in QUADRANT_COLUMNS.items()}
    return {**items, "intense": joint.intense, "deep": joint.deep}
