"""What a comparison found: one record for each follow-up, and all of them together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri_sij.compare.align import Alignment
from mri_sij.compare.change import FormChange
from mri_sij.compare.outcome import ChangeClass, Outcome
from mri_sij.compare.trajectory import Trajectory
from mri_sij.compare.visit import Visit
from mri_sij.evidence import Reason
from mri_sij.lesions.search import Search
from mri_sij.scoring.sparcc import Sparcc
from mri_sij.volume import LabelMap

RESOLVED, PERSISTING, NEW = 1, 2, 3
CHANGE_NAMES = {RESOLVED: "resolved oedema", PERSISTING: "persisting oedema", NEW: "new oedema"}
"""Labels of `change.nii.gz`, on the baseline's STIR grid."""


@dataclass(frozen=True)
class VolumeChange:
    """Oedema in ml at the joints, on bone that both visits show; `where` is the label of `oedema.nii.gz`, 0 for all."""

    where: int
    resolved_ml: float
    persisting_ml: float
    new_ml: float

    @property
    def baseline_ml(self) -> float:
        """Oedema of the baseline."""
        return self.resolved_ml + self.persisting_ml

    @property
    def followup_ml(self) -> float:
        """Oedema of the follow-up."""
        return self.persisting_ml + self.new_ml

    @property
    def percent(self) -> float | None:
        """Change in per cent of the baseline; None where it has none."""
        return 100 * (self.followup_ml - self.baseline_ml) / self.baseline_ml if self.baseline_ml > 0 else None


@dataclass(frozen=True, eq=False)
class Change:
    """A follow-up that was compared: forms on the baseline's levels, outcome, probabilities, volumes.

    `followup_slices` are the follow-up's own slices nearest to the six levels; `oedema` its oedema on the baseline's
    search box and `labels` the change map (reading frame of the baseline).
    """

    form: Sparcc
    changes: FormChange
    outcome: Outcome
    probabilities: dict[ChangeClass, float]
    volumes: tuple[VolumeChange, ...]
    followup_slices: tuple[int, ...]
    oedema: NDArray[np.bool_]
    labels: LabelMap

    @property
    def volume(self) -> VolumeChange:
        """Both joints together."""
        return next(v for v in self.volumes if v.where == 0)


@dataclass(frozen=True, eq=False)
class FollowUp:
    """A later visit: `change` is None exactly when it is not comparable, and then `reasons` say why."""

    number: int
    visit: Visit | None
    alignment: Alignment | None
    tilt_deg: float | None
    change: Change | None
    reasons: tuple[Reason, ...]
    cautions: tuple[Reason, ...]

    def interval_days(self, baseline: Visit | None) -> int | None:
        """Days since the baseline; None where either input does not say."""
        if baseline is None or baseline.day is None or self.visit is None or self.visit.day is None:
            return None
        return self.visit.day - baseline.day

    @property
    def change_class(self) -> ChangeClass:
        """The class of the change since the baseline."""
        return ChangeClass.NOT_COMPARABLE if self.change is None else self.change.outcome.change_class


@dataclass(frozen=True, eq=False)
class Comparison:
    """A baseline and all its follow-ups. `baseline` and what hangs on it are None when it is not scorable itself."""

    baseline: Visit | None
    search: Search | None
    followups: tuple[FollowUp, ...]
    trajectory: Trajectory | None
    reasons: tuple[Reason, ...]
