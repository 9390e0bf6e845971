"""Everything known of a visit after scoring: what reports are made from and two visits are compared by."""

from __future__ import annotations

from dataclasses import dataclass

from mri_sij.anatomy.find import Anatomy, Unusable
from mri_sij.anatomy.labels import Segmentation
from mri_sij.anatomy.quality import Quality
from mri_sij.config import Settings
from mri_sij.evidence import Evidence, Reason
from mri_sij.ingest.visit import VisitImages
from mri_sij.lesions.records import Findings
from mri_sij.scoring.overrule import Overruled
from mri_sij.scoring.sheet import ScoreSheet
from mri_sij.volume import Volume


@dataclass(frozen=True, eq=False)
class Reading:
    """A reader's changes to the machine's form, and the scores that follow; the machine's own stay as they are."""

    overruled: Overruled
    sheet: ScoreSheet


@dataclass(frozen=True, eq=False)
class VisitResult:
    """A visit, scored or not.

    `images` are as read, in their own axis order; `stir`, `t1` (on the STIR's grid), `anatomy` and `findings` are in
    the reading frame (`Grid.reading_order`). `evidence` names slices by their index on the STIR's own slice axis.
    `sheet` is None exactly when the visit is not scorable, and then `reasons` say why; `unusable` holds what
    was segmented where that must not be scored.
    """

    images: VisitImages
    stir: Volume
    t1: Volume | None
    settings: Settings
    reasons: tuple[Reason, ...] = ()
    cautions: tuple[Reason, ...] = ()
    anatomy: Anatomy | None = None
    unusable: Unusable | None = None
    findings: Findings | None = None
    evidence: Evidence | None = None
    sheet: ScoreSheet | None = None
    reading: Reading | None = None

    @property
    def status(self) -> str:
        """`scored` or `not_scorable`."""
        return "not_scorable" if self.sheet is None else "scored"

    @property
    def segmentation(self) -> Segmentation | None:
        """The bones that were found, whether or not they can be scored."""
        found = self.anatomy or self.unusable
        return None if found is None else found.segmentation

    @property
    def quality(self) -> Quality | None:
        """The checks that were made, passed or not."""
        found = self.anatomy or self.unusable
        return None if found is None else found.quality

    def native_slice(self, k: int) -> int:
        """The number, on the STIR's own slice axis, of slice `k` of the reading frame."""
        return self.images.stir.grid.native_slice(k)
