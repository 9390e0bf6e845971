"""`index.html` of a study: who changed how, at a glance, and the way to every page."""

from __future__ import annotations

from typing import Any

from mri_sij.report.render import render

Row = dict[str, Any]
_WIDTH, _HEIGHT, _PAD = 640, 240, 36
_COLOURS = {"normalization": "#009E73", "regression": "#56B4E9", "stability": "#8a8a8a", "progression": "#D55E00"}


def study_page(visits: list[Row], changes: list[Row], messages: dict[str, str]) -> str:
    """The page as one self-contained HTML text. `messages` holds, by visit key, why a visit has no score."""
    rows = [{**v, "key": f"sub-{v['patient']}_ses-{v['visit']}"} for v in visits]
    pairs = [{**c, "key": f"sub-{c['patient']}_ses-{c['baseline']}_vs_ses-{c['followup']}"} for c in changes]
    counts: dict[str, int] = {}
    for row in pairs:
        name = row["change_class"] or "not compared"
        counts[name] = counts.get(name, 0) + 1
    return render(
        "study.html.j2", visits=rows, changes=pairs, messages=messages, counts=counts, colours=_COLOURS,
        waterfall=_waterfall(pairs), spaghetti=_spaghetti(rows),
    )  # fmt: skip


def _waterfall(pairs: list[Row]) -> str:
    """Bars of the change in SPARCC, from the greatest rise to the greatest fall, as inline SVG."""
    known = sorted((p for p in pairs if p["sparcc_delta"] is not None), key=lambda p: (-p["sparcc_delta"], p["key"]))
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
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}">'
            f"<title>sub-{pair['patient']}: {delta:+g}</title></rect>"
        )
    ticks = "".join(
        f'<line x1="{_PAD}" x2="{_WIDTH}" y1="{middle - v * scale:.1f}" y2="{middle - v * scale:.1f}" class="grid"/>'
        f'<text x="{_PAD - 6}" y="{middle - v * scale + 4:.1f}" text-anchor="end">{v:+g}</text>'
        for v in (round(top), 0, -round(top))
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Change in SPARCC">{ticks}{"".join(bars)}</svg>'
    )


def _spaghetti(rows: list[Row]) -> str:
    """SPARCC of each patient over the visits, a line a patient, as inline SVG."""
    lines: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        own = lines.setdefault(row["patient"], [])
        if row["sparcc_total"] is not None:
            own.append((sum(r["patient"] == row["patient"] for r in rows[: rows.index(row)]), row["sparcc_total"]))
    lines = {p: points for p, points in lines.items() if len(points) > 1}
    if not lines:
        return ""
    last = max(x for points in lines.values() for x, _ in points)
    top = max(6, *(y for points in lines.values() for _, y in points))
    across, up = (_WIDTH - _PAD - 44) / last, (_HEIGHT - 40) / top
    drawn = []
    for patient, points in lines.items():
        at = [(_PAD + 8 + x * across, _HEIGHT - 24 - y * up) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in at)
        drawn.append(f'<g class="line"><title>sub-{patient}</title><polyline points="{path}"/>{dots}</g>')
    names = "".join(
        f'<text x="{_PAD + 8 + x * across:.1f}" y="{_HEIGHT - 6}" text-anchor="middle">visit {x + 1}</text>'
        for x in range(last + 1)
    )
    ticks = "".join(
        f'<text x="{_PAD - 6}" y="{_HEIGHT - 20 - v * up:.1f}" text-anchor="end">{v}</text>' for v in (0, top)
    )
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="SPARCC by visit">{ticks}{names}{"".join(drawn)}</svg>'
