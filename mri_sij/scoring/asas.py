"""When an MRI of the sacroiliac joints is "positive" for active lesions, by three published rules.

2009: Rudwaleit et al., Ann Rheum Dis 2009;68:1520 (two quadrants on one slice, or one on two consecutive slices).
2016: Lambert et al., Ann Rheum Dis 2016;75:1958 (oedema clearly present in subchondral bone; no count).
2021: Maksymowych et al., Rheumatology 2021;60:4778 (data-driven cut-offs for an active lesion typical of axial
spondyloarthritis: at least four quadrants anywhere, or the same place on three consecutive slices).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from mri_sij.config import ScoringSettings
from mri_sij.evidence import Evidence, Quadrant, Side
from mri_sij.scoring.sparcc import scored_quadrants

Place = tuple[Side, Quadrant]


@dataclass(frozen=True)
class Asas:
    """The three answers and the counts that they rest on."""

    positive_2009: bool
    positive_2016: bool
    positive_2021: bool
    quadrants: int
    quadrants_on_one_slice: int
    consecutive_slices: int
    clear_quadrants: int


def longest_run(found: list[set[Place]]) -> int:
    """The most consecutive slices on which one and the same quadrant has oedema.

    `found` has a set of places a slice, in order.
    """
    running: Counter[Place] = Counter()
    longest = 0
    for places in found:
        running = Counter({place: running[place] + 1 for place in places})
        longest = max(longest, max(running.values(), default=0))
    return longest


def judge_asas(evidence: Evidence, settings: ScoringSettings) -> Asas:
    """Apply the rules to every quadrant that SPARCC scores.

    For 2016, "clearly present" is a quadrant whose probability is at least `settings.asas_2016_clear_from`; a reader's
    mark, which has no probability, is clear.
    """
    by_slice: dict[int, set[Place]] = {number: set() for number in evidence.slice_numbers}
    clear = 0
    for joint in evidence.joints:
        for q in scored_quadrants(joint):
            if q.oedema:
                by_slice[joint.slice_number].add((joint.side, q.quadrant))
                clear += q.probability is None or q.probability >= settings.asas_2016_clear_from
    found = list(by_slice.values())
    count, widest, run = sum(map(len, found)), max(map(len, found), default=0), longest_run(found)
    return Asas(
        positive_2009=widest >= settings.asas_2009_quadrants or run >= settings.asas_2009_slices,
        positive_2016=clear >= 1,
        positive_2021=count >= settings.asas_2021_quadrants or run >= settings.asas_2021_slices,
        quadrants=count,
        quadrants_on_one_slice=widest,
        consecutive_slices=run,
        clear_quadrants=clear,
    )
