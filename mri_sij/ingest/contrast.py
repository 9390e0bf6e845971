"""T1 or STIR by the picture alone, for files that say nothing of themselves.

Where fat is suppressed, most of a pelvis is dark and a few voxels (vessels, fluid) are very bright: the histogram leans
far to one side. Skewness of the body's voxels, measured on 5 STIR and 13 T1 images of real patients: STIR 2.97 to
3.82, T1 0.08 to 1.69.
"""

from __future__ import annotations

import numpy as np

from mri_sij.volume import Volume

T1_SKEWNESS_UP_TO = 2.0
STIR_SKEWNESS_FROM = 2.6


def body_skewness(volume: Volume) -> float:
    """Skewness of the voxels that exceed a fifth of the mean; nan where hardly any do."""
    values = volume.values
    body = values[values > 0.2 * values.mean(dtype=np.float64)].astype(np.float64)
    if body.size < 100 or body.std() == 0:
        return float("nan")
    above = body - body.mean()
    return float((above * above * above).mean() / body.std() ** 3)


def kind_by_contrast(volume: Volume) -> str:
    """ "stir" (some fat-suppressed, fluid-sensitive image), "t1", or "unknown" between the two."""
    skewness = body_skewness(volume)
    return "stir" if skewness >= STIR_SKEWNESS_FROM else "t1" if skewness <= T1_SKEWNESS_UP_TO else "unknown"


def looks_like_labels(volume: Volume) -> bool:
    """Whether the voxels are a few whole numbers: a mask or label map, not signal."""
    data = volume.data[:: max(1, volume.data.shape[0] // 64)]
    values = np.unique(data)
    return len(values) <= 32 and bool(np.all(values == np.round(values.astype(float))))
