"""A plain full-size nnU-Net (2d, full resolution) as ONNX, with random weights: the same work as a trained one.

The shape is what nnU-Net v2 plans for slices of 336 x 336 (Isensee 2021, Nature Methods 18:203; PlainConvUNet): seven
stages of two 3 x 3 convolutions, each with instance norm and leaky ReLU, 32 to 512 features, halved by strided
convolutions, doubled by transposed ones with a skip, one patch of 384 x 384 a slice. One model, no mirroring: trained
ones are run five at a time, each on four mirror images.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper
from onnx.onnx_ml_pb2 import NodeProto
from onnx.onnx_ml_pb2 import TensorProto as Tensor

FEATURES = (32, 64, 128, 256, 512, 512, 512)
PATCH = 384
CHANNELS, CLASSES = 2, 4


class _Graph:
    """Nodes and random weights in the order in which they are added."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[Tensor] = []
        self._rng = np.random.default_rng(0)

    def add(self, kind: str, inputs: list[str], **attributes: object) -> str:
        """Append a node; the name of its output."""
        out = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        return out

    def weight(self, *shape: int) -> str:
        """Random weights of unit gain (He 2015)."""
        name = f"w{len(self.weights)}"
        values = self._rng.standard_normal(shape) * np.sqrt(2 / max(1, np.prod(shape[1:])))
        self.weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def block(self, x: str, inputs: int, outputs: int, stride: int = 1) -> str:
        """Two convolutions, the first with `stride`."""
        for n in range(2):
            step = stride if n == 0 else 1
            weights = [self.weight(outputs, inputs if n == 0 else outputs, 3, 3), self.weight(outputs)]
            x = self.add("Conv", [x, *weights], pads=[1] * 4, strides=[step] * 2)
            x = self.add("InstanceNormalization", [x, self.weight(outputs), self.weight(outputs)], epsilon=1e-5)
            x = self.add("LeakyRelu", [x], alpha=0.01)
        return x


def network() -> bytes:
    """The network: `image` (1, 2, 384, 384) to `logits` (1, 4, 384, 384)."""
    graph, x, skips = _Graph(), "image", []
    for n, features in enumerate(FEATURES):
        x = graph.block(x, FEATURES[n - 1] if n else CHANNELS, features, 2 if n else 1)
        skips.append(x)
    for n in range(len(FEATURES) - 1, 0, -1):
        up = graph.weight(FEATURES[n], FEATURES[n - 1], 2, 2)
        x = graph.add("ConvTranspose", [x, up], strides=[2, 2])
        x = graph.add("Concat", [x, skips[n - 1]], axis=1)
        x = graph.block(x, 2 * FEATURES[n - 1], FEATURES[n - 1])
    x = graph.add("Conv", [x, graph.weight(CLASSES, FEATURES[0], 1, 1), graph.weight(CLASSES)])
    graph.nodes[-1].output[0] = "logits"
    image, logits = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, PATCH, PATCH])
        for name, channels in (("image", CHANNELS), ("logits", CLASSES))
    )
    made = helper.make_graph(graph.nodes, "nnunet", [image], [logits], graph.weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    return model.SerializeToString()
