"""Which T1 of a visit goes with its STIR, and why not the others."""

from __future__ import annotations

from mri_sij.config import IngestSettings
from mri_sij.evidence import Reason
from mri_sij.ingest.candidate import Candidate
from mri_sij.ingest.plane import angle_between_deg
from mri_sij.ingest.sequence import is_fluid_sensitive
from mri_sij.resample import overlap_fraction


def choose_t1(
    stir: Candidate,
    candidates: list[Candidate],
    settings: IngestSettings,
    reasons: dict[tuple[int, int], str],
    cautions: list[Reason],
) -> Candidate | None:
    """The T1 that goes best with the STIR, None where none does; `reasons` (why not the others) and `cautions` grow."""
    fitting: list[tuple[tuple[float, ...], Candidate]] = []
    fluid = [one.series for one in candidates if is_fluid_sensitive(one.sequence.kind)]
    strangers = {one.name_words for one in fluid if one.is_named_apart(stir.series)}
    for one in candidates:
        if one.sequence.kind != "t1" or one is stir:
            continue
        reason, rank = _match(stir, one, strangers, settings)
        if reason:
            reasons[one.key] = reason
        else:
            fitting.append((rank, one))
    fitting.sort(key=lambda pair: (*(-v for v in pair[0]), *pair[1].key))
    if not fitting:
        cautions.append(Reason("no_t1", "No T1 goes with the STIR; anatomy is found on the STIR alone."))
        return None
    rank, chosen = fitting[0]
    for other_rank, one in fitting[1:]:
        how = "as well with the STIR as" if other_rank == rank else "less well with the STIR than"
        reasons[one.key] = f"{one.sequence.reason}: goes {how} series {chosen.label}"
        if other_rank == rank:
            labels = f"{chosen.label} and {one.label}"
            cautions.append(Reason("equally_good_t1", f"T1 series {labels} are equally good; the first is used."))
    if chosen.series.is_named_apart(stir.series):
        cautions.append(
            Reason(
                "t1_named_apart",
                f"The files of the STIR and the T1 (series {stir.series.number} and {chosen.series.number}) have "
                "unlike names, and nothing else says that they are of one person.",
            )
        )
    return chosen


def _match(
    stir: Candidate, t1: Candidate, strangers: set[frozenset[str]], settings: IngestSettings
) -> tuple[str, tuple[float, ...]]:
    """Why the T1 cannot go with the STIR, "" where it can, and how well it does; `strangers` are names of others."""
    if t1.series.name_words in strangers:
        return f"{t1.sequence.reason}, but by its name it goes with another fluid-sensitive image", ()
    frames = (stir.series.frame_of_reference, t1.series.frame_of_reference)
    if frames[0] != frames[1]:
        return f"{t1.sequence.reason}, but in another frame of reference than the STIR", ()
    angle, overlap = angle_between_deg(stir.grid, t1.grid), overlap_fraction(stir.grid, t1.grid)
    if angle > settings.t1_max_angle_deg:
        return f"{t1.sequence.reason}, but tilted {angle:.0f} degrees from the STIR", ()
    if overlap < settings.t1_min_overlap:
        return f"{t1.sequence.reason}, but it covers {overlap:.0%} of the STIR", ()
    protocol = t1.volume.protocol
    return "", (
        not t1.series.is_named_apart(stir.series),
        not protocol.contrast_agent and "contrast" not in protocol.words,
        t1.sequence.decided_by == "timing",
        round(overlap, 1),
        -round(angle),
    )
