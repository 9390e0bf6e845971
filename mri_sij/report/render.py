"""Pages from templates: one file each, with style and script inside, so that nothing is ever loaded from elsewhere."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def signed(value: float) -> str:
    """A change with its sign; none has no sign."""
    return f"{value:+g}" if value else "0"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("mri_sij.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["signed"] = signed
    return environment


def asset(name: str) -> Markup:
    """A style sheet or script of the package, as it is."""
    return Markup((resources.files("mri_sij.report") / "templates" / name).read_text(encoding="utf-8"))


def render(template: str, **values: Any) -> str:
    """The page that `template` gives; every value is escaped, an unknown name is an error."""
    return _environment().get_template(template).render(css=asset("page.css"), js=asset("page.js"), **values)
