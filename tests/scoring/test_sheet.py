"""The score sheet as plain values."""

from __future__ import annotations

import json

from worked_forms import evidence

from mri_sij.config import ScoringSettings
from mri_sij.scoring.sheet import score


def test_keys_and_sums() -> None:
    sheet = score(evidence("11xxi 10xx", "1111id 0000"), ScoringSettings())
    plain = json.loads(json.dumps(sheet.to_dict()))
    assert plain["sparcc"]["total"] == 10 == plain["sparcc"]["left"]["total"] + plain["sparcc"]["right"]["total"]
    assert [s["slice"] for s in plain["sparcc"]["slices"]] == [4, 5, 6, 7, 8, 9]
    assert plain["sparcc"]["slices"][0]["right"] == {
        "total": 3, "upper_ilium": 1, "upper_sacrum": 1, "lower_ilium": None, "lower_sacrum": None,
        "intensity": 1, "depth": 0,
    }  # fmt: skip
    assert plain["berlin"] is None
    assert plain["asas"]["positive_2009"] is True
