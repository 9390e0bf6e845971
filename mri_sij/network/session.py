"""A network ready to run: one thread, so that the same input gives the same bytes on any machine's core count."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Session:
    """A loaded network with one input, `image`, and one output, `logits`; `sha256` is its file's."""

    runtime: Any
    sha256: str

    def run(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits (outputs, x, y) of one image (channels, x, y)."""
        logits: NDArray[np.float32] = self.runtime.run(None, {"image": image[None]})[0][0]
        return logits


@lru_cache(maxsize=4)
def load(stored: bytes) -> Session:
    """The network in an ONNX file's bytes."""
    import onnxruntime as ort  # noqa: PLC0415 - slow to import; commands without the network do not need it

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    runtime = ort.InferenceSession(stored, options, providers=["CPUExecutionProvider"])
    return Session(runtime, hashlib.sha256(stored).hexdigest())


@lru_cache(maxsize=4)
def shipped(package: str, name: str) -> Session:
    """The network that lies in `package` of this program under `name`."""
    return load((files(package) / name).read_bytes())
