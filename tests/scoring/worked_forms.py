"""Forms worked by hand from the published rules, and the short notation that they are written in.

A joint on a slice is four signs, upper ilium, upper sacrum, lower ilium, lower sacrum (1 oedema, 0 none, x not scored),
then `i` for intense and `d` for deep. A form is six slices from anterior to posterior, the right joint first, as a
reader sees them.
"""

from __future__ import annotations

from dataclasses import dataclass

from mri_sij.evidence import QUADRANTS, Evidence, JointSliceEvidence, QuadrantEvidence, Side

FIRST_SLICE = 4


def joint(code: str, side: Side, slice_number: int) -> JointSliceEvidence:
    """One joint of one slice from its signs."""
    quadrants = tuple(QuadrantEvidence(q, c == "1") for q, c in zip(QUADRANTS, code[:4], strict=True) if c != "x")
    return JointSliceEvidence(side, slice_number, quadrants, "i" in code[4:], "d" in code[4:])


def evidence(*slices: str) -> Evidence:
    """A form from its slices, each "right left"; fewer than six are filled up with slices without oedema."""
    joints: list[JointSliceEvidence] = []
    for number, text in enumerate((*slices, *["0000 0000"] * (6 - len(slices))), start=FIRST_SLICE):
        right, left = text.split()
        joints += [joint(right, Side.RIGHT, number), joint(left, Side.LEFT, number)]
    return Evidence(tuple(joints))


@dataclass(frozen=True)
class Worked:
    """A form and what the rules give, counted by hand."""

    name: str
    slices: tuple[str, ...]
    right: int
    left: int
    quadrants: int
    intensity: int
    depth: int
    by_slice: tuple[int, ...]
    asas_2009: bool
    asas_2021: bool
    scored: int = 48


NONE = "0000 0000"

WORKED = (
    Worked("no oedema", (NONE,) * 6, 0, 0, 0, 0, 0, (0, 0, 0, 0, 0, 0), False, False),
    Worked("everything", ("1111id 1111id",) * 6, 36, 36, 48, 12, 12, (12,) * 6, True, True),
    Worked("one quadrant once", (NONE, NONE, "1000 0000"), 1, 0, 1, 0, 0, (0, 0, 1, 0, 0, 0), False, False),
    Worked("same place on two", (NONE, "0001 0000", "0001 0000"), 2, 0, 2, 0, 0, (0, 1, 1, 0, 0, 0), True, False),
    Worked("same place, a gap", ("1000 0000", NONE, "1000 0000"), 2, 0, 2, 0, 0, (1, 0, 1, 0, 0, 0), False, False),
    Worked("both joints on one slice", (NONE, NONE, NONE, "1000 0100"), 1, 1, 2, 0, 0, (0, 0, 0, 2, 0, 0), True, False),
    Worked("same quadrant three times", (NONE, *["0000 0001"] * 3), 0, 3, 3, 0, 0, (0, 1, 1, 1, 0, 0), True, True),
    Worked("a whole joint once", ("1111 0000",), 4, 0, 4, 0, 0, (4, 0, 0, 0, 0, 0), True, True),
    Worked("a whole joint, both items", ("0000 1111id",), 0, 6, 4, 1, 1, (6, 0, 0, 0, 0, 0), True, True),
    Worked("one intense quadrant", (NONE, "1000i 0000"), 2, 0, 1, 1, 0, (0, 2, 0, 0, 0, 0), False, False),
    Worked("one quadrant, both items", (NONE, NONE, "0000 0010id"), 0, 3, 1, 1, 1, (0, 0, 3, 0, 0, 0), False, False),
    Worked("one joint wholly", ("1111id 0000",) * 6, 36, 0, 24, 6, 6, (6,) * 6, True, True),
    Worked("low joint in front", ("11xx 11xx",), 2, 2, 4, 0, 0, (4, 0, 0, 0, 0, 0), True, True, scored=44),
    Worked(
        "invisible, then low, then whole joints",
        ("xxxx xxxx", "11xxi 10xx", "1111id 1000d", "0101 1000", "0000 1000", NONE),
        right=11, left=5, quadrants=12, intensity=2, depth=2, by_slice=(0, 4, 8, 3, 1, 0),
        asas_2009=True, asas_2021=True, scored=36,
    ),
    Worked("neighbours on two slices", ("1000 0000", "0100 0000"), 2, 0, 2, 0, 0, (1, 1, 0, 0, 0, 0), False, False),
    Worked("same place, other side", ("1000 0000", "0000 1000"), 1, 1, 2, 0, 0, (1, 1, 0, 0, 0, 0), False, False),
    Worked(
        "every other slice",
        ("1000 0000", NONE, "1000 0000", NONE, "1000 0000", NONE),
        3, 0, 3, 0, 0, (1, 0, 1, 0, 1, 0), False, False,
    ),
    Worked(
        "four single quadrants, never together",
        ("1000 0000", "0100 0000", "1000 0000", "0000 1000"),
        3, 1, 4, 0, 0, (1, 1, 1, 1, 0, 0), False, True,
    ),
    Worked(
        "both sacral sides throughout, deep in three slices",
        ("0101 0101", *["0101d 0101d"] * 3, "0101 0101", "0101 0101"),
        15, 15, 24, 0, 6, (4, 6, 6, 6, 4, 4), True, True,
    ),
    Worked("left ilium throughout, intense", ("0000 1010i",) * 6, 0, 18, 12, 6, 0, (3,) * 6, True, True),
    Worked(
        "both joints, left more",
        ("0000 1000", "0100 1100", "0100 1101i", "1100 1111id", "0000 0111d", "0000 0001"),
        4, 18, 18, 2, 2, (1, 3, 5, 8, 4, 1), True, True,
    ),
    Worked(
        "low joints behind",
        (NONE, NONE, NONE, NONE, "10xx 01xxd", "00xx 11xxid"),
        1, 6, 4, 1, 2, (0, 0, 0, 0, 3, 4), True, True, scored=40,
    ),
    Worked("three quadrants of one slice", (NONE, "1100 0010i"), 2, 2, 3, 1, 0, (0, 4, 0, 0, 0, 0), True, False),
    Worked(
        "lower right once, upper left once, apart",
        ("0010 0000", NONE, NONE, NONE, NONE, "0000 0100d"),
        1, 2, 2, 0, 1, (1, 0, 0, 0, 0, 2), False, False,
    ),
)  # fmt: skip
