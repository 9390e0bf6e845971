"""What every column of every table and every key of every JSON file of a study means; JSON Schemas for the latter."""

from __future__ import annotations

import csv
import io
from typing import Any

from mri_sij.report.dictionary import VISIT_KEYS, Entry
from mri_sij.study.columns import TABLES

_CLASS = "normalization, regression, stability or progression"
_NOT = "not compared"


def _change_keys(prefix: str) -> tuple[Entry, ...]:
    """Keys of a change: of the last follow-up (`change`) and of each (`followups[].change`)."""
    sums = ("total", "quadrants", "intensity", "depth", "sacrum", "ilium")
    parts = []
    for part, of in (("left", "the left joint"), ("right", "the right joint"), ("total", "both joints")):
        key = f"{prefix}.{part}"
        parts += [Entry(key, "object", f"SPARCC of {of}", "", _NOT)]
        parts += [Entry(f"{key}.delta", "integer", "follow-up minus baseline", "points")]
        for visit in ("baseline", "followup"):
            parts += [Entry(f"{key}.{visit}", "object", f"at {visit}")]
            parts += [Entry(f"{key}.{visit}.{name}", "integer", f"{name} of {of}", "points") for name in sums]
    return (
        Entry(prefix, "object", "how SPARCC and oedema changed"),
        Entry(f"{prefix}.class", "string", f"{_CLASS}, or not_comparable"),
        Entry(f"{prefix}.sparcc_baseline", "number", "SPARCC at baseline", "0-72", _NOT),
        Entry(f"{prefix}.sparcc_followup", "number", "SPARCC at follow-up, at the baseline's levels", "0-72", _NOT),
        Entry(f"{prefix}.sparcc_delta", "number", "follow-up minus baseline", "points", _NOT),
        Entry(f"{prefix}.sparcc_percent", "number", "the same as a share of the baseline", "%", "baseline 0"),
        Entry(f"{prefix}.probabilities", "object", "probability of each class", "0-1", _NOT),
        Entry(f"{prefix}.probabilities.*", "number", "probability", "0-1"),
        Entry(f"{prefix}.reasons", "array", "why the visits are not compared"),
        Entry(f"{prefix}.reasons[].code", "string", "stable name"),
        Entry(f"{prefix}.reasons[].message", "string", "the same with figures"),
        Entry(f"{prefix}.threshold", "number", "points from which a change counts", "points"),
        Entry(f"{prefix}.inactive", "boolean", "both visits are inactive"),
        Entry(f"{prefix}.persistently_active", "boolean", "both visits are active"),
        Entry(f"{prefix}.mixed", "boolean", "some quadrants rose although others, or the total, fell"),
        Entry(f"{prefix}.resolved_completely", "boolean", "oedema at baseline, none at follow-up"),
        Entry(f"{prefix}.grey_zone", "boolean", "counts, but is smaller than the smallest detectable change"),
        Entry(f"{prefix}.within_measurement_error", "boolean", "smaller than the smallest detectable change"),
        Entry(f"{prefix}.points_gained", "integer", "quadrant points gained", "points"),
        Entry(f"{prefix}.points_lost", "integer", "quadrant points lost", "points"),
        *parts,
        Entry(f"{prefix}.quadrants", "array", "each quadrant over all levels"),
        Entry(f"{prefix}.quadrants[].side", "string", "left or right"),
        Entry(f"{prefix}.quadrants[].quadrant", "string", "half and bone"),
        Entry(f"{prefix}.quadrants[].baseline", "integer", "levels with oedema at baseline", "0-6"),
        Entry(f"{prefix}.quadrants[].followup", "integer", "levels with oedema at follow-up", "0-6"),
        Entry(f"{prefix}.quadrants[].trend", "string", "resolved, lower, unchanged, higher or new"),
        Entry(f"{prefix}.items", "array", "each item of the form that changed or scores at baseline"),
        Entry(f"{prefix}.items[].level", "integer", "level, 1 the most anterior", "1-6"),
        Entry(f"{prefix}.items[].side", "string", "left or right"),
        Entry(f"{prefix}.items[].item", "string", "column of the form"),
        Entry(f"{prefix}.items[].baseline", "integer", "at baseline", "0-1", "not scored"),
        Entry(f"{prefix}.items[].followup", "integer", "at follow-up", "0-1", "not scored"),
        Entry(f"{prefix}.items[].trend", "string", "resolved, unchanged, new or not scored"),
        Entry(f"{prefix}.oedema", "object", "volumes: `total`, and each bone of each joint"),
        Entry(f"{prefix}.oedema.*", "object", "both joints, or one bone of one joint"),
        Entry(f"{prefix}.oedema.*.baseline_ml", "number", "oedema at baseline", "ml"),
        Entry(f"{prefix}.oedema.*.followup_ml", "number", "oedema at follow-up", "ml"),
        Entry(f"{prefix}.oedema.*.resolved_ml", "number", "gone", "ml"),
        Entry(f"{prefix}.oedema.*.persisting_ml", "number", "there at both", "ml"),
        Entry(f"{prefix}.oedema.*.new_ml", "number", "new", "ml"),
        Entry(f"{prefix}.oedema.*.percent", "number", "change as a share of the baseline", "%", "baseline 0"),
        Entry(f"{prefix}.levels", "object", "slices that are held against one another, in reading order"),
        Entry(f"{prefix}.levels.baseline", "array", "slices of the baseline"),
        Entry(f"{prefix}.levels.baseline[]", "integer", "index in reading order, from 0"),
        Entry(f"{prefix}.levels.followup_nearest", "array", "nearest slices of the follow-up"),
        Entry(f"{prefix}.levels.followup_nearest[]", "integer", "index in reading order, from 0"),
    )


def _alignment_keys(prefix: str) -> tuple[Entry, ...]:
    return (
        Entry(prefix, "object", "how the bones were laid on one another", "", "not tried"),
        Entry(f"{prefix}.succeeded", "boolean", "within the limits"),
        Entry(f"{prefix}.tilt_deg", "number", "angle between the two visits' slices", "degrees", "not aligned"),
        Entry(f"{prefix}.turn_deg", "number", "turn of the sacrum between the visits", "degrees", "not aligned"),
        Entry(f"{prefix}.joint_mm", "number", "mean distance of the joint surfaces", "mm", "not aligned"),
        Entry(f"{prefix}.bones", "object", "each bone"),
        Entry(f"{prefix}.bones.*", "object", "sacrum, left ilium or right ilium"),
        Entry(f"{prefix}.bones.*.overlap", "number", "Dice where both visits see the bone", "0-1"),
        Entry(f"{prefix}.bones.*.surface_mm", "number", "mean distance of the surfaces", "mm"),
        Entry(f"{prefix}.bones.*.joint_mm", "number", "mean distance of the joint surfaces", "mm", "not seen"),
        Entry(f"{prefix}.bones.*.joint_p95_mm", "number", "its 95th percentile", "mm", "not seen"),
        Entry(f"{prefix}.bones.*.joint_seen_by_both", "number", "share of the joint surface in both", "0-1"),
        Entry(f"{prefix}.bones.*.moved_against_sacrum_mm", "number", "motion of the joint surface", "mm"),
        Entry(f"{prefix}.bones.*.motion", "array", "4 x 4 matrix from baseline to follow-up, RAS mm"),
        Entry(f"{prefix}.bones.*.motion[]", "array", "a row of it"),
        Entry(f"{prefix}.bones.*.motion[][]", "number", "an element of it"),
    )


def _visit_keys(prefix: str) -> tuple[Entry, ...]:
    return (
        Entry(prefix, "object", "the visit by itself", "", "not scorable"),
        Entry(f"{prefix}.sparcc_own_slices", "integer", "SPARCC on its own six slices", "0-72"),
        Entry(f"{prefix}.own_slices", "array", "those slices"),
        Entry(f"{prefix}.own_slices[]", "integer", "index in reading order, from 0"),
        Entry(f"{prefix}.orientation", "string", "oblique coronal, coronal, axial ..."),
    )


def _reason_keys(prefix: str) -> tuple[Entry, ...]:
    keys = []
    for name, what in (("cautions", "what to keep in mind"), ("reasons", "why the visits are not compared")):
        keys += [
            Entry(f"{prefix}{name}", "array", what),
            Entry(f"{prefix}{name}[].code", "string", "stable name"),
            Entry(f"{prefix}{name}[].message", "string", "the same with figures"),
        ]
    return tuple(keys)


COMPARISON_KEYS = (
    Entry("schema", "integer", "version of these keys"),
    Entry("status", "string", "compared or not_comparable"),
    Entry("sentence", "string", "the last follow-up in a sentence"),
    *_change_keys("change"),
    *_alignment_keys("alignment"),
    *_reason_keys(""),
    *_visit_keys("baseline"),
    Entry("followups", "array", "each follow-up, in order of time"),
    Entry("followups[].number", "integer", "number of the follow-up, from 1"),
    Entry("followups[].sentence", "string", "the follow-up in a sentence"),
    Entry("followups[].interval_days", "integer", "days since the baseline", "days", "no dates"),
    *_change_keys("followups[].change"),
    *_alignment_keys("followups[].alignment"),
    *_reason_keys("followups[]."),
    *_visit_keys("followups[].visit"),
    Entry("trajectory", "object", "the course over all visits", "", "no follow-up could be compared"),
    Entry("trajectory.visits", "array", "each visit of the course"),
    Entry("trajectory.visits[].visit", "integer", "0 the baseline"),
    Entry("trajectory.visits[].sparcc", "number", "SPARCC at the baseline's levels", "0-72", _NOT),
    Entry("trajectory.visits[].since_baseline", "string", _CLASS, "", _NOT),
    Entry("trajectory.visits[].since_previous", "string", _CLASS, "", _NOT),
    Entry("trajectory.visits[].previous_visit", "integer", "the visit before it that could be compared", "", "none"),
    Entry("trajectory.lowest_visit", "integer", "the visit with the lowest score", "", "none"),
    Entry(
        "trajectory.relapse_visit",
        "integer",
        "the first visit with progression since an earlier one that had improved",
        "",
        "none",
    ),
    Entry("settings", "object", "settings of the comparison"),
    Entry("provenance", "object", "what made this file"),
    Entry("provenance.version", "string", "version of mri_sij"),
    Entry("provenance.settings_sha256", "string", "hash of all settings"),
    Entry("provenance.inputs_sha256", "array", "hashes of the voxels and geometry that were read"),
    Entry("provenance.inputs_sha256[]", "string", "hash", "", "not scorable"),
)
"""Keys of `comparison.json`; a visit that is not compared lacks the later keys of `change`."""

STATUS_KEYS = (
    Entry("key", "string", "sub-<patient>_ses-<visit>, for a comparison followed by _vs_ses-<followup>"),
    Entry("status", "string", "done, not_scorable, refused or failed"),
    Entry("code", "string", "stable name of the reason, empty when done"),
    Entry("message", "string", "the reason with its figures, empty when done"),
    Entry("input_sha256", "string", "hash of the names and contents of the files, empty where none could be read"),
    Entry("settings_sha256", "string", "hash of the settings that the result rests on"),
    Entry("model_sha256", "string", "hash of all models that the result rests on"),
    Entry("version", "string", "version of mri_sij"),
)
PLAN_KEYS = (
    Entry("version", "string", "version of mri_sij"),
    Entry("settings_sha256", "string", "hash of all settings"),
    Entry("scoring_sha256", "string", "hash of the settings that results rest on"),
    Entry("settings", "object", "all settings, as in configs/default.toml"),
    Entry("schema", "integer", "version of these keys"),
    Entry("visits", "array", "every visit, patient by patient, each patient's baseline first"),
    Entry("visits[].patient", "string", "label of the patient"),
    Entry("visits[].visit", "string", "label of the visit"),
    Entry("visits[].day", "integer", "days since the patient's first dated visit", "days", "no date"),
    Entry("visits[].baseline", "boolean", "the patient's baseline"),
    Entry("visits[].code", "string", "why it cannot be scored, stable name; empty where it can"),
    Entry("visits[].message", "string", "the same in a sentence"),
    Entry("visits[].pair_code", "string", "why it cannot be compared with the baseline; empty where it can"),
    Entry("visits[].pair_message", "string", "the same in a sentence"),
    Entry("notes", "array", "what concerns the whole study"),
    Entry("notes[].code", "string", "stable name"),
    Entry("notes[].message", "string", "the same in a sentence"),
)
PROVENANCE_KEYS = (
    Entry("version", "string", "version of mri_sij"),
    Entry("settings_sha256", "string", "hash of all settings"),
    Entry("settings", "object", "all settings, as in configs/default.toml"),
    Entry("models_sha256", "array", "hashes of the networks that results rest on"),
    Entry("models_sha256[]", "string", "hash"),
    Entry("inputs_sha256", "object", "hash of the input of each visit and comparison"),
    Entry("inputs_sha256.*", "string", "hash", "", "nothing was read"),
)
EXPECTED_KEYS = (
    Entry("schema", "integer", "version of these keys"),
    Entry("visits", "object", "each visit by its key"),
    Entry("visits.*", "object", "what was recorded of a visit"),
    Entry("visits.*.status", "string", "done, not_scorable, refused or failed"),
    Entry("visits.*.code", "string", "stable name of the reason, empty when done"),
    Entry("visits.*.sparcc_total", "integer", "SPARCC", "0-72", "not scored"),
    Entry("visits.*.slices", "object", "total of each scored slice by its index on the STIR's own axis"),
    Entry("visits.*.slices.*", "integer", "total", "0-12"),
    Entry("visits.*.positive", "array", "every item that scores"),
    Entry("visits.*.positive[]", "string", "slice, side and item"),
    Entry("visits.*.oedema_volume_ml", "number", "oedema", "ml", "not scored"),
    Entry("changes", "object", "each comparison by its key"),
    Entry("changes.*", "object", "what was recorded of a comparison"),
    Entry("changes.*.status", "string", "done, not_scorable, refused or failed"),
    Entry("changes.*.code", "string", "stable name of the reason, empty when done"),
    Entry("changes.*.change_class", "string", _CLASS, "", _NOT),
    Entry("changes.*.sparcc_delta", "number", "follow-up minus baseline", "points", _NOT),
)

JSON_FILES = {
    "visit.json": VISIT_KEYS,
    "comparison.json": COMPARISON_KEYS,
    "status.json": STATUS_KEYS,
    "plan.json": PLAN_KEYS,
    "provenance.json": PROVENANCE_KEYS,
    "expected.json": EXPECTED_KEYS,
}
FREE = ("settings", "provenance.packages")
"""Objects whose keys are free."""
OPTIONAL = ("change.", "followups[].change.")
"""Below these, keys may be absent: a follow-up that is not compared has no details."""

DICTIONARY: dict[str, tuple[Entry, ...]] = {**TABLES, **JSON_FILES}
"""Everything, by file; `status.json` stands for each file in the folder `status`."""


def dictionary_csv() -> str:
    """The dictionary as one table."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "name", "kind", "unit", "meaning", "empty"])
    for file, entries in DICTIONARY.items():
        writer.writerows([file, e.name, e.kind, e.unit, e.meaning, e.empty] for e in entries)
    return text.getvalue()


def json_schemas() -> dict[str, dict[str, Any]]:
    """A JSON Schema (draft 2020-12) for each JSON file, by the file's name without its ending."""
    return {name.removesuffix(".json"): _schema(name, entries) for name, entries in JSON_FILES.items()}


def _schema(file: str, entries: tuple[Entry, ...]) -> dict[str, Any]:
    root: dict[str, Any] = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    for entry in entries:
        _place(root, entry)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": file, **root}


def _place(root: dict[str, Any], entry: Entry) -> None:
    """Put an entry's schema where its path leads, making what lies on the way."""
    node = root
    steps = [step for part in entry.name.split(".") for step in _steps(part)]
    for step in steps[:-1]:
        node = _child(node, step)
    last = _child(node, steps[-1])
    last |= _own(entry)
    if "properties" in node and steps[-1] not in ("*", "[]") and not entry.name.startswith(OPTIONAL):
        node["required"] = [*dict.fromkeys([*node["required"], steps[-1]])]


def _steps(part: str) -> list[str]:
    name = part.replace("[]", "")
    return [name, *["[]"] * part.count("[]")] if name else ["[]"] * part.count("[]")


def _child(node: dict[str, Any], step: str) -> dict[str, Any]:
    if step == "[]":
        found: dict[str, Any] = node.setdefault("items", {})
        return found
    for name, default in (("type", "object"), ("properties", {}), ("required", []), ("additionalProperties", False)):
        node.setdefault(name, default)
    if step == "*":
        if not isinstance(node["additionalProperties"], dict):
            node["additionalProperties"] = {}
        free: dict[str, Any] = node["additionalProperties"]
        return free
    own: dict[str, Any] = node["properties"].setdefault(step, {})
    return own


def _own(entry: Entry) -> dict[str, Any]:
    kind: Any = [entry.kind, "null"] if entry.empty else entry.kind
    told = {"type": kind, "description": entry.meaning + (f" [{entry.unit}]" if entry.unit else "")}
    return told | ({"additionalProperties": True} if entry.name in FREE else {})
