"""The shipped network: the same bytes twice, mirror images alike, probabilities that sum to one, any gain alike."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import numpy as np
import onnxruntime as ort
import pytest

from mri_sij.errors import GeometryError
from mri_sij.geometry import Grid
from mri_sij.network import run
from mri_sij.network.maps import Maps
from mri_sij.network.prepare import CHANNELS, STIR_SLICES, neighbours, normalize
from mri_sij.network.run import MODEL_FILE, predict
from mri_sij.network.session import Session
from mri_sij.volume import Volume

SHAPE = (96, 80, 5)
AFFINE = np.array([[-1.2, 0, 0, 57], [0, 0, -4, 8], [0, 1.2, 0, -47], [0, 0, 0, 1.0]])
GRID = Grid(SHAPE, AFFINE)
CLASSES = ("background", "sacrum", "ilium", "lumbar")


def stir() -> Volume:
    """Bright blobs on a dark ground, unlike on the two sides."""
    i, j, k = np.indices(SHAPE)
    signal = 200 + 300 * np.exp(-((i - 30) ** 2 + (j - 40) ** 2) / 300) + 150 * np.exp(-((i - 70) ** 2) / 90) + 5 * k
    return Volume(signal.astype(np.float32), GRID)


def maps_of(volume: Volume, t1: Volume | None = None) -> Maps:
    return predict(volume, t1)


@pytest.fixture(scope="module")
def maps() -> Maps:
    return maps_of(stir())


def test_classes_sum_to_one_on_the_stir_s_grid(maps: Maps) -> None:
    total = sum(getattr(maps, name) for name in CLASSES)
    assert np.allclose(total, 1, atol=1e-5)
    for name in (*CLASSES, "oedema", "fluid"):
        found = getattr(maps, name)
        assert found.shape == SHAPE and found.dtype == np.float32
        assert found.min() >= 0 and found.max() <= 1 + 1e-6
    assert maps.grid is GRID
    assert 0 <= maps.agreement <= 1


def test_the_same_input_gives_the_same_bytes(maps: Maps) -> None:
    again = maps_of(stir())
    for name in (*CLASSES, "oedema", "fluid"):
        assert getattr(again, name).tobytes() == getattr(maps, name).tobytes()


def test_a_mirrored_image_gives_mirrored_maps(maps: Maps) -> None:
    mirrored = maps_of(Volume(np.ascontiguousarray(stir().data[::-1]), GRID))
    for name in (*CLASSES, "oedema", "fluid"):
        assert np.allclose(getattr(mirrored, name)[::-1], getattr(maps, name), atol=1e-4)
    assert mirrored.agreement == pytest.approx(maps.agreement, abs=1e-3)


def test_gain_does_not_matter(maps: Maps) -> None:
    louder = maps_of(Volume(stir().values * np.float32(4), GRID))
    assert np.allclose(louder.sacrum, maps.sacrum, atol=1e-4)


def test_the_t1_is_used_and_must_lie_on_the_same_grid(maps: Maps) -> None:
    with_t1 = maps_of(stir(), Volume(stir().values[:, ::-1].copy(), GRID))
    assert not np.allclose(with_t1.background, maps.background, atol=1e-3)
    moved = AFFINE.copy()
    moved[0, 3] += 5
    with pytest.raises(GeometryError):
        maps_of(stir(), Volume(stir().values, Grid(SHAPE, moved)))


def test_the_model_is_named_by_its_hash(maps: Maps) -> None:
    stored = (files("mri_sij.network") / MODEL_FILE).read_bytes()
    assert maps.model_sha256 == hashlib.sha256(stored).hexdigest()


def test_normalized_signal_is_the_log_of_that_relative_to_the_body() -> None:
    signal = np.full((30, 30, 2), 100, np.float32)
    signal[:3] = 300
    found = normalize(signal)
    assert found[20, 20, 0] == pytest.approx(np.log(3))
    assert found[0, 0, 0] == pytest.approx(np.log(7))
    assert np.array_equal(normalize(np.ldexp(signal, -40)), found)
    assert np.array_equal(normalize(np.zeros((6, 6, 2), np.float32)), np.zeros((6, 6, 2)))


def test_neighbours_repeat_the_end_slices_and_leave_out_a_missing_t1() -> None:
    volume = np.broadcast_to(np.arange(4, dtype=np.float32), (2, 3, 4))
    image = neighbours(volume, None, 1)
    assert image.shape == (CHANNELS, 2, 3)
    assert [int(c[0, 0]) for c in image[: len(STIR_SLICES)]] == [0, 0, 0, 1, 2, 3, 3]
    assert not image[len(STIR_SLICES) :].any()
    assert [int(c[0, 0]) for c in neighbours(volume, volume, 1, stride=2)[len(STIR_SLICES) :]] == [0, 1, 3]


def test_one_and_two_threads_give_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network itself on 1 and 2 threads, each in a session of its own, on slices as large as a patient's."""
    stored = (files("mri_sij.network") / MODEL_FILE).read_bytes()
    whole = np.tile(stir().values, (2, 2, 1))
    found = []
    for threads in (1, 2):
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        session = ort.InferenceSession(stored, options, providers=["CPUExecutionProvider"])
        monkeypatch.setattr(run, "shipped", lambda package, name, own=session: Session(own, ""))
        maps = maps_of(Volume(whole, Grid((whole.shape[0], whole.shape[1], whole.shape[2]), AFFINE)))
        found.append([getattr(maps, name).tobytes() for name in (*CLASSES, "oedema", "fluid")])
    assert found[0] == found[1]


def test_visits_run_at_one_time_give_the_same_bytes(maps: Maps) -> None:
    with ThreadPoolExecutor(2) as pool:
        for again in pool.map(maps_of, [stir(), stir()]):
            assert again.sacrum.tobytes() == maps.sacrum.tobytes()
            assert again.ilium.tobytes() == maps.ilium.tobytes()
