"""The truth of a simulated visit without noise: bones, joint, oedema and form agree with one another, with the fields
that the person is made of, and with figures worked out here by other means."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import ndimage as ndi
from scipy.spatial import cKDTree

from mri_sij.anatomy.joint import find_joints
from mri_sij.anatomy.labels import NAMES
from mri_sij.config import AnatomySettings
from mri_sij.evidence import Bone, Half, JointSliceEvidence, Side
from mri_sij.geometry import LPS_TO_RAS
from mri_sij.phantom.body import Person
from mri_sij.phantom.lesion import Lesion, draw_erosions, joint_point
from mri_sij.phantom.scan import LEFT_ILIUM, RIGHT_ILIUM, SACRUM, Matrix, Position, Scanner, SimulatedVisit
from mri_sij.phantom.study import total_of
from mri_sij.phantom.tissue import Sequence
from mri_sij.phantom.truth import true_form, true_joint, true_slices
from mri_sij.phantom.visits import Session, person_of, scan
from mri_sij.volume import LabelMap

SEED = 5
SCANNER = Scanner(Sequence(4000, 60, 160, 1.5), Sequence(550, 12, None, 1.5), 1e9, 50, 0, 0, 0.01)
SESSION = Session(Position(35.0), Matrix((150, 150), 1.3, 18, 4.0, 3.6), SCANNER)
BRIGHT = Lesion(Side.LEFT, Bone.ILIUM, 0.7, 0.5, 16.0, 15.0, 3.4)
FAINT = Lesion(Side.RIGHT, Bone.SACRUM, 0.3, 0.5, 6.0, 10.0, 1.6)
INTENSE = 2.6
ILIUM = {Side.LEFT: LEFT_ILIUM, Side.RIGHT: RIGHT_ILIUM}


@dataclass(frozen=True, eq=False)
class Made:
    """One person, scanned healthy and with both lesions."""

    person: Person
    healthy: SimulatedVisit
    ill: SimulatedVisit

    def sampled(self, field: np.ndarray) -> np.ndarray:
        """A field of the person at the visit's voxel centres, found here through world coordinates."""
        grid, lattice = self.ill.stir.grid, self.person.lattice
        points = grid.world(np.moveaxis(np.indices(grid.shape), 0, -1)) @ LPS_TO_RAS[:3, :3].T
        at = (points - np.array(lattice.origin)) / lattice.step
        return np.asarray(ndi.map_coordinates(field, np.moveaxis(at, -1, 0), order=1, mode="nearest"))


@pytest.fixture(scope="module")
def made() -> Made:
    person = person_of(SEED)
    return Made(person, scan(person, SEED, (), SESSION), scan(person, SEED, (BRIGHT, FAINT), SESSION))


def test_labels_are_the_bones_of_the_person(made: Made) -> None:
    labels = made.ill.labels.data
    bones = {SACRUM: made.person.sacrum, LEFT_ILIUM: made.person.left, RIGHT_ILIUM: made.person.right}
    distances = {label: made.sampled(field) for label, field in bones.items()}
    for label, distance in distances.items():
        deep = distance < -3
        assert deep.sum() > 1000
        assert (labels[deep] == label).mean() > 0.999
        assert not (labels[distance > 3] == label).any()
    assert np.array_equal(labels, made.healthy.labels.data)


def test_left_is_left_by_the_affine(made: Made) -> None:
    for label, sign in ((LEFT_ILIUM, -1), (RIGHT_ILIUM, 1)):
        places = made.ill.stir.grid.world(np.argwhere(made.ill.labels.data == label))
        assert (places[:, 0] * sign > 0).all()


@pytest.mark.parametrize("side", Side)
def test_the_joint_lies_half_way_between_the_labels(made: Made, side: Side) -> None:
    visit = made.ill
    spacing = np.array(visit.stir.grid.spacing_mm[:2])
    ilium = made.person.left if side is Side.LEFT else made.person.right
    off, width = [], []
    for k in true_slices(visit) or ():
        line = np.argwhere(true_joint(visit, side)[:, :, k]) * spacing
        sacrum, wing = (
            cKDTree(np.argwhere(visit.labels.data[:, :, k] == label) * spacing).query(line)[0]
            for label in (SACRUM, ILIUM[side])
        )
        off.append(np.abs(sacrum - wing) / 2)
        width.append(sacrum + wing)
    assert np.concatenate(off).mean() < 1.3  # one voxel
    assert np.median(np.concatenate(width)) < 8
    there = true_joint(visit, side)
    half_way = (made.sampled(made.person.sacrum) - made.sampled(ilium)) / 2
    assert np.abs(half_way - visit.joint_mm)[there].mean() < 0.5


def test_the_measured_joint_of_true_bones_is_the_true_joint(made: Made) -> None:
    bones = np.where(made.ill.labels.data <= RIGHT_ILIUM, made.ill.labels.data, 0).astype(np.uint8)
    joints = find_joints(LabelMap(bones, made.ill.stir.grid, NAMES), AnatomySettings())
    for joint in (joints.left, joints.right):
        for k in true_slices(made.ill) or ():
            at = joint.slices[k].midline
            found = ndi.map_coordinates(made.ill.joint_mm[:, :, k], at.T, order=1)
            assert np.abs(found).mean() < 1.3


def test_the_recess_lies_behind_and_above_the_cartilage_and_is_wider(made: Made) -> None:
    person = made.person
    y, z = (np.broadcast_to(axis, person.lattice.shape) for axis in person.lattice.axes()[1:])  # backwards, upwards
    for ilium in (person.left, person.right):
        apart = person.sacrum + ilium
        facing = (np.abs(person.sacrum - ilium) < 2) & (apart < 14)
        joint, recess = facing & person.cartilaginous, facing & ~person.cartilaginous & (apart < 10)
        assert min(joint.sum(), recess.sum()) > 300
        assert np.mean((y + z)[recess]) > np.mean((y + z)[joint]) + 3
        assert np.median(apart[recess]) > np.median(apart[joint]) + 1.5
        assert np.percentile(apart[joint], 95) < 5.5


def test_oedema_lies_where_it_was_put(made: Made) -> None:
    grid, oedema, labels = made.ill.stir.grid, made.ill.oedema, made.ill.labels.data
    assert not made.healthy.oedema.any()
    assert set(np.unique(labels[oedema])) == {LEFT_ILIUM, SACRUM}
    for lesion, label in ((BRIGHT, LEFT_ILIUM), (FAINT, SACRUM)):
        here = oedema & (labels == label)
        centre = joint_point(made.person, lesion.side, lesion.along, lesion.across) * (-1, -1, 1)
        away = np.linalg.norm(grid.world(np.argwhere(here)) - centre, axis=1)
        assert away.max() < np.hypot(lesion.radius_mm, lesion.depth_mm) + 8
        assert away.min() < 6
        other = made.sampled(made.person.sacrum if label == LEFT_ILIUM else made.person.right)
        assert np.percentile(other[here], 95) < lesion.depth_mm + 2 + 3
        ml = here.sum() * grid.voxel_ml
        half_a_disc_ml = np.pi * lesion.radius_mm**2 * lesion.depth_mm / 2000
        assert 0.3 * half_a_disc_ml < ml < 2.5 * half_a_disc_ml


def test_the_stir_is_brighter_in_oedema_and_nowhere_else(made: Made) -> None:
    gain = made.ill.stir.values - made.healthy.stir.values
    touched = ndi.binary_dilation(made.ill.lesion_ratio > 1, np.ones((7, 7, 1)))
    assert np.abs(gain[~touched]).max() <= 0.05 * gain.max()  # a ghost has at most 5 % of the signal
    assert (gain[~touched] == 0).mean() > 0.95
    excess = made.ill.lesion_ratio - 1
    assert excess[made.ill.oedema].min() > 0
    # In marrow, away from the cortex, the gain is the lesion's excess over marrow on one scale, but for the coil.
    marrow = made.ill.oedema & (made.sampled(np.minimum(made.person.sacrum, made.person.left)) < -2.5)
    scale = gain[marrow] / excess[marrow]
    assert np.percentile(scale, 5) > 0.9 * np.median(scale)
    assert np.percentile(scale, 95) < 1.15 * np.median(scale)
    assert excess.max() == pytest.approx(BRIGHT.ratio - 1, abs=0.05)


def test_an_erosion_takes_bone_away_and_is_filled_with_what_is_bright(made: Made) -> None:
    hole = Lesion(Side.LEFT, Bone.ILIUM, 0.5, 0.5, 5, 10, 2.0, erodes=True)
    eroded = scan(made.person, SEED, (hole,), SESSION)
    cavity = eroded.oedema
    assert set(np.unique(eroded.labels.data[cavity])) == {LEFT_ILIUM}  # what was bone is still called so
    assert np.array_equal(eroded.labels.data, made.healthy.labels.data)
    cortex = cavity & (made.sampled(made.person.left) > -1)
    assert cortex.sum() > 20
    gain = eroded.stir.values - made.healthy.stir.values
    assert np.median(gain[cortex]) > np.median(gain[cavity]) > 0  # cortex was dark before
    loss = (made.healthy.t1.values - eroded.t1.values)[cavity & (made.sampled(made.person.left) < -2)]
    assert np.median(loss) > 0
    near = ndi.binary_dilation(eroded.lesion_ratio > 1, np.ones((9, 9, 1)))
    assert np.abs(gain[~near]).max() <= 0.05 * np.abs(gain).max()


def test_joints_without_oedema_are_not_eroded() -> None:
    holes = draw_erosions(np.random.default_rng(1), (BRIGHT,))
    assert 3 <= len(holes) <= 8 and {hole.side for hole in holes} == {BRIGHT.side} and all(h.erodes for h in holes)
    assert draw_erosions(np.random.default_rng(1), ()) == ()


def test_oedema_that_sclerosis_hides_is_none(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def hard(person: Person, _: np.random.Generator) -> np.ndarray:
        return np.full(person.lattice.shape, 0.85, np.float32)

    monkeypatch.setattr("mri_sij.phantom.scan.sclerosis_field", hard)
    dark = scan(made.person, SEED, (BRIGHT, FAINT), SESSION)
    labels = dark.labels.data
    # 0.66 of an excess of 0.6 do not make up for 0.85 of marrow, 0.66 of 2.4 do.
    assert not dark.oedema[labels == SACRUM].any()
    assert 0.5 < dark.oedema[labels == LEFT_ILIUM].sum() / made.ill.oedema[labels == LEFT_ILIUM].sum() < 1
    assert 1.5 < dark.lesion_ratio.max() < 1 + 0.66 * 2.4


def test_the_form_is_what_the_mask_says(made: Made) -> None:
    slices = true_slices(made.ill)
    assert slices is not None and list(np.diff(slices)) == [1] * 5
    form = true_form(made.ill, slices, INTENSE)
    assert [(j.slice_number, j.side) for j in form.joints] == [(k, side) for k in slices for side in Side]
    expected = 0
    for joint in form.joints:
        areas, deep, intense = _by_hand(made.ill, joint)
        for q in joint.quadrants:
            mm2 = areas.get((q.quadrant.bone, q.quadrant.half), 0.0)
            assert q.oedema_area_mm2 == pytest.approx(mm2, abs=1e-6)
            assert q.oedema == (mm2 >= 10)
        positive = sum(q.oedema for q in joint.quadrants)
        assert (joint.deep, joint.intense) == (deep and positive > 0, intense and positive > 0)
        expected += positive + joint.deep + joint.intense
    assert total_of(form) == expected
    left = [j for j in form.joints if j.side is Side.LEFT]
    right = [j for j in form.joints if j.side is Side.RIGHT]
    assert any(j.deep and j.intense for j in left)
    assert not any(j.deep or j.intense for j in right)
    assert any(q.oedema for j in right for q in j.quadrants)
    assert total_of(true_form(made.healthy, slices, INTENSE)) == 0


def _by_hand(visit: SimulatedVisit, joint: JointSliceEvidence) -> tuple[dict[tuple[Bone, Half], float], bool, bool]:
    """Areas (mm2), depth and intensity of one joint on one slice, voxel by voxel from distances between points."""
    k, side = joint.slice_number, joint.side
    spacing = np.array(visit.stir.grid.spacing_mm[:2])
    pixel_mm2 = float(spacing.prod())
    line = np.argwhere(true_joint(visit, side)[:, :, k])
    low, high = line[:, 1].min(), line[:, 1].max()
    rows = np.unique(line[:, 1])
    tree = cKDTree(line * spacing)
    short = (high - low + 1) * spacing[1] < 30
    areas: dict[tuple[Bone, Half], float] = {}
    beyond: dict[Bone, float] = dict.fromkeys(Bone, 0.0)
    touching: set[Bone] = set()
    bright = 0.0
    for i, j in np.argwhere(visit.oedema[:, :, k]):
        x = visit.stir.grid.world(np.array([i, j, k], float))[0]
        away = float(tree.query(np.array([i, j]) * spacing)[0])
        if (x < 0) != (side is Side.LEFT) or away > 25 or not low - 3 <= j <= high + 3:
            continue
        bone = Bone.SACRUM if visit.labels.data[i, j, k] == SACRUM else Bone.ILIUM
        half = Half.UPPER if short or j > rows.mean() else Half.LOWER
        areas[bone, half] = areas.get((bone, half), 0.0) + pixel_mm2
        beyond[bone] += pixel_mm2 * (away - 1.5 > 10)
        if away - 1.5 < 4:
            touching.add(bone)
        bright += pixel_mm2 * bool(visit.lesion_ratio[i, j, k] >= INTENSE)
    return areas, any(beyond[bone] >= 10 and bone in touching for bone in Bone), bright >= 10


def test_the_same_seed_gives_the_same_bytes(made: Made) -> None:
    again = scan(person_of(SEED), SEED, (BRIGHT, FAINT), SESSION)
    for name in ("stir", "t1", "labels"):
        assert getattr(again, name).data.tobytes() == getattr(made.ill, name).data.tobytes()
    for name in ("oedema", "faint", "fluid", "joint_mm", "cartilaginous", "lesion_ratio"):
        assert getattr(again, name).tobytes() == getattr(made.ill, name).tobytes()


def test_another_seed_is_another_person(made: Made) -> None:
    other = scan(made.person, SEED + 1, (), replace(SESSION, scanner=replace(SCANNER, snr=30)))
    assert other.stir.data.tobytes() != made.healthy.stir.data.tobytes()
