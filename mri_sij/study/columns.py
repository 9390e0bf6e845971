"""Every column of a study's tables: what it means, its unit, when it is empty. Names that REDCap can take."""

from __future__ import annotations

from mri_sij.report.dictionary import QUADRANT_COLUMNS, Entry

PATIENT, VISIT = (
    Entry("patient", "string", "label of the patient"),
    Entry("visit", "string", "label of the visit"),
)
_NO = "not scored"
_YES = "1 yes, 0 no"


def _results(of: str) -> tuple[Entry, ...]:
    return (
        Entry("status", "string", f"done, not_scorable, refused or failed: what became of the {of}"),
        Entry("code", "string", "stable name of the reason", empty="done"),
    )


STATUS = (
    Entry("kind", "string", "visit, comparison, or note (about the whole study)"),
    Entry("patient", "string", "label of the patient", empty="note"),
    Entry("visit", "string", "label of the visit (of the follow-up, for a comparison)", empty="note"),
    Entry("status", "string", "done, not_scorable, refused or failed; caution for a note"),
    Entry("code", "string", "stable name of the reason", empty="done"),
    Entry("message", "string", "the reason in a sentence with its figures", empty="done"),
)

CLINICAL = (
    Entry("hla_b27", "integer", f"HLA-B27 positive: {_YES}", empty="not given"),
    Entry("crp_mg_l", "number", "C-reactive protein", "mg/L", "not given"),
    Entry("crp_high", "integer", f"above study.crp_high_mg_l: {_YES}", empty="CRP not given"),
    Entry("esr_mm_h", "number", "erythrocyte sedimentation rate", "mm/h", "not given"),
    Entry("esr_high", "integer", f"above study.esr_high_mm_h: {_YES}", empty="ESR not given"),
    Entry("drug", "string", "drug", empty="not given"),
    Entry("dose_mg_day", "number", "its dose", "mg/day", "not given"),
    Entry("drug_start", "string", "start of the drug: date, or days since the first visit", empty="not given"),
    Entry("drug_stop", "string", "its stop, likewise", empty="not given"),
    Entry("symptoms", "string", "symptoms", empty="not given"),
)

VISITS = (
    PATIENT,
    VISIT,
    Entry("day", "integer", "days since the patient's first dated visit", "days", "no date"),
    Entry("baseline", "integer", f"the patient's baseline: {_YES}"),
    *_results("visit"),
    Entry("sparcc_total", "integer", "SPARCC SIJ inflammation", "0-72", _NO),
    Entry("sparcc_low", "integer", "lower end of the totals that the images also allow", "0-72", _NO),
    Entry("sparcc_high", "integer", "upper end of them", "0-72", _NO),
    Entry("sparcc_right", "integer", "the right joint's part", "0-36", _NO),
    Entry("sparcc_left", "integer", "the left joint's part", "0-36", _NO),
    Entry("sparcc_quadrants", "integer", "quadrant points", "0-48", _NO),
    Entry("sparcc_intensity", "integer", "intensity points", "0-12", _NO),
    Entry("sparcc_depth", "integer", "depth points", "0-12", _NO),
    Entry("sparcc_sacrum", "integer", "quadrant points of the sacrum", "0-24", _NO),
    Entry("sparcc_ilium", "integer", "quadrant points of the ilium", "0-24", _NO),
    Entry("sparcc_slices", "string", "totals of the six slices, from anterior to posterior", "0-12 each", _NO),
    Entry("berlin_total", "integer", "Berlin SIJ score", "0-24", _NO),
    Entry("asas_positive_2009", "integer", f"positive MRI by ASAS 2009: {_YES}", empty=_NO),
    Entry("asas_positive_2016", "integer", f"positive MRI by ASAS 2016: {_YES}", empty=_NO),
    Entry("asas_positive_2021", "integer", f"positive MRI by the 2021 cut-offs: {_YES}", empty=_NO),
    Entry("oedema_volume_ml", "number", "bone-marrow oedema of both joints", "ml", _NO),
    Entry("oedema_fraction", "number", "share of all periarticular bone that is oedema", "0-1", _NO),
    Entry("oedema_left_sacrum_ml", "number", "oedema of the left sacrum", "ml", _NO),
    Entry("oedema_left_ilium_ml", "number", "oedema of the left ilium", "ml", _NO),
    Entry("oedema_right_sacrum_ml", "number", "oedema of the right sacrum", "ml", _NO),
    Entry("oedema_right_ilium_ml", "number", "oedema of the right ilium", "ml", _NO),
    Entry("lesions", "integer", "accepted lesions", empty=_NO),
    Entry("first_slice", "integer", "most anterior scored slice, index on the STIR's own axis from 0", empty=_NO),
    Entry("last_slice", "integer", "most posterior scored slice, likewise", empty=_NO),
    Entry("sequence", "string", "stir, t2fs or pdfs", empty="not read"),
    Entry("with_t1", "integer", f"a T1 was read with it: {_YES}", empty="not read"),
    Entry("field_strength_t", "number", "field strength", "T", "not read, or the header is silent"),
    Entry("slice_distance_mm", "number", "distance of neighbouring slices", "mm", "not read"),
    Entry("cautions", "integer", "warnings on the visit's page", empty="not read"),
    Entry("caution_codes", "string", "their stable names", empty="none"),
    *CLINICAL,
)

_NOT = "not compared"
CHANGES = (
    PATIENT,
    Entry("baseline", "string", "label of the baseline visit"),
    Entry("followup", "string", "label of the follow-up visit"),
    Entry("days", "integer", "days between the two", "days", "no dates"),
    *_results("comparison"),
    Entry("change_class", "string", "normalization, regression, stability or progression", empty=_NOT),
    Entry("sparcc_baseline", "number", "SPARCC at baseline", "0-72", _NOT),
    Entry("sparcc_followup", "number", "SPARCC at follow-up, at the baseline's levels", "0-72", _NOT),
    Entry("sparcc_delta", "number", "follow-up minus baseline", "-72 to 72", _NOT),
    Entry("sparcc_delta_right", "number", "the right joint's part", "-36 to 36", _NOT),
    Entry("sparcc_delta_left", "number", "the left joint's part", "-36 to 36", _NOT),
    Entry("probability", "number", "probability of the class", "0-1", _NOT),
    Entry("p_normalization", "number", "probability of normalization", "0-1", _NOT),
    Entry("p_regression", "number", "probability of regression", "0-1", _NOT),
    Entry("p_stability", "number", "probability of stability", "0-1", _NOT),
    Entry("p_progression", "number", "probability of progression", "0-1", _NOT),
    Entry("mixed", "integer", f"some quadrants rose although others, or the total, fell: {_YES}", empty=_NOT),
    Entry("grey_zone", "integer", f"a change smaller than the smallest detectable one: {_YES}", empty=_NOT),
    Entry("oedema_baseline_ml", "number", "oedema at baseline", "ml", _NOT),
    Entry("oedema_followup_ml", "number", "oedema at follow-up", "ml", _NOT),
    Entry("oedema_resolved_ml", "number", "oedema of the baseline that is gone", "ml", _NOT),
    Entry("oedema_new_ml", "number", "oedema that is new", "ml", _NOT),
    Entry("cautions", "integer", "warnings on the comparison's page", empty=_NOT),
    Entry("caution_codes", "string", "their stable names", empty="none"),
    Entry("crp_baseline_mg_l", "number", "CRP at baseline", "mg/L", "not given"),
    Entry("crp_followup_mg_l", "number", "CRP at follow-up", "mg/L", "not given"),
    Entry("crp_delta_mg_l", "number", "follow-up minus baseline", "mg/L", "not given"),
    Entry("esr_baseline_mm_h", "number", "ESR at baseline", "mm/h", "not given"),
    Entry("esr_followup_mm_h", "number", "ESR at follow-up", "mm/h", "not given"),
    Entry("esr_delta_mm_h", "number", "follow-up minus baseline", "mm/h", "not given"),
)

TABLES = {
    "status.csv": STATUS,
    "visits.csv": VISITS,
    "quadrants.csv": (PATIENT, VISIT, *QUADRANT_COLUMNS),
    "changes.csv": CHANGES,
}
"""The columns of each table, in order."""
