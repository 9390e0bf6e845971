"""Settings: one TOML file into one small frozen record a stage. An unknown key is refused.

The defaults below and `configs/default.toml`, where each is explained with its source, are the same (a test holds
that).
"""

from __future__ import annotations

import hashlib
import json
import textwrap
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mri_sij.errors import SettingsError

SCHEMA_VERSION = 1

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
"""Of something without which there is nothing to score or to count."""


class _Stage(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    @field_validator("*")
    @classmethod
    def _from_0(cls, value: Any) -> Any:
        """Every number is a size, a count or a limit of one: none below 0, and a range has its lower end first."""
        numbers = value if isinstance(value, tuple) else (value,)
        if any(isinstance(number, int | float) and number < 0 for number in numbers):
            raise ValueError("expected no number below 0")
        if list(numbers) != sorted(numbers):
            raise ValueError("expected the lower limit first")
        return value


class IngestSettings(_Stage):
    """How folders are read and the STIR and T1 chosen."""

    stir_inversion_time_ms: tuple[float, float] = (80.0, 300.0)
    """Inversion times that null fat: 140-180 ms at 1.5 T (radiopaedia, imaios), 200-230 at 3 T; room for 0.3-7 T."""
    t1_max_repetition_time_ms: float = 1100.0
    """A spin echo with a longer repetition time is no T1 (our choice; 546 ms on the real patient, up to 900 at 3 T)."""
    t1_max_echo_time_ms: float = 30.0
    """A T1 has a shorter echo time (our choice; 8-9 ms on the real patients)."""
    t2_min_echo_time_ms: float = 40.0
    """A fat-suppressed image with a longer echo time is T2-, with a shorter PD-weighted (our choice)."""
    min_slices: Count = 6
    """SPARCC scores six consecutive slices (spa-imaging.org grading page); fewer cannot be scored."""
    min_width_mm: float = 120.0
    """A field of view that is narrower cannot hold both joints (adult pelvis; our choice)."""
    min_depth_mm: float = 18.0
    """Six slices of 3 mm: the thinnest stack that can hold the cartilaginous compartment (our choice)."""
    t1_max_angle_deg: float = 15.0
    """A T1 tilted further from the STIR shows other anatomy in its slices (our choice)."""
    t1_min_overlap: Share = 0.5
    """Share of the STIR's voxels that the T1 must cover (our choice)."""


class AnatomySettings(_Stage):
    """Bone, joint, slice choice and quality limits."""

    segmenter: str = "builtin"
    """`builtin`, or another back end (see `mri_sij.anatomy.backends`)."""
    mask_labels: dict[str, list[int]] = {"sacrum": [1], "left_ilium": [2], "right_ilium": [3]}
    """Label numbers of the user's own masks for `masks:PATH`; sides are checked against the affine all the same. With
    `cartilage = [4]` too, rows and slices where that label lies between the bones are the cartilaginous joint."""
    island_fraction: Share = 0.04
    """Parts of a bone smaller than this share of its largest part, and away from it, are dropped (our choice)."""
    joint_reach_mm: float = 14.0
    """Widest gap between sacrum and ilium in which the joint is followed, ligamentous part included (chosen on
    simulated patients)."""
    cartilage_gap_mm: float = 4.5
    """Gap, square to the joint, from which the gap speaks for the ligamentous recess and against cartilage (1.6-4 mm in
    all), or less where the joint is narrow; place and T1 tell as well (`mri_sij.anatomy.cartilage`; our choice, on
    simulated and traced joints)."""
    slices: Count = 6
    """Consecutive slices to score (spa-imaging.org grading page)."""
    full_height_fraction: Share = 0.5
    """The transitional slice is the most posterior one on which both joints keep this share of their greatest
    cartilaginous height."""
    slices_from: Literal["back", "front"] = "back"
    """Where the scored slices start: at the transitional slice and forwards (Maksymowych 2005, 2015), or at the most
    anterior slice of that height and backwards, as some readers of thin slices do."""
    min_joint_height_mm: float = 10.0
    """A joint lower than this is not scorable on a slice (spa-imaging.org grading page)."""
    min_agreement: Share = 0.75
    """Least Dice between the segmenter's two passes (0.83 and more on real sacroiliac joints)."""
    min_probability: Share = 0.70
    """Least mean probability of the segmented bone."""
    max_shape_mm: float = 4.0
    """Greatest mean distance (mm) between the bones that the network found and the shape model fitted to them (1.2-2.3
    on simulated and real sacroiliac joints)."""
    sacrum_ml: tuple[float, float] = (25.0, 420.0)
    """Plausible volume of the sacrum in view (whole sacra 150-300 ml, pelvis atlas of Han 2019; stacks crop them)."""
    ilium_ml: tuple[float, float] = (15.0, 320.0)
    """Plausible volume of one ilium in view (84-110 ml in a field of view of 200 mm)."""
    min_side_ratio: Share = 0.45
    """Least ratio of the smaller to the larger ilium (0.94-1.08 where slices lie square; turned slices crop one
    side)."""
    joints_apart_mm: tuple[float, float] = (55.0, 150.0)
    """Plausible distance between the two joints (sacral breadth about 10 cm, banglajol 75216)."""
    min_snr: float = 4.0
    """Least signal of bone over the noise of neighbouring voxels."""
    min_main_share: Share = 0.6
    """Least share of the sacrum in its largest connected part (0.9 and more on real sacroiliac joints)."""
    max_off_centre: float = 0.2
    """Greatest distance of the sacrum's middle from half-way between the joints, as a share of their distance (our
    choice)."""
    max_left_right_deg: float = 35.0
    """Greatest turn of the slices out of the left-right direction: beyond, the two joints are not cut alike (our
    choice)."""
    max_slice_ratio: float = 8.0
    """Greatest ratio of bone signal between slices (coil fall-off is about twofold on real scans)."""
    max_fat_ratio: float = 2.5
    """Greatest STIR signal of fat over that of bone: more is not suppressed (our choice)."""


class LesionSettings(_Stage):
    """References and oedema."""

    method: Literal["combined", "network+rules", "network", "rules"] = "combined"
    """What proposes oedema: measures of each voxel weighed together and a second look at the joints, the network
    (with rules or alone), or brightness alone. docs/lesions.md holds them side by side."""
    odds_grow: Share = 0.3
    """Probability from which a voxel belongs to a candidate of the combined method (chosen on simulated patients from
    0.2 to 0.4)."""
    odds_peak: Share = 0.7
    """Probability that a candidate of the combined method must reach somewhere (our choice, from a few tried
    on simulated and real patients)."""
    odds_mean: Share = 0.64
    """Mean probability that a candidate of the combined method must have where it is bright enough to count: marrow
    that is bright here and there reaches the peak too (chosen on simulated patients from 0.62 to 0.66; patients'
    lesions look less likely than simulated ones, and above begin to be lost)."""
    odds_mean_beside: Share = 0.52
    """The same where `odds_beside_ml` of oedema have been found by `odds_mean`: beside clear oedema a faint lesion is
    more likely one, as it is to a reader (chosen on simulated patients from 0.45 to 0.6)."""
    odds_beside_ml: float = 2.0
    """See `odds_mean_beside`: small findings alone make no other more likely (our choice; 1 and 3 do alike on
    simulated patients)."""
    odds_sure: Share = 0.7
    """From this mean probability a candidate need only reach `sure_contrast` (chosen on simulated patients from 0.65,
    0.7 and 0.75)."""
    sure_contrast: float = 0.95
    """Least mean contrast of a candidate that is likely throughout: the level of normal marrow is known to some 10 %
    only, but what is darker than all marrow is no oedema (our choice)."""
    network_grow: Share = 0.35
    """The same two where the network alone proposes."""
    network_peak: Share = 0.6
    """See `network_grow`."""
    contrast_grow: float = 1.1
    """STIR over normal marrow from which a voxel belongs to a candidate that the network proposes (chosen on
    simulated patients)."""
    rules_grow: float = 1.35
    """The same where there is no network to propose: half of outlined oedema lies above 1.2-1.6 (measured on real
    patients)."""
    rules_peak: float = 1.7
    """95th percentile of contrast that a candidate must reach without the network (our choice, from a few tried
    on simulated and real patients)."""
    min_contrast: float = 1.05
    """Least mean contrast of accepted oedema (chosen on simulated patients from 1.0, 1.05, 1.1 and 1.15: the dark
    cortex that a candidate crosses lowers its mean)."""
    darkest: float = 0.9
    """STIR over normal marrow below which what a candidate holds does not count: cortex that it crosses, up to which
    readers outline (our choice: the level of normal marrow is known to some 10 %)."""
    smoothing_mm: float = 0.6
    """Standard deviation of the Gaussian that takes noise out before contrast is measured, in the plane."""
    cortex_mm: float = 2.1
    """Oedema is looked for this far beyond the segmented bone: 0.6 mm of cortex that it leaves out, and 1.5 where its
    border is uncertain (readers outline up to the cortex; 1.5, 2.1 and 2.6 do alike on simulated patients)."""
    space_contrast: float = 1.25
    """STIR over normal marrow from which what lies in the space of a joint with oedema counts as inflamed (our choice,
    on simulated patients: healthy real joints hold matter of 0.3-1.1)."""
    space_over_joint: float = 1.5
    """As many times as the median of its joint's space it must be too: cartilage may be bright throughout (chosen on
    simulated patients from 1.0, 1.3, 1.5 and 1.7)."""
    space_fluid: float = 3.0
    """Pieces that reach this many times normal marrow are joint fluid, which SPARCC does not score (our choice)."""
    run_on_excess: Share = 0.5
    """Share of the excess over marrow of the slice before that bone must have where oedema runs on beyond the slices on
    which a joint is seen (our choice: half-way to marrow)."""
    contact_mm: float = 6.0
    """Oedema of the joint comes at least this near to the articular margin; farther is not subchondral (our choice)."""
    min_volume_ml: float = 0.05
    """Smaller candidates are not counted: about 4 x 4 mm on one slice, the least that readers outlined."""
    min_area_mm2: float = 10.0
    """A quadrant is positive from this much oedema in it on the slice (what readers' outlines and forms imply)."""
    reach_mm: float = 25.0
    """Periarticular bone: as far from the articular margin as quadrants, fractions and extent are measured."""
    deep_mm: float = 10.0
    """SPARCC depth item: oedema reaches at least this far from the articular surface (spa-imaging.org: 1 cm)."""
    deep_touch_mm: float = 4.0
    """Deep oedema begins within this distance of the articular margin."""
    deep_filled: Share = 0.75
    """Homogeneous: share of a deep lesion's outline on the slice that is oedema, holes included."""
    intense_reference: Literal["vessel", "csf"] = "vessel"
    """Held against for the SPARCC intensity item: presacral and iliac vessels (Maksymowych 2005; Lin 2024) or CSF
    (spa-imaging.org)."""
    intense_fraction: float = 0.55
    """Share of the reference's signal from which oedema is intense: readers' eyes meet vessels of a few voxels,
    dimmed by partial volume."""
    intense_lowest: float = 2.3
    """Oedema below this many times normal marrow is never intense, however dim the reference (our choice)."""
    intense_highest: float = 3.0
    """Oedema from this many times normal marrow is always intense: slow blood and CSF can be far brighter (our
    choice)."""
    intense_min_ml: float = 0.3
    """Least volume of vessels or CSF to measure the reference on."""
    fat_t1_ratio: float = 1.35
    """T1 over that of bone above which a candidate is fat with failed suppression, not oedema (our choice)."""
    vessel_fluid_fraction: Share = 0.5
    """Share of a candidate that the network calls fluid, from which it is a vessel, cyst or joint fluid (our
    choice)."""
    rim_depth_mm: float = 3.0
    """A candidate no deeper than this and no brighter than `rim_contrast` is the normal rim under the cartilage
    (Wittram 1995)."""
    rim_contrast: float = 1.3
    """See `rim_depth_mm`."""
    joint_t1_ratio: float = 0.55
    """A candidate no deeper than `rim_depth_mm` with less T1 than this share of the bone's is cartilage, cortex or
    joint fluid, which SPARCC does not score (oedema keeps about three quarters, cartilage and cortex half and less:
    spin-echo signal from the relaxation times of de Bazelaire 2004 and Gold 2004)."""
    symmetric_ratio: Share = 0.5
    """Oedema is symmetric when the smaller side's volume is at least this share of the larger one's (our choice)."""
    extensive_fraction: Share = 0.5
    """Share of a bone's periarticular region above which oedema is extensive (Arnbak 2020)."""
    muscle_bright_ratio: float = 1.8
    """Muscle brighter than this, relative to all muscle, is bright (our choice)."""
    muscle_bright_fraction: Share = 0.15
    """Share of bright periarticular muscle above which it is pointed out (Kang 2015 gives the sign, not a limit)."""
    perturbations: int = 40
    """Readings of the same images with references, thresholds and borders moved, from which probabilities are taken."""
    reference_sd: float = 0.07
    """Relative standard deviation of the normal-marrow level among those readings."""
    logit_sd: float = 1.4
    """Standard deviation of the log odds of oedema among those readings."""
    border_sd_mm: float = 0.6
    """Standard deviation of the articular margin's place among those readings (tracing repeats to 0.85 mm)."""
    area_sd: float = 0.5
    """Standard deviation of the logarithm of each quadrant's oedema area among those readings."""
    slice_shift: Share = 0.3
    """Share of those readings that take the six slices one further in front or behind."""
    interval_level: Share = 0.9
    """Share of readings that the score interval holds."""
    interval_margin: int = 3
    """Points by which the readings' interval is widened at both ends: what they all miss alike (chosen so that the
    interval holds the truth of nine in ten simulated patients, after conformalized quantiles, Romano 2019)."""


class ScoringSettings(_Stage):
    """Scores and their cut-offs."""

    slices: Count = 6
    """Consecutive slices that SPARCC scores (spa-imaging.org grading page)."""
    min_slices_a_joint: Count = 4
    """Scored slices on which each joint must be high enough to count; with fewer the visit is not scorable, because a
    joint that is not seen is not free of oedema (our choice; of a form filled in by hand one scored quadrant is
    enough, and slices left out are pointed out)."""
    berlin_second_grade_from: Share = 0.33
    """Berlin grade 2 from this share of a quadrant's bone (spa-imaging.org: 33-66 %)."""
    berlin_third_grade_above: Share = 0.66
    """Berlin grade 3 above this share (the same page)."""
    asas_2009_quadrants: Count = 2
    """Quadrants with oedema on one slice that make an MRI positive (Rudwaleit 2009, as worked out by Marzo-Ortega)."""
    asas_2009_slices: Count = 2
    """Consecutive slices with oedema in the same quadrant that make an MRI positive (the same)."""
    asas_2016_clear_from: Share = 0.9
    """Probability from which oedema in a quadrant is "clearly present" (Lambert 2016 gives no number; our choice)."""
    asas_2021_quadrants: Count = 4
    """Quadrants with oedema, at any location, of a lesion typical of axial spondyloarthritis (Maksymowych 2021)."""
    asas_2021_slices: Count = 3
    """Consecutive slices with oedema at the same location, likewise (Maksymowych 2021)."""


class CompareSettings(_Stage):
    """Alignment of two visits and the class of change."""

    minimal_important_change: float = 2.5
    """SPARCC points from which a change counts: minimally important change (Maksymowych 2012, J Rheumatol)."""
    smallest_detectable_change: float = 3.4
    """SPARCC points below which a change may be measurement error (van den Berg 2015, J Rheumatol: SPACE, 3 months)."""
    strict: bool = False
    """Ask for the smallest detectable instead of the minimally important change (van den Berg 2015)."""
    active_from: float = 2.0
    """SPARCC from which a visit is active; below is remission (van den Berg 2015; Braun 2017; BE MOBILE 2024)."""
    mixed_points: int = 2
    """Quadrant points gained, and lost in other quadrants, from which a change is mixed (our choice: two and two)."""
    bone_distance_mm: float = 1.5
    """Mean distance of the bones' two surfaces above which this is not one person well aligned (measured: one real
    person's visits 0.7-1.3 mm, other people's 2.0-3.6 mm)."""
    joint_distance_mm: float = 3.0
    """Mean distance of a bone's joint surfaces above which it was not aligned (measured: one person 0.3-2.8 mm)."""
    bone_overlap: Share = 0.7
    """Dice of a bone where both visits see it, below which it was not aligned (measured: one person 0.77-0.97)."""
    shared_bone: Share = 0.4
    """Share of a bone's joint surface that both visits must see (our choice)."""
    caution_tilt_deg: float = 15.0
    """Angle between the two visits' slices from which partial volume differs visibly (our choice; compare Ozga
    2023)."""
    refuse_tilt_deg: float = 35.0
    """Angle from which the slices show another plane of the joint (our limit; semicoronal against semiaxial is 90)."""
    caution_echo_time_ratio: float = 1.3
    """Ratio of the echo times from which oedema contrast differs by about a fifth (T2 80-130 ms; our choice)."""
    refuse_echo_time_ratio: float = 3.0
    """Ratio of the echo times beyond which visits are not compared (PD against T2 weighting; our limit)."""
    caution_inversion_time_ms: float = 15.0
    """Difference of inversion times at one field strength from which marrow's own signal differs (domain notes)."""
    caution_thickness_ratio: float = 1.3
    """Ratio of the slice spacings from which partial volume differs (3 against 4 mm is told; our choice)."""
    refuse_thickness_ratio: float = 2.2
    """Ratio of the slice spacings beyond which visits are not compared (our limit)."""
    caution_pixel_ratio: float = 1.6
    """Ratio of the pixel sizes that is told (our choice)."""
    same_sequence: bool = True
    """STIR is not compared with T2 or PD with fat saturation (Greese: contrast to noise 20.2 against 4.1)."""
    levels_seen: Share = 0.9
    """Share of the scored bone at the baseline's levels that the follow-up must show (our limit)."""
    same_contrast: Share = 0.5
    """Share of oedema's excess over marrow that bone must show at the other visit to be called the same there (0-1;
    our choice: 5 mm slices instead of 3 take a third of a small lesion's excess, interpolation a little more)."""
    shared_error: Share = 0.8
    """Share of the uncertainty of one visit's total that the other visit has alike, being read beside it (0-1; our
    choice; 0 takes the errors of both visits as independent)."""
    over_normal: float = 2.0
    """Standard deviations of normal bone: by as many new oedema must have risen between the visits; what was called at
    the baseline only has gone where it stands out by less and fell by more (our choice, on simulated pairs)."""
    faded_contrast: Share = 0.375
    """Share of the excess over marrow that oedema of a bone, which the follow-up's own reading does not call at all,
    must have kept in its form to have faded; with less it has gone (0-1; our choice, on simulated pairs: of what had
    gone up to 0.36 seemed to be left, of what had faded to two fifths 0.3-0.5)."""
    steady_intensity: Share = 0.1
    """Share of the limit by which a joint must be brighter at the follow-up to become intense, or darker to be so no
    more: lesions that did not change differ by that much between scanners (0-1; our choice)."""
    steady_area: Share = 0.5
    """Share of the least area of a positive quadrant by which its oedema must be larger at the follow-up to become
    positive, or smaller to be so no more: the same oedema resliced or tilted differs by as much (0-1; our choice)."""
    rest: Share = 0.05
    """Share (0-1) of the baseline's oedema: where the follow-up's own reading finds none at all, so small a rest that
    looks the same as before is the rim of what has gone (our choice)."""


class StudySettings(_Stage):
    """Running many visits."""

    visit_limit_s: float = 600.0
    """A visit or a comparison that takes longer is given up (a visit takes seconds; our choice)."""
    worker_memory_gb: Annotated[float, Field(gt=0)] = 2.0
    """Memory that one worker may need; fewer workers are started than asked for where it is not there (measured,
    with reserve)."""
    crp_high_mg_l: float = 10.0
    """C-reactive protein above this is marked in tables and pages; it changes no score (our choice)."""
    esr_high_mm_h: float = 20.0
    """Erythrocyte sedimentation rate above this is marked, likewise (our choice)."""


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

    def with_segmenter(self, segmenter: str) -> Settings:
        """The same settings with another back end for the bones."""
        return self.model_copy(update={"anatomy": self.anatomy.model_copy(update={"segmenter": segmenter})})

    def shown(self) -> dict[str, Any]:
        """All settings as plain values. The path of another segmenter is left out: paths may name people."""
        plain = self.model_dump(mode="json")
        name, _, path = self.anatomy.segmenter.partition(":")
        plain["anatomy"]["segmenter"] = f"{name}:PATH" if path else name
        return plain


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
        told = "There is no such setting" if first["type"] == "extra_forbidden" else first["msg"]
        raise SettingsError(
            f"Settings file {path.name}, key {where}: {told}.", hint="See configs/default.toml."
        ) from error
    if settings.schema_version != SCHEMA_VERSION:
        raise SettingsError(
            f"Settings file {path.name} has schema version {settings.schema_version}, expected {SCHEMA_VERSION}."
        )
    return settings


def default_toml() -> str:
    """The text of `configs/default.toml`: every setting with its default and what it means."""
    parts = [
        "# Every setting of mri_sij with its default. Copy what you want to change; the rest keeps its default.",
        f"schema_version = {SCHEMA_VERSION}",
    ]
    for stage in ("ingest", "anatomy", "lesions", "scoring", "compare", "study"):
        record = getattr(Settings(), stage)
        parts += ["", f"# {(type(record).__doc__ or '').strip()}", f"[{stage}]"]
        for name, field in type(record).model_fields.items():
            parts += [f"# {line}" for line in textwrap.wrap(" ".join((field.description or "").split()), 116)]
            parts.append(f"{name} = {_toml(getattr(record, name))}")
    return "\n".join(parts) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    return repr(value)
