"""`visit.json`: every key explained, every explanation used, nothing that is not JSON, no 0 where there is no score."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import made_visit
import numpy as np
import pytest

from mri_sij.config import Settings
from mri_sij.evidence import Side
from mri_sij.report.dictionary import VISIT_KEYS
from mri_sij.report.record import plain_value, visit_dict, visit_json
from mri_sij.result import Reading
from mri_sij.scoring.overrule import ItemChange, Overruled

FREE = ("settings.", "provenance.packages.")
KNOWN = {entry.name: entry for entry in VISIT_KEYS}
BOTH = re.compile(r"(?<=slices\[\])\.(left|right)|(?<=^berlin)\.(left|right)")
TYPES = {"integer": int, "number": (int, float), "string": str, "boolean": bool, "object": dict, "array": list}


def paths(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if path and not (path.endswith("[]") and isinstance(value, dict)):  # a member is explained by its keys
        yield BOTH.sub(".*", path), value
    if isinstance(value, dict):
        for key, member in value.items():
            yield from paths(member, f"{path}.{key}" if path else key)
    if isinstance(value, list):
        for member in value:
            yield from paths(member, f"{path}[]")


def with_reader() -> Any:
    result = made_visit.scored()
    assert result.sheet and result.evidence
    changes = (ItemChange(7, Side.RIGHT, "deep", True, False),)
    object.__setattr__(result, "reading", Reading(Overruled(result.evidence, changes), result.sheet))
    return result


@pytest.mark.parametrize("made", [with_reader, made_visit.scored, made_visit.refused])
def test_every_key_is_explained_and_has_its_type(made: Any) -> None:
    for path, value in paths(json.loads(visit_json(made()))):
        if path.startswith(FREE):
            continue
        assert path in KNOWN, path
        entry = KNOWN[path]
        if value is None:
            assert entry.empty, f"{path} is null, which its explanation does not foresee"
        else:
            assert isinstance(value, TYPES[entry.kind]), path  # type: ignore[arg-type]


def test_every_explanation_is_of_a_key_that_exists() -> None:
    found = {path for made in (with_reader, made_visit.refused) for path, _ in paths(json.loads(visit_json(made())))}
    assert {entry.name for entry in VISIT_KEYS} <= found
    assert len(KNOWN) == len(VISIT_KEYS)


def test_scores_and_slices_in_the_series_own_numbers() -> None:
    plain = visit_dict(made_visit.scored(made_visit.REVERSED))
    assert plain["status"] == "scored"
    assert (plain["sparcc"]["total"], plain["sparcc"]["left"]["total"], plain["sparcc"]["right"]["total"]) == (8, 0, 8)
    assert plain["anatomy"]["slices"] == [s["slice"] for s in plain["sparcc"]["slices"]] == [6, 5, 4, 3, 2, 1]
    assert plain["lesions"][0]["slices"] == [3, 4, 5, 6]
    assert plain["asas"]["positive_2009"] is True
    assert plain["oedema"]["volume_ml"] == 3.58


def test_a_visit_that_is_not_scorable_has_no_0() -> None:
    plain = visit_dict(made_visit.refused())
    assert plain["status"] == "not_scorable"
    assert plain["reasons"]
    assert plain["sparcc"]["total"] is None
    assert plain["sparcc"]["left"]["total"] is None
    assert plain["asas"]["positive_2009"] is None
    assert plain["oedema"]["volume_ml"] is None
    assert any(check["passed"] is False for check in plain["quality"])


def test_the_path_of_another_segmenter_stays_out() -> None:
    settings = Settings()
    given = settings.with_segmenter("masks:/DOE^JANE/a.nii")
    assert given.shown()["anatomy"]["segmenter"] == "masks:PATH"
    assert settings.shown()["anatomy"]["segmenter"] == "builtin"


def test_same_result_same_bytes() -> None:
    assert visit_json(made_visit.scored()) == visit_json(made_visit.scored())


def test_plain_values() -> None:
    assert plain_value((np.float32(0.1), np.int64(3), Side.LEFT, float("inf"), True, None)) == [
        0.1,
        3,
        "left",
        None,
        True,
        None,
    ]
    assert type(plain_value(Side.LEFT)) is str
