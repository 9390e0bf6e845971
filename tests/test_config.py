"""Settings: the documented file and the code agree, wrong keys are refused, equal settings have equal hashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mri_sij.config import Settings, default_toml, load_settings
from mri_sij.errors import SettingsError

DEFAULT = Path(__file__).parents[1] / "configs" / "default.toml"


def test_the_documented_defaults_are_the_defaults() -> None:
    assert DEFAULT.read_text(encoding="utf-8") == default_toml()
    assert load_settings(DEFAULT) == Settings()
    assert load_settings(DEFAULT).sha256 == load_settings(None).sha256


def test_every_setting_is_explained() -> None:
    for stage in ("ingest", "anatomy", "lesions", "scoring", "compare", "study"):
        for name, field in type(getattr(Settings(), stage)).model_fields.items():
            assert field.description, f"{stage}.{name}"


@pytest.mark.parametrize(
    "text",
    [
        "[scoring]\nsices = 6\n",
        '[scoring]\nslices = "six"\n',
        "[scoring]\nupper_only_below_mm = 40.0\n",  # the heights define SPARCC: evidence.scored_halves
        "[scoring]\nslices = 0\n",
        "[compare]\nactive_from = nan\n",
        "[compare]\nactive_from = inf\n",
        "[compare]\nminimal_important_change = -3.0\n",
        "[compare]\nlevels_seen = 1.1\n",
        "[lesions]\nmin_area_mm2 = -1\n",
        "[anatomy]\nsacrum_ml = [25.0, inf]\n",
        "[anatomy]\nsacrum_ml = [-1.0, 420.0]\n",
        "[anatomy]\nsacrum_ml = [420.0, 25.0]\n",
        "[study]\nworker_memory_gb = 0.0\n",
        "schema_version = 99\n",
        "x =",
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"wrong\.toml"):
        load_settings(path)


def test_a_misspelt_setting_is_named(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[lesions]\nodd_peak = 0.7\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"key lesions\.odd_peak: There is no such setting\. Hint"):
        load_settings(tmp_path / "own.toml")


def test_a_changed_setting_changes_the_hash(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("[study]\nvisit_limit_s = 60.0\n", encoding="utf-8")
    assert load_settings(path).study.visit_limit_s == 60
    assert load_settings(path).sha256 != Settings().sha256
