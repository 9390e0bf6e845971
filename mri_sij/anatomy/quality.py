"""Is this a sacroiliac joint, segmented well enough to be scored? Figures with limits; a failure refuses the visit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy import image_quality
from mri_sij.anatomy.joint import Joints
from mri_sij.anatomy.labels import LEFT_ILIUM, RIGHT_ILIUM, SACRUM, Segmentation
from mri_sij.config import AnatomySettings
from mri_sij.evidence import Reason
from mri_sij.volume import Volume

Limits = tuple[float | None, float | None]


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
        return tuple(Reason(f"quality_{c.name}", _sentence(c)) for c in self.checks if not c.passed)


def assess(
    stir: Volume, segmentation: Segmentation, joints: Joints, settings: AnatomySettings, t1: Volume | None = None
) -> Quality:
    """Coverage, plausibility and symmetry of the bones, agreement of the two passes, and the image itself.

    All in the reading frame, `t1` on the STIR's grid; without it fat suppression is not measured.
    """
    return Quality((*_bone_checks(segmentation, settings), *_joint_checks(segmentation, joints, settings),
                    *_image_checks(stir, t1, segmentation, settings)))  # fmt: skip


def _bone_checks(segmentation: Segmentation, settings: AnatomySettings) -> list[Check]:
    labels, voxel_ml = segmentation.labels.data, segmentation.labels.grid.voxel_ml
    ml = {n: float(np.count_nonzero(labels == n) * voxel_ml) for n in (SACRUM, LEFT_ILIUM, RIGHT_ILIUM)}
    ilia = sorted((ml[LEFT_ILIUM], ml[RIGHT_ILIUM]))
    bone = labels > 0
    sure = float(segmentation.bone_probability.values[bone].mean()) if bone.any() else 0.0
    half = "half a pelvis, or another body part"
    checks = [
        _check("sacrum_ml", ml[SACRUM], settings.sacrum_ml, "ml", "The sacrum has no plausible size."),
        _check("left_ilium_ml", ml[LEFT_ILIUM], settings.ilium_ml, "ml", f"No plausible left ilium: {half}."),
        _check("right_ilium_ml", ml[RIGHT_ILIUM], settings.ilium_ml, "ml", f"No plausible right ilium: {half}."),
        _check("side_ratio", ilia[0] / ilia[1] if ilia[1] else None, (settings.min_side_ratio, None), "",
               "The two ilia differ too much in size."),
        _check("sacrum_in_one_part", _main_share(labels == SACRUM), (settings.min_main_share, None), "",
               "The sacrum falls into pieces."),
        _check("probability", sure, (settings.min_probability, None), "", "The segmenter is not sure of the bones."),
    ]  # fmt: skip
    if segmentation.agreement is not None:
        limits = settings.min_agreement, None
        meaning = "Two passes of the segmenter disagree."
        checks.append(_check("agreement", segmentation.agreement, limits, "Dice", meaning))
    if segmentation.shape is not None:
        meaning = "The bones do not have the shape of a pelvis."
        checks.append(_check("shape_mm", segmentation.shape.residual_mm, (None, settings.max_shape_mm), "mm", meaning))
    return checks


def _joint_checks(segmentation: Segmentation, joints: Joints, settings: AnatomySettings) -> list[Check]:
    both = sorted(set(joints.left.slices) & set(joints.right.slices))
    apart, off = _places(segmentation, joints, both)
    return [
        _check("joint_slices", float(len(both)), (float(settings.slices), None), "slices",
               "Too few slices show both joints."),
        _check("joints_apart_mm", apart, settings.joints_apart_mm, "mm", "The two joints are not where joints are."),
        _check("sacrum_off_centre", off, (None, settings.max_off_centre), "",
               "The sacrum does not lie between the joints."),
    ]  # fmt: skip


def _image_checks(
    stir: Volume, t1: Volume | None, segmentation: Segmentation, settings: AnatomySettings
) -> list[Check]:
    bone = np.asarray(segmentation.labels.data > 0)
    checks = [
        _check("left_right_deg", image_quality.left_right_deg(stir), (None, settings.max_left_right_deg), "degrees",
               "The slices do not run from left to right: sagittal, or turned too far."),
        _check("signal_to_noise", image_quality.signal_to_noise(stir, bone), (settings.min_snr, None), "",
               "The image is too noisy."),
        _check("homogeneity", image_quality.homogeneity(stir, bone), (None, settings.max_slice_ratio), "",
               "Bone is much brighter on some slices than on others."),
    ]  # fmt: skip
    ratio = None if t1 is None else image_quality.fat_ratio(stir, t1, bone)
    if ratio is not None:
        meaning = "Fat is bright: its signal is not suppressed."
        checks.append(_check("fat_to_bone", ratio, (None, settings.max_fat_ratio), "", meaning))
    return checks


def _check(name: str, value: float | None, limits: Limits, unit: str, meaning: str) -> Check:
    return Check(name, value, limits[0], limits[1], unit, meaning)


def _main_share(mask: NDArray[np.bool_]) -> float | None:
    """Share of a bone that lies in its largest connected part; None where there is none."""
    parts, count = ndi.label(mask)
    return float(np.bincount(parts.ravel())[1:].max() / mask.sum()) if count else None


def _places(segmentation: Segmentation, joints: Joints, both: list[int]) -> tuple[float | None, float | None]:
    """Median distance (mm) of the joints on slices that show both; how far the sacrum lies off half-way, as a share."""
    if not both:
        return None, None
    left, right = (
        np.array([joint.slices[k].midline[:, 0].mean() for k in both]) for joint in (joints.left, joints.right)
    )
    apart = float(np.median(left - right))
    sacrum = (segmentation.labels.data[:, :, both] == SACRUM).sum((1, 2))
    middle = float(np.average(np.arange(len(sacrum)), weights=sacrum))
    off = abs(middle - float(np.median(left + right)) / 2) / max(abs(apart), 1.0)
    return apart * joints.grid.spacing_mm[0], off


def _sentence(check: Check) -> str:
    """What a failed check tells; of a figure that could not be measured, that alone."""
    if check.low is not None and check.high is not None:
        limit = f"{check.low:g} to {check.high:g}"
    else:
        limit = f"at least {check.low:g}" if check.low is not None else f"at most {check.high:g}"
    if check.value is None:
        return f"{check.name} could not be measured, expected {limit}."
    value = f"{check.value:.3g} {check.unit}".rstrip()
    return f"{check.meaning} {check.name} is {value}, expected {limit}."
