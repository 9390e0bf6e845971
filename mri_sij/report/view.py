"""What a visit's page shows, as plain records; `report.page` fills them in and the template lays them out."""

from __future__ import annotations

from dataclasses import dataclass

from mri_sij.evidence import Reason
from mri_sij.report.form_view import FormRow
from mri_sij.report.frame import Edges
from mri_sij.report.plate import Layer, Spot


@dataclass(frozen=True)
class Bar:
    """One total of the probability plot, in its own small units."""

    x: float
    y: float
    width: float
    height: float
    style: str


@dataclass(frozen=True)
class Tick:
    """A number under the probability plot."""

    x: float
    text: str


@dataclass(frozen=True)
class ScoreView:
    """The head of the page: totals, their interval, and everything else that is scored."""

    total: int
    left: int
    right: int
    interval: str
    overruled: int | None
    parts: tuple[tuple[str, str], ...]
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    others: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PlateView:
    """One slice: pictures, lines, and what is said above it."""

    slice_number: int
    name: str
    place: str
    caption: str
    stir: str
    t1: str
    layers: tuple[Layer, ...]
    spots: tuple[Spot, ...]


@dataclass(frozen=True)
class LayerKey:
    """A kind of line: the key that switches it and whether it is on at first."""

    layer: str
    styles: tuple[str, ...]
    name: str
    key: str
    shown: bool


@dataclass(frozen=True)
class Block:
    """A table below the pictures. `numeric` are right-aligned columns, `bad` rows are marked."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    numeric: tuple[int, ...] = ()
    bad: tuple[int, ...] = ()
    wide: bool = False


@dataclass(frozen=True)
class VisitView:
    """The whole page. Without a score, `reasons` say why and the pictures carry no lines."""

    title: str
    score: ScoreView | None
    reasons: tuple[Reason, ...]
    cautions: tuple[Reason, ...]
    plates: tuple[PlateView, ...]
    form: tuple[FormRow, ...]
    layers: tuple[LayerKey, ...]
    blocks: tuple[Block, ...]
    records: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    edges: Edges
    stir_name: str
    width_mm: float
    height_mm: float
    has_t1: bool
    footer: str

    @property
    def letter_mm(self) -> float:
        """Height of the letters on the picture: a fortieth of its width."""
        return round(self.width_mm / 40, 2)


LAYERS = (
    LayerKey("oedema", ("oedema",), "Oedema", "o", shown=True),
    LayerKey("joint", ("joint",), "Joint; dotted: ligaments", "j", shown=True),
    LayerKey("quadrants", ("divide",), "Quadrants; dots 1 cm deep", "q", shown=True),
    LayerKey("bones", ("right-ilium", "sacrum", "left-ilium"), "Bones", "b", shown=False),
)
"""The kinds of lines, most looked at first."""
