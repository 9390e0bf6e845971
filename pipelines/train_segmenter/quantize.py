"""Store a trained network in whole numbers of 8 bits: `python quantize.py SCANS NETWORK.onnx OUT.onnx`.

The first and the last convolution stay in floating point, all others take 7-bit weights (one scale a channel) and
8-bit activations, whose ranges are those met in the first 16 scans of SCANS (made by `simulate.py`). Seven bits,
because sums of two products of 8 by 8 bits overflow on processors without instructions for them, and would give other
bones there. The file is a quarter as large and the network a third faster.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
    shape_inference,
)

from mri_sij.network.prepare import neighbours, normalize, slice_by_slice

SCANS, EVERY_SLICE = 16, 3


class Slices(CalibrationDataReader):  # type: ignore[misc]
    """What a network is fed, slice by slice."""

    def __init__(self, images: Iterable[np.ndarray]) -> None:
        self._images = iter(images)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next slice by the network's input name; None at the end."""
        image = next(self._images, None)
        return None if image is None else {"image": image[None]}


def images_of(scans: list[Path]) -> Iterator[np.ndarray]:
    """What the segmenter is fed of scans; one in four without a T1."""
    for number, path in enumerate(scans):
        with np.load(path) as stored:
            stir, t1 = (slice_by_slice(normalize(stored[name].astype(np.float32))) for name in ("stir", "t1"))
        for k in range(0, stir.shape[2], EVERY_SLICE):
            yield neighbours(stir, None if number % 4 == 3 else t1, k)


def quantize(images: Iterable[np.ndarray], network: Path, out: Path, members: int = 1) -> None:
    """Write the network in `network`, or the mean of so many alike in layers, in whole numbers to `out`."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        shape_inference.quant_pre_process(network, plain, skip_symbolic_shape=True)
        convolutions = [node.name for node in onnx.load(plain).graph.node if node.op_type == "Conv"]
        layers = len(convolutions) // members
        kept = [name for n, name in enumerate(convolutions) if n % layers in (0, layers - 1)]
        quantize_static(
            plain, out, Slices(images), quant_format=QuantFormat.QOperator, activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8, per_channel=True, reduce_range=True,
            nodes_to_exclude=kept, calibrate_method=CalibrationMethod.MinMax,
        )  # fmt: skip


if __name__ == "__main__":
    scans, network, out = (Path(argument) for argument in sys.argv[1:4])
    quantize(images_of(sorted(scans.glob("*.npz"))[:SCANS]), network, out)
