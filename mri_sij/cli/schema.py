"""`mri-sij schema`: what every column and key means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def schema(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Write dictionary.csv and the JSON Schemas to this folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the dictionary as JSON.")] = False,
) -> None:
    """Print the data dictionary: each column of a study's tables and each key of its JSON files, with unit and meaning.

    Example: mri-sij schema -o SCHEMA
    """
    from dataclasses import asdict  # noqa: PLC0415

    from mri_sij.study.dictionary import DICTIONARY, dictionary_csv, json_schemas  # noqa: PLC0415

    if out is not None:
        from mri_sij.study.files import require_writable  # noqa: PLC0415
        from mri_sij.whole import write_whole  # noqa: PLC0415

        require_writable(out)
        write_whole(out / "dictionary.csv", dictionary_csv())
        for name, content in json_schemas().items():
            write_whole(out / f"{name}.schema.json", json.dumps(content, indent=1) + "\n")
        print(out)
        return
    if as_json:
        print(
            json.dumps({name: [asdict(entry) for entry in entries] for name, entries in DICTIONARY.items()}, indent=1)
        )
        return
    for name, entries in DICTIONARY.items():
        print(f"\n{name}")
        for e in entries:
            unit = f" [{e.unit}]" if e.unit else ""
            print(f"  {e.name} ({e.kind}){unit}: {e.meaning}" + (f"; empty: {e.empty}" if e.empty else ""))
