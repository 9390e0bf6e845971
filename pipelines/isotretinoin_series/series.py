"""Reproduce the follow-up table of the nine-case series from pictures alone.

    python pipelines/isotretinoin_series/series.py [--out FOLDER] [--cases 3 5] [--build-only]

Simulates the nine patients (cases.py) as DICOM, scores every visit, compares those that were followed up, and prints
the paper's table beside ours. Exit status 5 when they differ.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cases import CASES, SAID, Case

from mri_sij.compare.records import Comparison
from mri_sij.config import Settings
from mri_sij.phantom.scan import Matrix, Position, Scanner
from mri_sij.phantom.study import Who, write_person
from mri_sij.phantom.tissue import Sequence as Pulse
from mri_sij.phantom.visits import Session, room_of
from mri_sij.workflow import compare_paths, score_visit, write_comparison

_STIR_15 = Pulse(4800, 60, 155, 1.5)
_T1_15 = Pulse(560, 12, None, 1.5)


def sessions_of(case: Case) -> tuple[Session, ...]:
    """Baseline and follow-up: lying elsewhere, slices tilted otherwise, other voxels, one scanner."""
    scanner = Scanner(_STIR_15, _T1_15, 30.0, 50.0, 1.0, 0.15, 0.25)
    first = Session(Position(36.0 + case.number % 5, 1.0), Matrix((256, 256), 0.9, 18, 4.2, 3.8), scanner)
    room = room_of((3.0, -4.0 + case.number % 3, 2.0), (9.0, -6.0, 11.0))
    second = Session(Position(29.0 + case.number % 5, -2.0), Matrix((240, 240), 0.95, 18, 4.4, 4.0), scanner, room)
    return (first, second)[: 1 if case.followup is None else 2]


def build(case: Case, out: Path) -> Path:
    """Write a case's visits as DICOM into `out`/case-N; a folder that is there already is used as it is."""
    folder = out / f"case-{case.number}"
    if not (folder / "truth.json").exists():
        courses = (case.baseline,) if case.followup is None else (case.baseline, case.followup)
        dates = ("20150601", f"{2015 + (case.interval_years or 0)}0601")
        who = Who(f"SERIES{case.number:02d}", case.sex, case.age_years, dates)
        write_person(folder, case.seed, courses, who=who, sessions=sessions_of(case))
    return folder


def follow_up(case: Case, folder: Path, out: Path, settings: Settings) -> Comparison:
    """Compare a case's two visits and write the comparison beside them."""
    comparison = compare_paths([folder / "visit-1", folder / "visit-2"], settings)
    write_comparison(comparison, settings, out / f"comparison-{case.number}")
    return comparison


def row_of(case: Case, comparison: Comparison) -> tuple[str, str]:
    """One line of the table, and the class found."""
    found = comparison.followups[0]
    said = SAID[case.outcome or ""]
    if found.change is None:
        why = "; ".join(reason.message for reason in found.reasons)
        return f"{case.number}  {case.sex} {case.age_years}  {case.outcome:<11} not comparable: {why}", "not_comparable"
    outcome = found.change.outcome
    share = found.change.probabilities[outcome.change_class]
    mark = "=" if outcome.change_class == said else "DIFFERS"
    text = (
        f"{case.number}  {case.sex} {case.age_years}  {case.interval_years} y  {case.outcome:<11}"
        f"{outcome.change_class:<14}{outcome.baseline:>4g} -> {outcome.followup:<4g}"
        f"{found.change.volume.baseline_ml:6.1f} -> {found.change.volume.followup_ml:<6.1f}{share:5.0%}  {mark}"
    )
    return text, str(outcome.change_class)


def run(cases: Sequence[Case], out: Path) -> bool:
    """Build, score and compare; print the table. Whether every outcome is the paper's."""
    settings = Settings()
    found, said = Counter[str](), Counter[str]()
    lines = []
    for case in cases:
        folder = build(case, out)
        if case.followup is None:
            result = score_visit(folder / "visit-1", settings)
            total = "not scorable" if result.sheet is None else f"SPARCC {result.sheet.sparcc.total}"
            lines.append(f"{case.number}  {case.sex} {case.age_years}  not followed up; baseline {total}")
        else:
            line, change_class = row_of(case, follow_up(case, folder, out, settings))
            lines.append(line)
            found[change_class] += 1
            said[SAID[case.outcome or ""]] += 1
        print(f"case {case.number} done", file=sys.stderr, flush=True)
    print("#  patient  after  paper      found         SPARCC       oedema, ml     sure")
    print("\n".join(lines))
    for name, counts in (("paper", said), ("found", found)):
        print(f"{name}: " + ", ".join(f"{counts[c]} {c}" for c in (*SAID.values(), "not_comparable")))
    return found == said and not any("DIFFERS" in line for line in lines)


def main() -> None:
    """Parse, run, exit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="keep DICOM and comparisons here (default: a temporary folder)")
    parser.add_argument("--cases", type=int, nargs="+", help="only these cases")
    parser.add_argument("--build-only", action="store_true", help="write the DICOM and stop")
    given = parser.parse_args()
    cases = [case for case in CASES if not given.cases or case.number in given.cases]
    with tempfile.TemporaryDirectory() as temporary:
        out = given.out or Path(temporary)
        if given.build_only:
            for case in cases:
                print(build(case, out))
            return
        sys.exit(0 if run(cases, out) else 5)


if __name__ == "__main__":
    main()
