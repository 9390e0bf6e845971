"""The made-up visit that comparisons are tried on."""

from __future__ import annotations

from dataclasses import replace

import made_visit
import pytest

from mri_sij.compare.visit import Visit, of_result


@pytest.fixture(scope="session")
def pictured() -> Visit:
    found = of_result(made_visit.scored())
    assert isinstance(found, Visit) and found.intensity is not None
    # The made-up form calls none of its oedema (2.5 times marrow) intense: neither may the reading of its images.
    return replace(found, intensity=replace(found.intensity, intense_from=3.0))
