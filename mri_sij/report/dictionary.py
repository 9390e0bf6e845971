"""Every column of `quadrants.csv` and every key of `visit.json`: what it means, its unit, its type.

The one place that says so: `mri-sij schema` prints it, and a test holds both files to it.
"""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA = 1
"""Version of the keys of `visit.json`; a key that changes its meaning or goes away raises it."""


@dataclass(frozen=True)
class Entry:
    """A column or key. `kind` is integer, number, string, boolean, object or array; `empty` says when it has no value.

    Keys are paths with dots; `[]` stands for each member of an array, `*` for each of several equal keys.
    """

    name: str
    kind: str
    meaning: str
    unit: str = ""
    empty: str = ""


_UNSCORED = "not scorable"
_NO_AREA = "a form filled in by hand"
_NO_READER = "no reader changed this item"

QUADRANT_COLUMNS = (
    Entry("position", "integer", "place of the slice among the scored ones, 1 the most anterior"),
    Entry("slice", "integer", "index of the slice on the STIR's own slice axis, from 0"),
    Entry("side", "string", "the patient's side: left or right"),
    Entry("bone", "string", "sacrum or ilium"),
    Entry("half", "string", "upper or lower half of the joint's visible height on the slice"),
    Entry("scored", "integer", "1 where the rule for low joints lets the quadrant count, else 0"),
    Entry("oedema", "integer", "1 oedema, 0 none, as the program found it", empty="not scored"),
    Entry("probability", "number", "probability of oedema in the quadrant", "0-1", _NO_AREA),
    Entry("oedema_area_mm2", "number", "oedema in the quadrant on this slice", "mm2", _NO_AREA),
    Entry("bone_area_mm2", "number", "periarticular bone of the quadrant on this slice", "mm2", _NO_AREA),
    Entry("joint_height_mm", "number", "height over which the joint is visible on this slice", "mm", "not known"),
    Entry("joint_intense", "integer", "1 where the joint scores for intensity on this slice"),
    Entry("joint_intense_probability", "number", "probability of the intensity item", "0-1", _NO_AREA),
    Entry("joint_intensity_ratio", "number", "brightest oedema of the joint over normal marrow", "ratio", "no oedema"),
    Entry("joint_deep", "integer", "1 where the joint scores for depth on this slice"),
    Entry("joint_deep_probability", "number", "probability of the depth item", "0-1", _NO_AREA),
    Entry("joint_depth_mm", "number", "how far oedema reaches from the articular margin", "mm", "no oedema"),
    Entry("reader_oedema", "integer", "the reader's value of `oedema`", empty=_NO_READER),
    Entry("reader_intense", "integer", "the reader's value of `joint_intense`", empty=_NO_READER),
    Entry("reader_deep", "integer", "the reader's value of `joint_deep`", empty=_NO_READER),
)


def _sum_entries(prefix: str, of: str, most: int) -> tuple[Entry, ...]:
    return (
        Entry(f"{prefix}.total", "integer", f"SPARCC SIJ inflammation {of}", f"0-{most}", _UNSCORED),
        Entry(f"{prefix}.quadrants", "integer", f"quadrant points {of}", f"0-{most * 2 // 3}", _UNSCORED),
        Entry(f"{prefix}.intensity", "integer", f"intensity points {of}", f"0-{most // 6}", _UNSCORED),
        Entry(f"{prefix}.depth", "integer", f"depth points {of}", f"0-{most // 6}", _UNSCORED),
        Entry(f"{prefix}.sacrum", "integer", f"quadrant points of the sacrum {of}", f"0-{most // 3}", _UNSCORED),
        Entry(f"{prefix}.ilium", "integer", f"quadrant points of the ilium {of}", f"0-{most // 3}", _UNSCORED),
        Entry(f"{prefix}.quadrants_scored", "integer", f"quadrants that count {of}", f"0-{most * 2 // 3}", _UNSCORED),
    )


def _sparcc_entries(prefix: str) -> tuple[Entry, ...]:
    joint = f"{prefix}.slices[].*"
    return (
        Entry(prefix, "object", "SPARCC SIJ inflammation score of the six slices"),
        *_sum_entries(prefix, "of both joints", 72),
        Entry(f"{prefix}.left", "object", "the patient's left joint"),
        *_sum_entries(f"{prefix}.left", "of the left joint", 36),
        Entry(f"{prefix}.right", "object", "the patient's right joint"),
        *_sum_entries(f"{prefix}.right", "of the right joint", 36),
        Entry(f"{prefix}.slices", "array", "the scored slices, from anterior to posterior; empty when not scorable"),
        Entry(f"{prefix}.slices[].position", "integer", "1 the most anterior"),
        Entry(f"{prefix}.slices[].slice", "integer", "index on the STIR's own slice axis, from 0"),
        Entry(f"{prefix}.slices[].total", "integer", "points of both joints on the slice", "0-12"),
        Entry(joint, "object", "`left` and `right`: the joint's items on the slice"),
        Entry(f"{joint}.total", "integer", "points of the joint on the slice", "0-6"),
        Entry(f"{joint}.upper_ilium", "integer", "quadrant item", "0-1", "not scored: low joint"),
        Entry(f"{joint}.upper_sacrum", "integer", "quadrant item", "0-1", "not scored: low joint"),
        Entry(f"{joint}.lower_ilium", "integer", "quadrant item", "0-1", "not scored: low joint"),
        Entry(f"{joint}.lower_sacrum", "integer", "quadrant item", "0-1", "not scored: low joint"),
        Entry(f"{joint}.intensity", "integer", "intensity item", "0-1"),
        Entry(f"{joint}.depth", "integer", "depth item", "0-1"),
    )


def _asas_entries(prefix: str) -> tuple[Entry, ...]:
    return (
        Entry(prefix, "object", "MRI positive for active lesions, by three rules"),
        Entry(
            f"{prefix}.positive_2009", "boolean", "ASAS 2009: 2 quadrants on a slice, or 1 on 2 slices", "", _UNSCORED
        ),
        Entry(f"{prefix}.positive_2016", "boolean", "ASAS 2016: oedema clearly present", "", _UNSCORED),
        Entry(f"{prefix}.positive_2021", "boolean", "2021 cut-offs: 4 quadrants, or 1 on 3 slices", "", _UNSCORED),
        Entry(f"{prefix}.quadrants", "integer", "quadrants with oedema on all slices", "0-48", _UNSCORED),
        Entry(f"{prefix}.quadrants_on_one_slice", "integer", "most quadrants with oedema on a slice", "0-8", _UNSCORED),
        Entry(
            f"{prefix}.consecutive_slices", "integer", "most slices running with the same quadrant", "0-6", _UNSCORED
        ),
        Entry(f"{prefix}.clear_quadrants", "integer", "quadrants with clear oedema", "0-48", _UNSCORED),
    )


def _berlin_entries() -> tuple[Entry, ...]:
    places = ("upper_ilium", "upper_sacrum", "lower_ilium", "lower_sacrum")
    return (
        Entry("berlin", "object", "Berlin SIJ score over the slices that SPARCC scores", "", _UNSCORED),
        Entry("berlin.total", "integer", "both joints", "0-24"),
        Entry("berlin.*", "object", "`left` and `right` joint"),
        Entry("berlin.*.total", "integer", "the joint", "0-12"),
        *(
            Entry(f"berlin.*.{place}", "integer", "grade of the quadrant", "0-3", "not scored: low joint")
            for place in places
        ),
    )


def _oedema_entries() -> tuple[Entry, ...]:
    return (
        Entry("oedema", "object", "continuous measures of oedema at the joints"),
        Entry("oedema.volume_ml", "number", "oedema of both joints", "ml", _UNSCORED),
        Entry("oedema.volume_times_contrast_ml", "number", "volume times excess contrast", "ml", _UNSCORED),
        Entry("oedema.fraction", "number", "share of all periarticular bone that is oedema", "0-1", _UNSCORED),
        Entry("oedema.bilateral", "boolean", "oedema at both joints", "", _UNSCORED),
        Entry("oedema.symmetric", "boolean", "both sides' volumes alike (settings)", "", _UNSCORED),
        Entry("oedema.asymmetry", "number", "(left - right) / (left + right) volume", "-1 to 1", "no oedema"),
        Entry("oedema.extensive", "array", "bones with oedema in over half of their periarticular region"),
        Entry("oedema.extensive[]", "string", "side and bone"),
        Entry("oedema.bones", "array", "each bone of each joint; empty when not scorable"),
        Entry("oedema.bones[].side", "string", "left or right"),
        Entry("oedema.bones[].bone", "string", "sacrum or ilium"),
        Entry("oedema.bones[].volume_ml", "number", "oedema", "ml"),
        Entry("oedema.bones[].periarticular_ml", "number", "periarticular bone", "ml"),
        Entry("oedema.bones[].periarticular_oedema_ml", "number", "oedema within it", "ml"),
        Entry("oedema.bones[].fraction", "number", "share of it that is oedema", "0-1", "no such bone"),
        Entry("oedema.bones[].volume_times_contrast_ml", "number", "volume times excess contrast", "ml"),
        Entry("oedema.bones[].mean_contrast", "number", "mean STIR of oedema over normal marrow", "ratio", "no oedema"),
        Entry("oedema.muscle", "array", "periarticular muscle; brightness is to be looked at, no diagnosis"),
        Entry("oedema.muscle[].side", "string", "left or right"),
        Entry("oedema.muscle[].ratio", "number", "brightness over that of all muscle", "ratio", "too little muscle"),
        Entry("oedema.muscle[].bright_fraction", "number", "share that is bright", "0-1", "too little muscle"),
        Entry("oedema.muscle[].bright", "boolean", "bright enough to be pointed out"),
    )


def _candidate_entries(prefix: str, what: str) -> tuple[Entry, ...]:
    return (
        Entry(prefix, "array", what),
        Entry(f"{prefix}[].side", "string", "left or right"),
        Entry(f"{prefix}[].bone", "string", "sacrum or ilium"),
        Entry(f"{prefix}[].slices", "array", "slices that it lies on"),
        Entry(f"{prefix}[].slices[]", "integer", "index on the STIR's own slice axis, from 0"),
        Entry(f"{prefix}[].volume_ml", "number", "volume", "ml"),
        Entry(f"{prefix}[].depth_mm", "number", "how far it reaches from the articular margin", "mm"),
        Entry(
            f"{prefix}[].contact_mm", "number", "how near it comes to the articular margin", "mm", "no cartilage near"
        ),
        Entry(f"{prefix}[].contrast", "number", "mean STIR over normal marrow", "ratio"),
        Entry(f"{prefix}[].peak_contrast", "number", "its 95th percentile", "ratio"),
        Entry(f"{prefix}[].probability", "number", "mean probability of oedema", "0-1", "no network"),
        Entry(f"{prefix}[].t1_ratio", "number", "T1 over that of bone", "ratio", "no T1"),
        Entry(f"{prefix}[].cartilaginous_fraction", "number", "share beside the cartilaginous part", "0-1"),
        Entry(f"{prefix}[].thickness_mm", "number", "thickness", "mm"),
    )


def _series_entries(name: str) -> tuple[Entry, ...]:
    key = f"series.{name}"
    empty = "the header is silent"
    numbers = (
        ("repetition_time_ms", "TR", "ms"),
        ("echo_time_ms", "TE", "ms"),
        ("inversion_time_ms", "TI", "ms"),
        ("flip_angle_deg", "flip angle", "degrees"),
        ("field_strength_t", "field strength", "T"),
        ("slice_thickness_mm", "slice thickness", "mm"),
        ("spacing_between_slices_mm", "distance of neighbouring slices", "mm"),
    )
    return (
        Entry(key, "object", f"the {name.upper()} that was read", "", "none" if name == "t1" else ""),
        Entry(f"{key}.kind", "string", "stir, t2fs, pdfs or t1"),
        Entry(f"{key}.kind_from", "string", "what the kind was decided by: timing, words, contrast or caller"),
        *(Entry(f"{key}.{field}", "number", meaning, unit, empty) for field, meaning, unit in numbers),
        Entry(f"{key}.in_plane_mm", "array", "pixel spacing", "mm"),
        Entry(f"{key}.in_plane_mm[]", "number", "along one image axis", "mm"),
        Entry(f"{key}.matrix", "array", "pixels"),
        Entry(f"{key}.matrix[]", "integer", "along one image axis"),
        Entry(f"{key}.manufacturer", "string", "maker of the scanner", "", empty),
        Entry(f"{key}.fat_suppressed", "boolean", "fat suppressed", "", empty),
        Entry(f"{key}.contrast_agent", "boolean", "contrast agent given", "", empty),
    )


VISIT_KEYS = (
    Entry("schema", "integer", "version of these keys"),
    Entry("status", "string", "scored or not_scorable"),
    Entry("reasons", "array", "why a visit is not scorable; empty when scored"),
    Entry("reasons[].code", "string", "stable name"),
    Entry("reasons[].message", "string", "the same with figures"),
    Entry("cautions", "array", "what to keep in mind when reading the score"),
    Entry("cautions[].code", "string", "stable name"),
    Entry("cautions[].message", "string", "the same with figures"),
    *_sparcc_entries("sparcc"),
    Entry("interval", "object", "SPARCC totals that the images also allow", "", _UNSCORED),
    Entry("interval.low", "integer", "lower end", "0-72"),
    Entry("interval.high", "integer", "upper end", "0-72"),
    Entry("interval.level", "number", "share of readings within", "0-1"),
    Entry("interval.probabilities", "array", "each total with its share of readings"),
    Entry("interval.probabilities[].total", "integer", "SPARCC total", "0-72"),
    Entry("interval.probabilities[].probability", "number", "share of readings", "0-1"),
    *_asas_entries("asas"),
    *_berlin_entries(),
    *_oedema_entries(),
    *_candidate_entries("lesions", "oedema that was accepted"),
    Entry("lesions[].number", "integer", "number of the lesion"),
    Entry("lesions[].in_joint_space", "boolean", "whether it lies between the bones, in erosions of the joint"),
    Entry("lesions[].reason", "string", "why it was accepted"),
    *_candidate_entries("rejected", "bright places that were not taken for oedema of the joint"),
    Entry("rejected[].code", "string", "why not, stable name"),
    Entry("rejected[].reason", "string", "why not, with figures"),
    Entry("references", "object", "what brightness was held against", "", _UNSCORED),
    Entry("references.marrow", "object", "normal marrow"),
    Entry("references.marrow.level", "number", "its median signal over the sacral body", "STIR units"),
    Entry("references.marrow.spread", "number", "relative robust SD of bone around it", "ratio"),
    Entry("references.marrow.field_range", "number", "highest over lowest coil gain over bone", "ratio"),
    Entry("references.marrow.marrow_ml", "number", "bone that it rests on", "ml"),
    Entry("references.marrow.muscle_ml", "number", "muscle that helped to find the coil's field", "ml"),
    Entry("references.marrow.inlier_fraction", "number", "share of that bone that agrees", "0-1"),
    Entry("references.fluid", "object", "what intense oedema is held against"),
    Entry("references.fluid.kind", "string", "vessel or csf"),
    Entry("references.fluid.ratio", "number", "its signal over normal marrow", "ratio", "too little found"),
    Entry("references.fluid.volume_ml", "number", "what it was measured on", "ml"),
    Entry("anatomy", "object", "bones, joint and slices", "", "anatomy was not found"),
    Entry("anatomy.segmenter", "string", "back end"),
    Entry("anatomy.agreement", "number", "Dice between two passes of the segmenter", "0-1", "one pass only"),
    Entry("anatomy.slices", "array", "scored slices from anterior to posterior"),
    Entry("anatomy.slices[]", "integer", "index on the STIR's own slice axis, from 0"),
    Entry("anatomy.transitional_slice", "integer", "most posterior slice through the cartilaginous part"),
    Entry("anatomy.slice_reason", "string", "why these slices"),
    Entry(
        "anatomy.obliquity_deg", "number", "angle of the slices to the long axis of the sacrum", "degrees", "not known"
    ),
    Entry("quality", "array", "checks of image and anatomy"),
    Entry("quality[].name", "string", "what was checked"),
    Entry("quality[].value", "number", "what was measured", "see unit", "could not be measured"),
    Entry("quality[].limit_low", "number", "least that passes", "see unit", "no lower limit"),
    Entry("quality[].limit_high", "number", "most that passes", "see unit", "no upper limit"),
    Entry("quality[].unit", "string", "unit of value and limits"),
    Entry("quality[].passed", "boolean", "within the limits"),
    Entry("quality[].meaning", "string", "what it tells"),
    Entry("series", "object", "what was read"),
    *_series_entries("stir"),
    *_series_entries("t1"),
    Entry("series.orientation", "string", "oblique coronal, coronal, axial ..."),
    Entry("series.tilt_deg", "number", "angle of the STIR's slices from coronal", "degrees"),
    Entry("series.shape", "array", "voxels of the STIR along its own axes"),
    Entry("series.shape[]", "integer", "voxels"),
    Entry("series.spacing_mm", "array", "distance of its voxels along its own axes", "mm"),
    Entry("series.spacing_mm[]", "number", "distance", "mm"),
    Entry("series.considered", "array", "every series of the visit"),
    Entry("series.considered[].series", "integer", "number under which `mri-sij scan` lists it"),
    Entry("series.considered[].volume", "integer", "volume of that series"),
    Entry("series.considered[].use", "string", "stir or t1; empty where it was not used"),
    Entry("series.considered[].kind", "string", "what it was taken for"),
    Entry("series.considered[].plane", "string", "its plane"),
    Entry("series.considered[].tilt_deg", "number", "angle from coronal", "degrees", "not known"),
    Entry("series.considered[].reason", "string", "why"),
    Entry("reader", "object", "a reader's changes and the scores that follow", "", "none were given"),
    Entry("reader.changes", "array", "items on which the reader differs"),
    Entry("reader.changes[].slice_number", "integer", "index on the STIR's own slice axis, from 0"),
    Entry("reader.changes[].side", "string", "left or right"),
    Entry("reader.changes[].item", "string", "column of the form"),
    Entry("reader.changes[].machine", "integer", "the program's value", "0-1"),
    Entry("reader.changes[].reader", "integer", "the reader's value", "0-1"),
    *_sparcc_entries("reader.sparcc"),
    *_asas_entries("reader.asas"),
    Entry("settings", "object", "all settings, as in configs/default.toml"),
    Entry("provenance", "object", "what made this file"),
    Entry("provenance.version", "string", "version of mri_sij"),
    Entry("provenance.settings_sha256", "string", "hash of all settings"),
    Entry("provenance.input_sha256", "string", "hash of the voxels and geometry that were read"),
    Entry("provenance.model_sha256", "string", "hash of the network that found the bones", "", "none was used"),
    Entry(
        "provenance.look_sha256",
        "string",
        "hash of the network that looks at the joints again",
        "",
        "none was used",
    ),
    Entry("provenance.packages", "object", "versions of the packages that computed it"),
)
"""Keys of `visit.json`. Below `settings` and `provenance.packages` keys are free."""
