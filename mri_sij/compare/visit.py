"""What a comparison needs of one visit, from a visit just scored or from a folder that `mri-sij score` wrote."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mri_sij.anatomy.joint import Joints
from mri_sij.anatomy.quadrants import Regions
from mri_sij.compare.kept import Kept, arrays_of, kept_of
from mri_sij.evidence import Reason, Side
from mri_sij.geometry import Grid
from mri_sij.ingest.acquisition import Acquisition
from mri_sij.result import VisitResult
from mri_sij.scoring.sparcc import Sparcc, score_sparcc
from mri_sij.volume import LabelMap, Volume

Shares = tuple[tuple[int, float], ...]


@dataclass(frozen=True, eq=False)
class Intensity:
    """What the intensity item is decided by: STIR over normal marrow (reading frame) and the ratio that counts as
    intense (None: nothing does)."""

    ratio: NDArray[np.float32]
    intense_from: float | None


@dataclass(frozen=True, eq=False)
class Visit:
    """A scored visit; arrays and slice numbers in the reading frame, `native` is the STIR's grid as it was read.

    `form` is the visit's own, on its own six `slices`; `shares` the distribution of its total. `intensity`, `stir` and
    `t1` (on the STIR's grid, 0 away from the bones) are None for a finished folder without `followup.npz`; then
    `intense` gives the joints and slices that scored for intensity. `day` counts days from a fixed one; None where the
    input does not say, and for finished folders, which hold no date.
    """

    native: Grid
    labels: LabelMap
    oedema: LabelMap
    joints: Joints
    regions: Regions
    slices: tuple[int, ...]
    form: Sparcc
    shares: Shares
    acquisition: Acquisition
    orientation: str
    input_sha256: str
    intense: frozenset[tuple[Side, int]]
    intensity: Intensity | None = None
    stir: Volume | None = None
    t1: Volume | None = None
    day: int | None = None

    def native_slice(self, k: int) -> int:
        """The number, on the series' own slice axis, of slice `k` of the reading frame."""
        return self.native.native_slice(k)


def of_result(result: VisitResult) -> Visit | tuple[Reason, ...]:
    """The visit of a result, exactly as its finished folder would give it; the reasons where it is not scorable."""
    anatomy, findings, sheet = result.anatomy, result.findings, result.sheet
    if anatomy is None or findings is None or sheet is None:
        return result.reasons
    form = score_sparcc(findings.evidence, result.settings.scoring)
    visit = Visit(
        native=result.images.stir.grid,
        labels=anatomy.segmentation.labels,
        oedema=findings.oedema,
        joints=anatomy.joints,
        regions=anatomy.regions,
        slices=anatomy.slice_choice.numbers,
        form=form,
        shares=tuple((total, float(f"{share:.6g}")) for total, share in findings.interval.probabilities),
        acquisition=result.images.stir_acquisition,
        orientation=result.images.orientation,
        input_sha256=result.images.input_sha256,
        intense=frozenset((j.side, j.slice_number) for j in form.joints if j.intensity),
        day=result.images.day,
    )
    return with_kept(visit, kept_of(arrays_of(result), result.stir.grid))


def with_kept(visit: Visit, kept: Kept) -> Visit:
    """`visit` with the images and brightness that its finished folder keeps."""
    return replace(visit, intensity=Intensity(kept.ratio, kept.intense_from), stir=kept.stir, t1=kept.t1)
