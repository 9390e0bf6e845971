"""Settings: one TOML file into one small frozen record a stage. An unknown key is refused.

The defaults below and `configs/default.toml`, where each is explained with its source, are the same (a test holds that).
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from mri_sij.errors import SettingsError

SCHEMA_VERSION = 1


class _Stage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class IngestSettings(_Stage):
    """How folders are read and the STIR and T1 chosen."""


class AnatomySettings(_Stage):
    """Bone, joint, slice choice and quality limits."""

    segmenter: str = "builtin"


class LesionSettings(_Stage):
    """References and oedema."""


class ScoringSettings(_Stage):
    """Scores and their cut-offs."""

    slices: int = 6
    """Consecutive slices that SPARCC scores (spa-imaging.org grading page)."""
    upper_only_below_mm: float = 30.0
    """A joint visible over less height has only its upper quadrants scored (spa-imaging.org grading page)."""
    not_scored_up_to_mm: float = 10.0
    """A joint visible over no more height than this is not scored on that slice (the same page)."""
    berlin_second_grade_from: float = 0.33
    """Berlin grade 2 from this share of a quadrant's bone (spa-imaging.org: 33-66 %)."""
    berlin_third_grade_above: float = 0.66
    """Berlin grade 3 above this share (the same page)."""
    asas_2009_quadrants: int = 2
    """Quadrants with oedema on one slice that make an MRI positive (Rudwaleit 2009, as worked out by Marzo-Ortega)."""
    asas_2009_slices: int = 2
    """Consecutive slices with oedema in the same quadrant that make an MRI positive (the same)."""
    asas_2016_clear_from: float = 0.9
    """Probability from which oedema in a quadrant is "clearly present" (Lambert 2016 gives no number; our choice)."""
    asas_2021_quadrants: int = 4
    """Quadrants with oedema, at any location, of a lesion typical of axial spondyloarthritis (Maksymowych 2021)."""
    asas_2021_slices: int = 3
    """Consecutive slices with oedema at the same location, likewise (Maksymowych 2021)."""
    extensive_above: float = 0.5
    """Share of a bone's periarticular region above which oedema is extensive (Arnbak 2020: more than 50 %)."""
    symmetric_from: float = 0.5
    """Dice of left and right quadrants from which oedema counts as symmetric (our choice; no published number)."""


class CompareSettings(_Stage):
    """Alignment of two visits and the class of change."""


class StudySettings(_Stage):
    """Running many visits."""


class Settings(_Stage):
    """All settings of a run."""

    schema_version: int = SCHEMA_VERSION
    ingest: IngestSettings = IngestSettings()
    anatomy: AnatomySettings = AnatomySettings()
    lesions: LesionSettings = LesionSettings()
    scoring: ScoringSettings = ScoringSettings()
    compare: CompareSettings = CompareSettings()
    study: StudySettings = StudySettings()

    @property
    def sha256(self) -> str:
        """Hash of all settings; equal settings have equal hashes, however the file was written."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_settings(path: Path | None) -> Settings:
    """Settings from a TOML file, defaults where it is silent; SettingsError says which key is wrong."""
    if path is None:
        return Settings()
    try:
        settings = Settings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")), strict=False)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The settings file {path.name} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"Settings file {path.name}, key {where}: {first['msg']}.", hint="See configs/default.toml."
        ) from error
    if settings.schema_version != SCHEMA_VERSION:
        raise SettingsError(
            f"Settings file {path.name} has schema version {settings.schema_version}, expected {SCHEMA_VERSION}."
        )
    return settings
