"""The page: self-contained, deterministic, complete, and free of anything that is not ours."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import made_visit
import pytest

from mri_sij.report.page import visit_page, visit_view
from mri_sij.result import Reading, VisitResult
from mri_sij.scoring.overrule import ItemChange, Overruled


class Tags(HTMLParser):
    """Collects tags and checks that those that need it are closed."""

    VOID = ("meta", "input", "br", "image", "path", "rect", "line", "use", "link", "img")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.seen if name == tag]


@pytest.fixture(scope="module")
def result() -> VisitResult:
    return made_visit.scored(made_visit.REVERSED)


@pytest.fixture(scope="module")
def page(result: VisitResult) -> str:
    return visit_page(result)


def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    tags = Tags(page)
    assert tags.open == []
    addresses = [v for _, attrs in tags.seen for k, v in attrs.items() if k in ("href", "src", "action") and v]
    assert addresses
    assert all(address.startswith(("data:image/png", "#")) for address in addresses)
    assert not re.search(r"url\(|@import|https?://", page)
    assert "default-src 'none'" in page


def test_six_slices_each_with_both_pictures_and_its_lines(page: str) -> None:
    tags = Tags(page)
    figures = [f for f in tags.all("figure") if f["class"] == "plate"]
    assert [f["data-slice"] for f in figures] == ["6", "5", "4", "3", "2", "1"]
    assert len(tags.all("image")) == 12
    assert sum("l-oedema" in (p.get("class") or "") for p in tags.all("path")) == 4
    assert sum("l-joint joint" in (p.get("class") or "") for p in tags.all("path")) == 12
    assert page.count("Not for diagnosis") == 3


def test_every_cell_of_the_form_has_its_place_in_the_picture(page: str) -> None:
    tags = Tags(page)
    cells = {b["data-key"] for b in tags.all("button") if "data-key" in b}
    places = {p["data-key"] for p in tags.all("path") if "data-key" in p}
    assert len(cells) == 6 * 2 * 6
    assert places == {key for key in cells if key and not key.endswith(("intense", "deep"))}


def test_the_patients_right_is_drawn_on_the_left(result: VisitResult) -> None:
    view = visit_view(result)
    assert (view.edges.left, view.edges.right) == ("R", "L")
    oedema = next(layer.path for layer in view.plates[0].layers if layer.layer == "oedema")
    assert float(oedema[1:].split()[0]) < view.width_mm / 2
    assert view.score is not None
    assert (view.score.right, view.score.left) == (8, 0)


def test_same_result_same_bytes(result: VisitResult, page: str) -> None:
    assert visit_page(result) == page


def test_values_are_escaped(result: VisitResult) -> None:
    assert "<script>alert" not in visit_page(result, title="<script>alert(1)</script>")


def test_a_readers_changes_stand_beside_the_programs_score(result: VisitResult) -> None:
    assert result.evidence is not None and result.sheet is not None
    made = made_visit.scored()
    assert made.evidence is not None and made.sheet is not None
    change = ItemChange(7, made.evidence.joints[0].side, "deep", False, True)
    object.__setattr__(made, "reading", Reading(Overruled(made.evidence, (change,)), made.sheet))
    page = visit_page(made)
    assert "with the reader's changes" in page.replace("&#39;", "'")
    assert "Changed by a reader" in page


def test_without_a_t1_the_stir_stands_alone() -> None:
    made = made_visit.scored()
    alone = replace(made, t1=None, images=replace(made.images, t1=None, t1_acquisition=None))
    page = visit_page(alone)
    assert len(Tags(page).all("image")) == 6
    assert '<body class="no-t1">' in page
    assert "T1 beside STIR" not in page


def test_a_visit_that_is_not_scorable_says_why_and_shows_no_number() -> None:
    view = visit_view(made_visit.refused())
    assert view.score is None
    assert view.form == ()
    page = visit_page(made_visit.refused())
    assert "Not scorable" in page
    assert view.reasons
    assert all(reason.code in page for reason in view.reasons)
    assert "of 72" not in page
    assert len(Tags(page).all("image")) == 12
    assert '<path class="left-ilium" d="M1 4h28"/></svg>Left ilium' in page, "a key for its outlines"
    assert "data-layer" not in page.split("</style>")[1].split("<script>")[0]


def test_on_paper_every_sheet_says_whose_it_is_and_the_lines_have_a_key(result: VisitResult) -> None:
    css = visit_page(result, "sub-1_ses-2").split("<style>")[1].split("</style>")[0]
    assert '@top-left { content: "sub-1_ses-2"' in css and '@top-right { content: "Research use only. Not for' in css
    on_paper = css.split("@media print")[1]
    hidden = [rule for rule in re.findall(r"([^{}]+)\{ display: none", on_paper) for rule in rule.split(",")]
    assert not {".keys", ".said"} & {rule.strip() for rule in hidden}
