"""The second look at the joints, on made-up pelves."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from block_pelvis import SHAPE, Box, anatomy, images, suspecting

from mri_sij.config import LesionSettings
from mri_sij.evidence import Side
from mri_sij.lesions import look
from mri_sij.lesions.assess import Marrow, find_marrow, search_region
from mri_sij.lesions.search import Search

BLOB = Box(Side.LEFT, "ilium", (0, 14), (22, 40), (2, 5), 1.9)
CARD = Path(look.__file__).parent / "MODEL_CARD.md"


def search(boxes: tuple[Box, ...] = (BLOB,), *, with_t1: bool = True) -> Search:
    stir, t1, oedema = images(boxes)
    body, maps, settings = anatomy(), suspecting(oedema), LesionSettings()
    marrow = find_marrow(stir, t1 if with_t1 else None, body, maps, settings)
    assert isinstance(marrow, Marrow)
    return search_region(stir, body, maps, marrow, settings)


def mirrored(found: Search) -> Search:
    """The same patient with left and right changed: columns from the other end, sides renamed."""
    code = np.array([0, 3, 4, 1, 2], np.uint8)[found.code[::-1]]
    names = ("bone", "half", "depth_mm", "cartilaginous", "ratio", "oedema", "fluid", "t1_ratio")
    return replace(found, code=code, **{name: getattr(found, name)[::-1] for name in names})


@pytest.mark.parametrize("with_t1", [True, False])
def test_oedema_is_more_likely_where_it_lies(with_t1: bool) -> None:
    found = search(with_t1=with_t1)
    odds = look.log_odds(found)
    _, _, oedema = images((BLOB,))
    there, elsewhere = oedema[found.box], (found.code > 0) & ~oedema[found.box]
    assert odds.shape == found.code.shape
    assert np.median(odds[there]) > 0 > np.quantile(odds[elsewhere], 0.95)
    assert (odds[found.code == 0] == look.UNLIKELY).all()


def test_a_mirrored_patient_gets_mirrored_answers_to_the_last_bit() -> None:
    found = search()
    assert np.array_equal(look.log_odds(mirrored(found))[::-1], look.log_odds(found))


def test_one_joint_alone_gets_the_same_answer() -> None:
    """What is known of the other joint does not matter as long as it is out of sight."""
    found = search()
    left = replace(found, code=np.where(found.code > 2, 0, found.code).astype(np.uint8))
    far = (found.code == 2) & (found.depth_mm > 5)
    assert np.allclose(look.log_odds(left)[far], look.log_odds(found)[far], atol=0.5)
    assert (look.log_odds(left)[found.code > 2] == look.UNLIKELY).all()


def test_what_is_fed_is_as_the_card_says() -> None:
    found = search(with_t1=False)
    shown = look.views(found, look.joints_of(found)[0])
    fed = look.image(shown, 3)
    assert fed.shape[0] == look.CHANNELS == 24
    assert not fed[5:9].any()  # no T1
    assert np.array_equal(look.image(shown, 0)[0], look.image(shown, 0)[2])  # before the first slice comes the first
    assert fed[14 + 1].max() == fed[17 + 1].max() == 1  # sacrum and ilium of the slice itself
    assert SHAPE[2] == shown["stir"].shape[2]


def test_it_needs_the_networks_maps() -> None:
    with pytest.raises(ValueError, match="maps"):
        look.log_odds(replace(search(), oedema=None))


def test_the_card_names_the_file() -> None:
    stored = (files("mri_sij.lesions") / look.MODEL_FILE).read_bytes()
    assert look.sha256() == hashlib.sha256(stored).hexdigest()
    assert look.sha256() in CARD.read_text(encoding="utf-8")
