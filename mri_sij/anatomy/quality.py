"""Is this a sacroiliac joint that was segmented well enough to be scored? Figures with limits; one that fails refuses the visit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.joint import Joints
from mri_sij.anatomy.labels import LEFT_ILIUM, RIGHT_ILIUM, SACRUM, Segmentation
from mri_sij.config import AnatomySettings
from mri_sij.evidence import Reason
from mri_sij.volume import Volume


@dataclass(frozen=True)
class Check:
    """One figure and its limits (None: no limit on that side). `meaning` says what a failure means."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    meaning: str

    @property
    def passed(self) -> bool:
        """Within its limits; a figure that could not be measured fails."""
        if self.value is None:
            return self.low is None and self.high is None
        return (self.low is None or self.value >= self.low) and (self.high is None or self.value <= self.high)


@dataclass(frozen=True)
class Quality:
    """All checks of a visit."""

    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Reason, ...]:
        """A reason for every check that failed."""
        return tuple(Reason(f"quality_{c.name}", f"{c.meaning} {_sentence(c)}") for c in self.checks if not c.passed)


def assess(stir: Volume, segmentation: Segmentation, joints: Joints, settings: AnatomySettings) -> Quality:
    """Coverage, plausibility of volumes, symmetry and order of the bones, agreement of the two passes, and the image itself."""
    labels, grid = segmentation.labels.data, stir.grid
    ml = {n: float((labels == n).sum() * grid.voxel_ml) for n in (SACRUM, LEFT_ILIUM, RIGHT_ILIUM)}
    ilia = sorted((ml[LEFT_ILIUM], ml[RIGHT_ILIUM]))
    bone = labels > 0
    probability = float(segmentation.bone_probability.values[bone].mean()) if bone.any() else 0.0
    seen = [float(len(j.slices)) for j in (joints.left, joints.right)]
    checks = [
        Check("sacrum_ml", ml[SACRUM], *settings.sacrum_ml, "ml", "The sacrum has no plausible size."),
        Check("left_ilium_ml", ml[LEFT_ILIUM], *settings.ilium_ml, "ml", "The left ilium has no plausible size: half a pelvis, or another body part."),
        Check("right_ilium_ml", ml[RIGHT_ILIUM], *settings.ilium_ml, "ml", "The right ilium has no plausible size: half a pelvis, or another body part."),
        Check("side_ratio", ilia[0] / ilia[1] if ilia[1] else None, settings.min_side_ratio, None, "", "The two ilia differ too much in size."),
        Check("joint_slices", min(seen), float(settings.slices), None, "slices", "Too few slices show both joints."),
        Check("joints_apart_mm", _apart_mm(joints), *settings.joints_apart_mm, "mm", "The two joints are not where joints are."),
        Check("probability", probability, settings.min_probability, None, "", "The segmenter is not sure of the bones."),
        Check("signal_to_noise", _signal_to_noise(stir, bone), settings.min_snr, None, "", "The image is too noisy."),
    ]
    if segmentation.agreement is not None:
        checks.append(Check("agreement", segmentation.agreement, settings.min_agreement, None, "Dice", "Two passes of the segmenter disagree."))
    return Quality(tuple(checks))


def _apart_mm(joints: Joints) -> float | None:
    """Median distance in mm between the middles of both joints over the slices that show both."""
    both = sorted(set(joints.left.slices) & set(joints.right.slices))
    if not both:
        return None
    widths = [joints.left.slices[k].midline[:, 0].mean() - joints.right.slices[k].midline[:, 0].mean() for k in both]
    return float(np.median(widths) * joints.grid.spacing_mm[0])


def _signal_to_noise(stir: Volume, bone: NDArray[np.bool_]) -> float | None:
    """Median signal of bone over the noise there (Immerkaer 1996: Laplacian mask, robust)."""
    if bone.sum() < 100:
        return None
    values = stir.values
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)[:, :, None]
    inner = ndi.binary_erosion(bone, np.ones((3, 3, 1)), iterations=2)
    chosen = inner if inner.sum() > 100 else bone
    rough = np.abs(ndi.convolve(values, mask))[chosen]
    noise = float(np.median(rough)) / 0.6745 / 6
    return float(np.median(values[bone]) / noise) if noise > 0 else None


def _sentence(check: Check) -> str:
    value = "could not be measured" if check.value is None else f"is {check.value:.3g} {check.unit}".rstrip()
    if check.low is not None and check.high is not None:
        return f"{check.name} {value}, expected {check.low:g} to {check.high:g}."
    return f"{check.name} {value}, expected " + (f"at least {check.low:g}." if check.low is not None else f"at most {check.high:g}.")
