"""`index.html` of a study: who changed how, at a glance, and the way to every page."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from mri_sij.report.render import render, signed

Row = dict[str, Any]
_WIDTH, _HEIGHT, _PAD = 640, 240, 36
_COLOURS = {"normalization": "#009E73", "regression": "#56B4E9", "stability": "#8a8a8a", "progression": "#D55E00"}
_CLINICAL = ("hla_b27", "crp_mg_l", "esr_mm_h", "drug", "symptoms")


def study_page(
    visits: list[Row], changes: list[Row], messages: dict[str, str], pages: Collection[str], notes: list[str]
) -> str:
    """The page as one HTML text; only the thumbnails lie beside it. `messages` holds, by key, why a visit has no score
    or a follow-up no class, `pages` the keys that have a page of their own, `notes` what concerns the whole study."""
    rows = [{**v, "key": f"sub-{v['patient']}_ses-{v['visit']}"} for v in visits]
    pairs = [{**c, "key": f"sub-{c['patient']}_ses-{c['baseline']}_vs_ses-{c['followup']}"} for c in changes]
    return render(
        "study.html.j2",
        visits=rows,
        changes=pairs,
        messages=messages,
        pages=pages,
        notes=notes,
        counts=_counts(rows, pairs),
        clinical=any(row.get(name) not in (None, "") for row in rows for name in _CLINICAL),
        colours=_COLOURS,
        waterfall=_waterfall(pairs),
        spaghetti=_spaghetti(rows, pairs),
    )


def _counts(rows: list[Row], pairs: list[Row]) -> dict[str, dict[str, int]]:
    """How many visits have each status, and how many follow-ups each class."""
    found: dict[str, dict[str, int]] = {"visits": {}, "changes": {}}
    for row in rows:
        name = "scored" if row["status"] == "done" else row["status"].replace("_", " ")
        found["visits"][name] = found["visits"].get(name, 0) + 1
    for pair in pairs:
        name = pair.get("change_class") or "not compared"
        found["changes"][name] = found["changes"].get(name, 0) + 1
    return found


def _waterfall(pairs: list[Row]) -> str:
    """Bars of the change in SPARCC, from the greatest rise to the greatest fall, as inline SVG."""
    known = [p for p in pairs if p.get("sparcc_delta") is not None]
    known.sort(key=lambda p: (-p["sparcc_delta"], p["key"]))
    if not known:
        return ""
    top = max(5.0, *(abs(p["sparcc_delta"]) for p in known))
    middle, scale = _HEIGHT / 2, (_HEIGHT / 2 - 14) / top
    step = (_WIDTH - _PAD) / len(known)
    bars = []
    for n, pair in enumerate(known):
        delta = pair["sparcc_delta"]
        height = max(abs(delta) * scale, 1.5)
        y = middle - height if delta > 0 else middle
        x, width, colour = _PAD + step * (n + 0.15), min(step * 0.7, 60), _COLOURS.get(pair["change_class"], "#8a8a8a")
        bars.append(
            f'<a href="comparisons/{pair["key"]}/comparison.html"><rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}" fill="{colour}"><title>sub-{pair["patient"]}: {signed(delta)}</title></rect></a>'
        )
    ticks = "".join(
        f'<line x1="{_PAD}" x2="{_WIDTH}" y1="{middle - v * scale:.1f}" y2="{middle - v * scale:.1f}" class="grid"/>'
        f'<text x="{_PAD - 6}" y="{middle - v * scale + 4:.1f}" text-anchor="end">{signed(v)}</text>'
        for v in (round(top), 0, -round(top))
    )
    return _svg("Change in SPARCC", ticks + "".join(bars))


def _spaghetti(rows: list[Row], pairs: list[Row]) -> str:
    """SPARCC of each patient over time, a line a patient: by days where all of them have dates, else by visit.

    A visit that could not be compared with its baseline, perhaps of another person, is a dot of its own.
    """
    apart = {(p["patient"], p["followup"]) for p in pairs if _is_apart(p)}
    by_days = all(row.get("day") is not None for row in rows)
    count: dict[str, int] = {}
    lines: dict[str, list[tuple[int, int, bool]]] = {}
    for row in rows:
        place = count.get(row["patient"], 0)
        count[row["patient"]] = place + 1
        if row.get("sparcc_total") is not None:
            x = row["day"] if by_days else place
            joined = (row["patient"], row["visit"]) not in apart
            lines.setdefault(row["patient"], []).append((x, row["sparcc_total"], joined))
    lines = {patient: sorted(points) for patient, points in lines.items() if len(points) > 1}
    last = max((x for points in lines.values() for x, _, _ in points), default=0)
    if not last:
        return ""
    top = max(6, *(y for points in lines.values() for _, y, _ in points))
    across, up = (_WIDTH - _PAD - 44) / last, (_HEIGHT - 40) / top
    drawn = []
    for patient, points in lines.items():
        at = [(_PAD + 8 + x * across, _HEIGHT - 24 - y * up, joined) for x, y, joined in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, joined in at if joined)
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y, _ in at)
        drawn.append(f'<g class="line"><title>sub-{patient}</title><polyline points="{path}"/>{dots}</g>')
    names = [(x, f"day {x}") for x in (0, last)] if by_days else [(x, f"visit {x + 1}") for x in range(last + 1)]
    told = "".join(
        f'<text x="{_PAD + 8 + x * across:.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{text}</text>'
        for x, text in names
    )
    ticks = "".join(
        f'<text x="{_PAD - 6}" y="{_HEIGHT - 20 - v * up:.1f}" text-anchor="end">{v}</text>' for v in (0, top)
    )
    return _svg("SPARCC over time", ticks + told + "".join(drawn))


def _is_apart(pair: Row) -> bool:
    """Whether a follow-up was not compared for another reason than that one of the visits has no score."""
    return not pair.get("change_class") and pair["code"] != "visit_without_score"


def _svg(label: str, inside: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{inside}</svg>'
