"""`mri-sij schema`: what every column and key means."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def schema(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Print the data dictionary: every column of every table and every key of visit.json, with unit and meaning."""
    from dataclasses import asdict  # noqa: PLC0415

    from mri_sij.report import dictionary  # noqa: PLC0415
    from mri_sij.study.tables import TABLES  # noqa: PLC0415

    every = {**TABLES, "visit.json": dictionary.VISIT_KEYS}
    if as_json:
        print(json.dumps({name: [asdict(entry) for entry in entries] for name, entries in every.items()}, indent=1))
        return
    for name, entries in every.items():
        print(f"\n{name}")
        for e in entries:
            unit = f" [{e.unit}]" if e.unit else ""
            print(f"  {e.name} ({e.kind}){unit}: {e.meaning}" + (f"; empty: {e.empty}" if e.empty else ""))
