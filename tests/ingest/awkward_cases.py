"""The cases of the awkward-series matrix."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import awkward as a
import gdcm
import numpy as np
from awkward import Case, Made, truth
from pydicom.dataset import Dataset

CASES: list[Case] = []
LPS = a.oblique()


def case(function: Callable[[Path], Made]) -> Callable[[Path], Made]:
    """Register a case under its function's name."""
    CASES.append(Case(function.__name__, function))
    return function


def _right(data=None, affine=None) -> Made:
    return Made([truth(a.voxels() if data is None else data, LPS if affine is None else affine)])


def _refused(code: str) -> Made:
    return Made([], code)


@case
def plain(folder: Path) -> Made:
    a.write_all(a.slice_set(), folder)
    return _right()


@case
def names_in_another_order(folder: Path) -> Made:
    slices = a.slice_set()
    a.write_all([slices[n] for n in np.random.default_rng(1).permutation(len(slices))], folder)
    return _right()


@case
def instance_numbers_reversed(folder: Path) -> Made:
    slices = a.slice_set()
    for n, ds in enumerate(slices):
        ds.InstanceNumber = len(slices) - n
    a.write_all(slices, folder)
    return _right()


@case
def no_instance_numbers(folder: Path) -> Made:
    slices = a.slice_set()
    for ds in slices:
        del ds.InstanceNumber
    a.write_all(slices, folder)
    return _right()


@case
def missing_middle_slice(folder: Path) -> Made:
    slices = a.slice_set()
    a.write_all(slices[:5] + slices[6:], folder)
    return _refused("missing_slices")


@case
def missing_two_slices(folder: Path) -> Made:
    slices = a.slice_set()
    a.write_all(slices[:3] + slices[4:7] + slices[8:], folder)
    return _refused("missing_slices")


@case
def every_second_slice_missing(folder: Path) -> Made:
    a.write_all(a.slice_set()[::2], folder)
    return _refused("missing_slices")


@case
def missing_end_slice(folder: Path) -> Made:
    a.write_all(a.slice_set()[1:], folder)
    data = a.voxels()[:, :, 1:]
    affine = LPS.copy()
    affine[:3, 3] += LPS[:3, 2]
    return _right(data, affine)


@case
def one_zero_byte_file(folder: Path) -> Made:
    a.write_all(a.slice_set(), folder)
    (folder / "IM0004").write_bytes(b"")
    return _refused("missing_slices")


@case
def duplicate_file(folder: Path) -> Made:
    a.write_all(a.slice_set(), folder)
    shutil.copy(folder / "IM0004", folder / "IM0004 (copy)")
    return _right()


@case
def duplicate_with_another_uid(folder: Path) -> Made:
    slices = a.slice_set()
    twin = a.slice_set()[4]
    twin.SOPInstanceUID += ".7"
    a.write_all([*slices, twin], folder)
    return _right()


@case
def same_place_other_pixels(folder: Path) -> Made:
    slices = a.slice_set()
    twin = a.slice_set(a.voxels(5))[4]
    twin.SOPInstanceUID += ".7"
    twin.InstanceNumber = 77
    a.write_all([*slices, twin], folder)
    return _refused("conflicting_duplicates")


@case
def same_uid_other_pixels(folder: Path) -> Made:
    a.write_all([*a.slice_set(), a.slice_set(a.voxels(5))[4]], folder)
    return _refused("conflicting_duplicates")


@case
def retaken_slice_of_another_acquisition(folder: Path) -> Made:
    twin = a.slice_set(a.voxels(5))[4]
    twin.SOPInstanceUID += ".7"
    twin.AcquisitionNumber, twin.InstanceNumber = 2, 77
    a.write_all([*a.slice_set(), twin], folder)
    return _refused("conflicting_duplicates")


@case
def two_echoes(folder: Path) -> Made:
    second = a.slice_set(a.voxels(5), start=101)
    for ds in second:
        ds.EchoTime, ds.EchoNumbers = "90", "2"
    a.write_all([ds for pair in zip(a.slice_set(), second, strict=True) for ds in pair], folder)
    return Made([truth(a.voxels(), LPS), truth(a.voxels(5), LPS)])


@case
def echoes_on_alternate_slices(folder: Path) -> Made:
    slices = a.slice_set()
    for ds in slices[1::2]:
        ds.EchoTime, ds.EchoNumbers = "90", "2"
    a.write_all(slices, folder)
    return _refused("mixed_echoes")


@case
def magnitude_and_phase(folder: Path) -> Made:
    second = a.slice_set(a.voxels(5), start=101)
    for ds in second:
        ds.ImageType = ["ORIGINAL", "PRIMARY", "P", "ND"]
    a.write_all([*a.slice_set(), *second], folder)
    return Made([truth(a.voxels(), LPS), truth(a.voxels(5), LPS)])


@case
def image_types_on_alternate_slices(folder: Path) -> Made:
    slices = a.slice_set()
    for ds in slices[1::2]:
        ds.ImageType = ["DERIVED", "SECONDARY", "M", "ND"]
    a.write_all(slices, folder)
    return _refused("mixed_image_type")


@case
def three_plane_localizer(folder: Path) -> Made:
    axes = np.eye(3)
    planes = [(axes[0], -axes[2]), (axes[1], -axes[2]), (axes[0], axes[1])]
    truths, slices = [], []
    for n, (row, column) in enumerate(planes):
        data = a.voxels(20 + n)[:, :, :3]
        affine = a.stack_affine(row, column, np.array([-10.0, -8.0, 12.0]), 10.0)
        slices += a.slice_set(data, affine, start=1 + 3 * n)
        truths.append(truth(data, affine))
    for ds in slices:
        del ds.SpacingBetweenSlices
    a.write_all(slices, folder)
    return Made(truths)


@case
def localizer_inside(folder: Path) -> Made:
    axes = np.eye(3)
    alien = a.slice_set(a.voxels(5)[:, :, :1], a.stack_affine(axes[1], -axes[2], np.zeros(3)), start=90)
    a.write_all([*a.slice_set(), *alien], folder)
    return Made([truth(a.voxels(), LPS)], "one_slice")


@case
def jitter(folder: Path) -> Made:
    slices = a.slice_set()
    for k, ds in enumerate(slices):
        a.place(ds, LPS, k + (0.3 / a.STEP_MM if k % 3 == 1 else 0))
    a.write_all(slices, folder)
    return _refused("uneven_spacing")


@case
def one_slice_out_of_place(folder: Path) -> Made:
    slices = a.slice_set()
    a.place(slices[5], LPS, 5.4)
    a.write_all(slices, folder)
    return _refused("uneven_spacing")


@case
def sideways_jitter(folder: Path) -> Made:
    slices = a.slice_set()
    aside = LPS.copy()
    aside[:3, 3] += LPS[:3, 0]
    a.place(slices[5], aside, 5)
    a.write_all(slices, folder)
    return _refused("uneven_spacing")


@case
def gantry_like_shear(folder: Path) -> Made:
    row, column = LPS[:3, 0] / np.linalg.norm(LPS[:3, 0]), LPS[:3, 1] / np.linalg.norm(LPS[:3, 1])
    step = np.cross(row, column) + 0.2 * column
    a.write_all(a.slice_set(affine=a.stack_affine(row, column, LPS[:3, 3], step=step)), folder)
    return _refused("shear")


@case
def slight_shear(folder: Path) -> Made:
    row, column = LPS[:3, 0] / np.linalg.norm(LPS[:3, 0]), LPS[:3, 1] / np.linalg.norm(LPS[:3, 1])
    step = np.cross(row, column) + 0.01 * row
    a.write_all(a.slice_set(affine=a.stack_affine(row, column, LPS[:3, 3], step=step)), folder)
    return _refused("shear")


@case
def one_slice_of_another_matrix(folder: Path) -> Made:
    slices = a.slice_set()
    a.set_pixels(slices[4], np.ones((a.ROWS - 2, a.COLUMNS), np.uint16))
    a.write_all(slices, folder)
    return _refused("mixed_matrix")


@case
def end_slice_of_another_matrix(folder: Path) -> Made:
    slices = a.slice_set()
    a.set_pixels(slices[-1], np.ones((a.ROWS - 2, a.COLUMNS), np.uint16))
    a.write_all(slices, folder)
    return _refused("mixed_matrix")


@case
def alternate_slices_of_another_matrix(folder: Path) -> Made:
    slices = a.slice_set()
    for ds in slices[1::2]:
        a.set_pixels(ds, np.ones((a.ROWS - 2, a.COLUMNS), np.uint16))
    a.write_all(slices, folder)
    return _refused("mixed_matrix")


@case
def one_slice_of_another_pixel_spacing(folder: Path) -> Made:
    slices = a.slice_set()
    slices[4].PixelSpacing = ["1.30", "0.95"]
    a.write_all(slices, folder)
    return _refused("mixed_pixel_spacing")


@case
def one_tilted_slice(folder: Path) -> Made:
    slices = a.slice_set()
    tilted = a.oblique(38.6)
    tilted[:3, 3] = LPS[:3, 3] + 4 * LPS[:3, 2]
    a.place(slices[4], tilted, 0)
    a.write_all(slices, folder)
    return _refused("mixed_orientation")


@case
def one_slice_of_another_frame_of_reference(folder: Path) -> Made:
    slices = a.slice_set()
    slices[4].FrameOfReferenceUID += ".1"
    a.write_all(slices, folder)
    return _refused("mixed_frame_of_reference")


@case
def one_truncated_file(folder: Path) -> Made:
    a.write_all(a.slice_set(), folder)
    path = folder / "IM0004"
    path.write_bytes(path.read_bytes()[:-300])
    return _refused("truncated_pixels")


@case
def rows_that_lie(folder: Path) -> Made:
    slices = a.slice_set()
    for ds in slices:
        ds.Rows = a.ROWS - 4
    a.write_all(slices, folder)
    return _refused("pixel_length")


@case
def one_colour_slice(folder: Path) -> Made:
    slices = a.slice_set()
    ds = slices[4]
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit = 7
    ds.PixelData = bytes(a.ROWS * a.COLUMNS * 3)
    a.write_all(slices, folder)
    return _refused("colour")


@case
def inverted_grey(folder: Path) -> Made:
    slices = a.slice_set()
    for ds in slices:
        ds.PhotometricInterpretation = "MONOCHROME1"
    a.write_all(slices, folder)
    return _refused("inverted")


@case
def unknown_codec(folder: Path) -> Made:
    for n, ds in enumerate(a.slice_set()):
        a.encapsulated(ds, b"\x00\x00\x01\xb3" + bytes(50), "1.2.840.10008.1.2.4.100", folder / f"IM{n:04d}")
    return _refused("unknown_codec")


@case
def no_orientation(folder: Path) -> Made:
    slices = a.slice_set()
    for ds in slices:
        del ds.ImageOrientationPatient
    a.write_all(slices, folder)
    return _refused("no_geometry")


@case
def cosines_not_at_right_angles(folder: Path) -> Made:
    slices = a.slice_set()
    for ds in slices:
        ds.ImageOrientationPatient = ["1", "0", "0", "0.1", "0.994987437", "0"]
    a.write_all(slices, folder)
    return _refused("orientation")


@case
def one_slice_only(folder: Path) -> Made:
    a.write_all(a.slice_set()[:1], folder)
    return _refused("one_slice")


@case
def all_at_one_place(folder: Path) -> Made:
    slices = a.slice_set()
    for ds in slices:
        a.place(ds, LPS, 0)
    a.write_all(slices, folder)
    return _refused("one_position")


@case
def screenshot_inside(folder: Path) -> Made:
    slices = a.slice_set()
    shot = a.slice_set(a.voxels(5))[0]
    shot.SOPInstanceUID += ".7"
    shot.InstanceNumber = 99
    del shot.ImageOrientationPatient, shot.ImagePositionPatient, shot.PixelSpacing
    a.write_all([*slices, shot], folder)
    return Made([truth(a.voxels(), LPS)], "no_geometry")


@case
def positions_rounded(folder: Path) -> Made:
    slices = a.slice_set()
    for ds in slices:
        ds.ImagePositionPatient = [f"{float(v):.2f}" for v in ds.ImagePositionPatient]
    a.write_all(slices, folder)
    return _right()


@case
def negative_spacing_between_slices(folder: Path) -> Made:
    slices = a.slice_set()
    for ds in slices:
        ds.SpacingBetweenSlices = str(-a.STEP_MM)
    a.write_all(slices, folder)
    return _right()


@case
def spacing_between_slices_is_the_gap(folder: Path) -> Made:
    slices = a.slice_set()
    for ds in slices:
        ds.SliceThickness, ds.SpacingBetweenSlices = "3.3", "1.1"
    a.write_all(slices, folder)
    return _right()


@case
def wrong_spacing_between_slices(folder: Path) -> Made:
    slices = a.slice_set()
    for ds in slices:
        ds.SpacingBetweenSlices = "0.4"
    a.write_all(slices, folder)
    return _right()


@case
def acquisitions_interleaved(folder: Path) -> Made:
    slices = a.slice_set()
    for ds in slices[1::2]:
        ds.AcquisitionNumber = 2
    a.write_all(slices, folder)
    return _right()


@case
def rescale_by_slice(folder: Path) -> Made:
    slices = a.slice_set()
    data = a.voxels().astype(float)
    for k, ds in enumerate(slices):
        slope, intercept = 0.5 + 0.25 * k, 3.0 * k
        ds.RescaleSlope, ds.RescaleIntercept = a.ds_text(slope), a.ds_text(intercept)
        data[:, :, k] = data[:, :, k] * slope + intercept
    a.write_all(slices, folder)
    return _right(data)


@case
def private_scaling(folder: Path) -> Made:
    slices = a.slice_set()
    for k, ds in enumerate(slices):
        ds.Manufacturer = "Philips Medical Systems"
        block = ds.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0x0E, "FL", 0.01 + 0.001 * k)
        ds.RescaleSlope, ds.RescaleIntercept = "1.5", "0"
    a.write_all(slices, folder)
    return _right(a.voxels() * 1.5)


@case
def signed_pixels(folder: Path) -> Made:
    data = a.voxels().astype(np.int16) - 2000
    a.write_all(a.slice_set(data), folder)
    return _right(data)


@case
def eight_bit_pixels(folder: Path) -> Made:
    data = a.voxels(high=250).astype(np.uint8)
    a.write_all(a.slice_set(data), folder)
    return _right(data)


@case
def overlay_in_unused_bits(folder: Path) -> Made:
    slices = a.slice_set()
    for k, ds in enumerate(slices):
        image = a.voxels()[:, :, k].T | np.where(np.arange(a.COLUMNS) % 2, 0x8000, 0).astype(np.uint16)
        a.set_pixels(ds, image, bits_stored=12)
    a.write_all(slices, folder)
    return _right()


@case
def two_stacks(folder: Path) -> Made:
    other = a.oblique(10.0, -6.0, (5.0, 20.0, -30.0))
    a.write_all([*a.slice_set(), *a.slice_set(a.voxels(5), other, start=50)], folder)
    return Made([truth(a.voxels(), LPS), truth(a.voxels(5), other)])


@case
def two_parallel_stacks_apart(folder: Path) -> Made:
    other = LPS.copy()
    other[:3, 3] += 20.3 * LPS[:3, 2]
    a.write_all([*a.slice_set(), *a.slice_set(a.voxels(5), other, start=50)], folder)
    return _refused("uneven_spacing")


@case
def dynamic_series(folder: Path) -> Made:
    slices, truths = [], []
    for time in range(3):
        volume = a.slice_set(a.voxels(30 + time), start=1 + 100 * time)
        for ds in volume:
            ds.TemporalPositionIdentifier = time + 1
        slices += volume
        truths.append(truth(a.voxels(30 + time), LPS))
    a.write_all(slices, folder)
    return Made(truths)


@case
def dynamic_series_with_a_hole(folder: Path) -> Made:
    slices, truths = [], []
    for time in range(3):
        volume = a.slice_set(a.voxels(30 + time), start=1 + 100 * time)
        for ds in volume:
            ds.TemporalPositionIdentifier = time + 1
        slices += volume[:4] + volume[5:] if time == 1 else volume
        if time != 1:
            truths.append(truth(a.voxels(30 + time), LPS))
    a.write_all(slices, folder)
    return Made(truths, "missing_slices")


@case
def dynamic_by_acquisition(folder: Path) -> Made:
    slices, truths = [], []
    for time in range(2):
        volume = a.slice_set(a.voxels(30 + time), start=1 + 100 * time)
        for ds in volume:
            ds.AcquisitionNumber = time + 1
        slices += volume
        truths.append(truth(a.voxels(30 + time), LPS))
    a.write_all(slices, folder)
    return Made(truths)


@case
def implicit_vr(folder: Path) -> Made:
    a.write_all(a.slice_set(), folder, a.ImplicitVRLittleEndian)
    return _right()


@case
def big_endian(folder: Path) -> Made:
    a.write_all(a.slice_set(), folder, a.ExplicitVRBigEndian)
    return _right()


@case
def deflated(folder: Path) -> Made:
    a.write_all(a.slice_set(), folder, a.DeflatedExplicitVRLittleEndian)
    return _right()


@case
def without_preamble(folder: Path) -> Made:
    a.write_all(a.slice_set(), folder)
    for path in folder.iterdir():
        a.without_preamble(path)
    return _right()


@case
def without_preamble_implicit(folder: Path) -> Made:
    a.write_all(a.slice_set(), folder, a.ImplicitVRLittleEndian)
    for path in folder.iterdir():
        a.without_preamble(path)
    return _right()


@case
def rle(folder: Path) -> Made:
    a.write_all(a.slice_set(), folder)
    a.rle(folder)
    return _right()


@case
def jpeg_lossless(folder: Path) -> Made:
    a.write_all(a.slice_set(), folder)
    a.compress(folder, gdcm.TransferSyntax.JPEGLosslessProcess14_1)
    return _right()


@case
def jpeg_ls(folder: Path) -> Made:
    a.write_all(a.slice_set(), folder)
    a.compress(folder, gdcm.TransferSyntax.JPEGLSLossless)
    return _right()


@case
def jpeg_2000(folder: Path) -> Made:
    a.write_all(a.slice_set(), folder)
    a.compress(folder, gdcm.TransferSyntax.JPEG2000Lossless)
    return _right()


@case
def mixed_transfer_syntaxes(folder: Path) -> Made:
    slices = a.slice_set()
    a.write_all(slices[:6], folder / "one")
    a.write_all(slices[6:], folder / "two", a.ImplicitVRLittleEndian)
    return _right()


@case
def enhanced_plain(folder: Path) -> Made:
    frames = [a.frame_group(LPS, k) for k in range(a.SLICES)]
    a.write(a.enhanced(a.voxels().transpose(2, 1, 0), frames), folder / "E")
    return _right()


@case
def enhanced_shuffled(folder: Path) -> Made:
    order = np.random.default_rng(3).permutation(a.SLICES)
    frames = [a.frame_group(LPS, int(k)) for k in order]
    a.write(a.enhanced(a.voxels().transpose(2, 1, 0)[order], frames), folder / "E")
    return _right()


@case
def enhanced_rescale_by_frame(folder: Path) -> Made:
    scales = [(0.5 + 0.25 * k, 2.0 * k) for k in range(a.SLICES)]
    frames = [a.frame_group(LPS, k, scale=scales[k]) for k in range(a.SLICES)]
    a.write(a.enhanced(a.voxels().transpose(2, 1, 0), frames), folder / "E")
    slope, intercept = np.array(scales).T
    return _right(a.voxels() * slope + intercept)


@case
def enhanced_two_stacks(folder: Path) -> Made:
    other = a.oblique(10.0, -6.0, (5.0, 20.0, -30.0))
    frames = [a.frame_group(LPS, k) for k in range(a.SLICES)]
    frames += [a.frame_group(other, k, stack="2") for k in range(a.SLICES)]
    data = np.concatenate([a.voxels(), a.voxels(5)], axis=2).transpose(2, 1, 0)
    a.write(a.enhanced(data, frames), folder / "E")
    return Made([truth(a.voxels(), LPS), truth(a.voxels(5), other)])


@case
def enhanced_dynamic(folder: Path) -> Made:
    frames = [a.frame_group(LPS, k, time=t + 1) for k in range(a.SLICES) for t in range(3)]
    data = np.stack([a.voxels(30 + t)[:, :, k].T for k in range(a.SLICES) for t in range(3)])
    a.write(a.enhanced(data, frames), folder / "E")
    return Made([truth(a.voxels(30 + t), LPS) for t in range(3)])


@case
def enhanced_missing_frame(folder: Path) -> Made:
    kept = [k for k in range(a.SLICES) if k != 5]
    frames = [a.frame_group(LPS, k) for k in kept]
    a.write(a.enhanced(a.voxels().transpose(2, 1, 0)[kept], frames), folder / "E")
    return _refused("missing_slices")


@case
def enhanced_frames_not_described(folder: Path) -> Made:
    ds = a.enhanced(a.voxels().transpose(2, 1, 0), [a.frame_group(LPS, k) for k in range(a.SLICES)])
    del ds.PerFrameFunctionalGroupsSequence[-2:]
    a.write(ds, folder / "E")
    return _refused("functional_groups")


@case
def enhanced_truncated(folder: Path) -> Made:
    a.write(a.enhanced(a.voxels().transpose(2, 1, 0), [a.frame_group(LPS, k) for k in range(a.SLICES)]), folder / "E")
    path = folder / "E"
    path.write_bytes(path.read_bytes()[:-2000])
    return _refused("truncated_pixels")


@case
def two_patients_in_one_folder(folder: Path) -> Made:
    other = a.oblique(20.0)
    slices = a.slice_set(a.voxels(5), other, study="2")
    a.write_all(a.slice_set(), folder)
    for n, ds in enumerate(slices):
        a.write(ds, folder / f"JM{n:04d}")
    return Made([truth(a.voxels(), LPS), truth(a.voxels(5), other)])


@case
def dicomdir_beside(folder: Path) -> Made:
    a.write_all(a.slice_set(), folder)
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.BitsAllocated = "1.2.840.10008.1.3.10", a.ROOT + ".5", 16
    ds.FileSetID = "PASSWD"
    a.write(ds, folder / "DICOMDIR")
    return _right()
