"""Refine a bone's motion on the images: mutual information (Mattes) near the bone, SimpleITK on one thread.

The surfaces have already laid the bone within a millimetre or two; the images can only correct what two independent
segmentations got wrong. A refinement that leaves this range, or takes the joint's surfaces apart, is not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage as ndi

from mri_sij.anatomy.span import Box, box_within
from mri_sij.compare.align import Alignment, BoneAlignment, failures_of, measure
from mri_sij.compare.rigid import invert, move
from mri_sij.config import CompareSettings
from mri_sij.geometry import LPS_TO_RAS, Floats, Grid
from mri_sij.sitk_bridge import to_sitk
from mri_sij.volume import LabelMap, Volume

_MARGIN_MM = 6.0
_SAMPLES = 12000
_BINS = 32
_SMOOTH_MM = 0.8
_SEED = 1
"""Even "regular" samples are jittered at random; without a seed the clock decides, and no two runs agree."""
_LEAST_OPINIONS = 3
_WORSE_MM = 0.2
"""Surfaces of two segmentations may fit a little worse after the images have moved them right: by up to 0.08 mm on real
scans moved by known amounts, where refining brought errors of 0.2-2.2 mm to 0.1-0.7; by 0.4 mm and more on simulated
pairs that it led astray by 1.5 mm, where weak contrast let a bone slide along itself."""
_LONGEST_MM = 4.0
"""A refinement that moves the bone further than this has left the anatomy that it started from."""


def refine_all(
    alignment: Alignment, labels: LabelMap, images: Sequence[tuple[Volume, Volume]], settings: CompareSettings
) -> Alignment:
    """Refine every bone on each pair of images (baseline, follow-up; T1 and STIR), baseline `labels` beside them.

    Of the motion by surfaces and those by each sequence, the one nearest to the others is taken: a refinement that went
    astray on one sequence stands alone.
    """
    bones = {bone: _settle(own, labels, images) for bone, own in alignment.bones.items()}
    return replace(alignment, bones=MappingProxyType(bones), failures=failures_of(bones, settings))


def _settle(own: BoneAlignment, labels: LabelMap, images: Sequence[tuple[Volume, Volume]]) -> BoneAlignment:
    found = [refine(first, second, labels.data == own.bone, own.motion) for first, second in images]
    measured = [measure(own.bone, own.pair, motion) for motion in found if motion is not None]
    opinions = [own, *(one for one in measured if one.joint_mm <= own.joint_mm + _WORSE_MM)]
    if len(opinions) < _LEAST_OPINIONS:
        return own
    points = own.pair.baseline.points[own.pair.baseline.facing]
    places = [move(one.motion, points) for one in opinions]
    apart = [sum(float(np.linalg.norm(a - b, axis=1).mean()) for b in places) for a in places]
    return opinions[int(np.argmin(apart))]


def refine(baseline: Volume, followup: Volume, bone: NDArray[np.bool_], motion: Floats) -> Floats | None:
    """A better motion (4x4, RAS mm, baseline to follow-up) than `motion`, or None where the images give none.

    `bone` is the bone's mask on the baseline's grid; voxels up to 6 mm around it take part, so that its border does.
    """
    box, mask = _near(bone, baseline.grid)
    fixed = _prepared(Volume(np.ascontiguousarray(baseline.values[box]), _cropped(baseline.grid, box)))
    inside = to_sitk(Volume(mask.astype(np.uint8), _cropped(baseline.grid, box)))
    centre = baseline.grid.world(np.argwhere(bone)[:: max(1, int(bone.sum()) // 2000)]).mean(0)
    initial = _euler(motion, centre)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricFixedMask(inside)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(min(1.0, _SAMPLES / mask.size), _SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(0.5, 0.02, 40, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(initial, inPlace=True)
    try:
        method.Execute(fixed, _prepared(followup))
    except RuntimeError:  # too few samples of the bone lie in the follow-up's field of view
        return None
    better = _matrix(initial)
    points = baseline.grid.world(np.argwhere(bone)[:: max(1, int(bone.sum()) // 500)])
    moved = np.linalg.norm(move(invert(motion) @ better, points) - points, axis=1).max()
    return better if moved <= _LONGEST_MM else None


def _near(bone: NDArray[np.bool_], grid: Grid) -> tuple[Box, NDArray[np.bool_]]:
    """A box around the bone and, in it, the voxels within `_MARGIN_MM` in the plane."""
    box = box_within(bone, _MARGIN_MM, grid.spacing_mm)
    away = ndi.distance_transform_edt(~bone[box], sampling=grid.spacing_mm)
    return box, np.asarray(away <= _MARGIN_MM)


def _cropped(grid: Grid, box: Box) -> Grid:
    affine = np.array(grid.affine)
    affine[:3, 3] = grid.world(np.array([part.start for part in box]))
    shape = [part.stop - part.start for part in box]
    return Grid((shape[0], shape[1], shape[2]), affine)


def _prepared(volume: Volume) -> sitk.Image:
    """Signal less its noise, compressed (log) so that a few bright vessels do not use up the histogram."""
    wide = _SMOOTH_MM / np.array(volume.grid.spacing_mm)
    values = ndi.gaussian_filter(volume.values, (wide[0], wide[1], 0))
    middle = float(np.median(values[values > 0])) if (values > 0).any() else 1.0
    return to_sitk(Volume(np.log1p(np.clip(values, 0, None) / middle).astype(np.float32), volume.grid))


def _euler(motion: Floats, centre: Floats) -> sitk.Euler3DTransform:
    lps = LPS_TO_RAS @ motion @ LPS_TO_RAS
    middle = LPS_TO_RAS[:3, :3] @ centre
    transform = sitk.Euler3DTransform()
    transform.SetCenter(middle.tolist())
    transform.SetMatrix(lps[:3, :3].ravel().tolist(), 1e-6)
    transform.SetTranslation((lps[:3, :3] @ middle + lps[:3, 3] - middle).tolist())
    return transform


def _matrix(transform: sitk.Euler3DTransform) -> Floats:
    turn = np.array(transform.GetMatrix()).reshape(3, 3)
    middle = np.array(transform.GetCenter())
    lps = np.eye(4)
    lps[:3, :3] = turn
    lps[:3, 3] = middle + np.array(transform.GetTranslation()) - turn @ middle
    return np.asarray(LPS_TO_RAS @ lps @ LPS_TO_RAS)
