"""Bad input: a clear line for each, exit status 4 when nothing usable is left, the rest still read, memory bounded."""

from __future__ import annotations

import gzip
import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import awkward as a
import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from judge import ours

from mri_sij.errors import RefusedError
from mri_sij.geometry import Grid
from mri_sij.ingest import discover
from mri_sij.ingest.discover import index
from mri_sij.ingest.nifti import read_volume, write_nifti
from mri_sij.ingest.read import read_series_volume
from mri_sij.ingest.tree import printable
from mri_sij.ingest.visit import load_visit
from mri_sij.sitk_bridge import to_sitk
from mri_sij.volume import Volume

GROWTH_MB = 200

SCAN = """
import sys
from pathlib import Path
from mri_sij.ingest.discover import index
from mri_sij.ingest.read import read_series_volume
from mri_sij.errors import RefusedError
import mri_sij.ingest.choose, mri_sij.ingest.visit
def peak():  # of this process alone: ru_maxrss remembers the parent's
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
before = peak()
found = index(Path(sys.argv[1]))
for series in found.series:
    for volume in series.volumes:
        try: read_series_volume(volume); print("READ")
        except RefusedError as error: print(error.code)
for item in found.refused: print(item.code)
print((peak() - before) // 1024)
"""


def _growth_mb(folder: Path) -> tuple[list[str], int]:
    done = subprocess.run([sys.executable, "-c", SCAN, str(folder)], capture_output=True, text=True, check=True)
    *codes, growth = done.stdout.split()
    return codes, int(growth)


def _nifti_header(shape: tuple[int, ...], dtype: str = "<i2") -> bytes:
    header = nib.Nifti1Header()
    header.set_data_dtype(dtype)
    header["dim"][: 1 + len(shape)] = [len(shape), *shape]
    header["magic"], header["vox_offset"] = b"n+1", 352
    header["sform_code"] = 1
    header["srow_x"], header["srow_y"], header["srow_z"] = [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]
    return bytes(header.binaryblock) + b"\0\0\0\0"


@pytest.mark.parametrize(
    "name",
    ["SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored",
     "PixelRepresentation"],
)  # fmt: skip
def test_elements_that_pixels_cannot_be_read_without_are_named(name: str, tmp_path: Path) -> None:
    a.write(a.slice_set()[0], tmp_path / "IM")
    ds = a.dcmread(tmp_path / "IM")
    delattr(ds, name)
    ds.save_as(tmp_path / "IM")
    (refused,) = index(tmp_path).refused
    assert refused.code == "damaged_header"
    assert f"does not say {name}," in refused.message


def test_dicom_without_an_image_is_passed_over(tmp_path: Path) -> None:
    ds = a.slice_set()[0]
    a.write(ds, tmp_path / "spectrum")
    ds = a.dcmread(tmp_path / "spectrum")
    for name in ("SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored", "PixelData"):
        delattr(ds, name)
    ds.save_as(tmp_path / "spectrum")
    (refused,) = index(tmp_path).refused
    assert refused.code == "not_an_image"


def test_deflate_bomb(tmp_path: Path) -> None:
    ds = a.slice_set()[0]
    a.write(ds, tmp_path / "bomb", a.DeflatedExplicitVRLittleEndian)
    content = (tmp_path / "bomb").read_bytes()
    start = 144 + struct.unpack("<I", content[140:144])[0]
    plain = zlib.decompressobj(-15).decompress(content[start:])
    # A private element of 400 MB of zeros before the image.
    element = struct.pack("<HH2sHI", 9, 0x1001, b"OB", 0, 400 << 20) + bytes(400 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(element + plain) + packer.flush()
    (tmp_path / "bomb").write_bytes(content[:start] + body)
    del element
    codes, growth = _growth_mb(tmp_path)
    assert codes == ["too_large"]
    assert growth < GROWTH_MB


def test_gzip_bomb(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "bomb.nii.gz", "wb") as file:
        file.write(_nifti_header((512, 512, 250)))
        for _ in range(250):
            file.write(bytes(512 * 512 * 2))
    codes, growth = _growth_mb(tmp_path)
    assert codes == ["too_large"]
    assert growth < GROWTH_MB


def test_header_of_32767_cubed(tmp_path: Path) -> None:
    (tmp_path / "huge.nii").write_bytes(_nifti_header((32767, 32767, 32767)) + bytes(100))
    (tmp_path / "huge.nii.gz").write_bytes(gzip.compress(_nifti_header((32767, 32767, 32767)) + bytes(100)))
    codes, growth = _growth_mb(tmp_path)
    assert codes == ["too_large", "too_large"]
    assert growth < 50


def test_dicom_that_declares_60000_squared(tmp_path: Path) -> None:
    slices = a.slice_set()
    for ds in slices:
        ds.Rows = ds.Columns = 60000
    a.write_all(slices, tmp_path)
    codes, growth = _growth_mb(tmp_path)
    assert codes == ["too_large"]
    assert growth < 50


def test_the_rest_of_the_tree_is_still_read(tmp_path: Path) -> None:
    a.write_all(a.slice_set(), tmp_path / "series")
    (tmp_path / "zero").write_bytes(b"")
    (tmp_path / "random.dcm").write_bytes(np.random.default_rng(0).bytes(5000))
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "short.nii.gz").write_bytes(b"\x1f\x8b\x08")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "broken link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path / "a")
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/n\xff\xfeme.nii"))).write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    found = index(tmp_path)
    assert [len(series.volumes) for series in found.series] == [1]
    told = {item.name: item.code for item in found.refused}
    assert told["zero"] == "empty_file"
    assert told["random.dcm"] == "damaged_header"
    assert told["notes.txt"] == "not_an_image"
    assert told["short.nii.gz"] == "damaged_header"
    assert told["broken link"] == "unreadable"
    assert told["n\\xff\\xfeme.nii"] == "damaged_header"
    json.dumps(sorted(told)).encode("utf-8")


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a.write_all(a.slice_set(), tmp_path)
    opened = Path.open

    def denied(self: Path, *args: object, **kwargs: object) -> object:
        if self.name == "IM0003":
            raise PermissionError(13, "Permission denied")
        return opened(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "open", denied)
    found = index(tmp_path)
    assert [(item.name, item.code) for item in found.refused] == [("IM0003", "unreadable")]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pixels_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    data = np.ones((8, 8, 8), np.float32)
    data[1, 2, 3] = value
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "stir.nii")
    with pytest.raises(RefusedError, match="NaN or infinite"):
        read_volume(tmp_path / "stir.nii")


def test_singular_and_absent_affines(tmp_path: Path) -> None:
    header = bytearray(_nifti_header((4, 4, 4)))
    header[280:328] = struct.pack("<12f", 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0)
    (tmp_path / "singular.nii").write_bytes(bytes(header) + bytes(128))
    header[252:256] = b"\0\0\0\0"
    (tmp_path / "nowhere.nii").write_bytes(bytes(header) + bytes(128))
    told = {item.name: (item.code, item.message) for item in index(tmp_path).refused}
    assert told["singular.nii"][0] == "geometry"
    assert "left and right are unknown" in told["nowhere.nii"][1]


def test_forms_that_contradict_each_other(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((9, 9, 9), np.int16), np.diag([2.0, 2, 3, 1]))
    image.set_qform(np.diag([-2.0, 2, 3, 1]), code=1)
    image.set_sform(np.diag([2.0, 2, 3, 1]), code=1)
    nib.save(image, tmp_path / "x.nii")
    assert "sform and qform" in index(tmp_path).refused[0].message


def test_truncated_nifti(tmp_path: Path) -> None:
    volume = Volume(a.voxels(), Grid((a.COLUMNS, a.ROWS, a.SLICES), a.oblique()))
    for name in ("x.nii", "x.nii.gz"):
        write_nifti(volume, tmp_path / name)
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) * 3 // 4])
        with pytest.raises(RefusedError):
            read_volume(tmp_path / name)


@pytest.mark.parametrize("name", ["x.nii.gz", "x.nrrd", "x.mha"])
def test_damaged_voxels_are_named_by_their_file(name: str, tmp_path: Path) -> None:
    volume = Volume(a.voxels(), Grid((a.COLUMNS, a.ROWS, a.SLICES), a.LPS_TO_RAS @ a.oblique()))
    if name == "x.nii.gz":
        write_nifti(volume, tmp_path / name)
    else:
        sitk.WriteImage(to_sitk(volume), str(tmp_path / name), True)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) * 3 // 4])
    (series,) = index(tmp_path).series
    with pytest.raises(RefusedError) as refused:
        read_series_volume(series.volumes[0])
    assert refused.value.files == (name,)


def test_detached_headers_are_never_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.raw"
    secret.write_bytes(bytes(64))
    common = "dimension: 3\nsizes: 4 4 4\ntype: uchar\nencoding: raw\nspace: left-posterior-superior\n"
    place = "space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\n"
    (tmp_path / "x.nhdr").write_text("NRRD0004\n" + common + place + "data file: secret.raw\n\n")
    (tmp_path / "x.mhd").write_text(
        "ObjectType = Image\nNDims = 3\nDimSize = 4 4 4\nElementType = MET_UCHAR\nElementDataFile = ../secret.raw\n"
    )
    found, codes = ours(tmp_path)
    assert not found
    assert codes == ["image_file", "image_file"]


def test_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="No image was found in 0 files"):
        load_visit(tmp_path)
    with pytest.raises(RefusedError, match="nothing at that path"):
        load_visit(tmp_path / "absent")


def test_nothing_of_a_header_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    slices = a.slice_set()
    for ds in slices:
        ds.SeriesDescription = "STIR Doe Jane 19700101"
        ds.ImageComments = "Doe"
    del slices[3]
    a.write_all(slices, tmp_path)
    for command in (["scan", str(tmp_path)], ["scan", str(tmp_path), "--json"], ["score", str(tmp_path), "-o", "x"]):
        done = subprocess.run(
            [sys.executable, "-m", "mri_sij.cli", *command], capture_output=True, text=True, check=False
        )
        printed = done.stdout + done.stderr
        assert done.returncode == 4
        for secret in ("Doe", "Jane", "1970", a.ROOT, "P1", "20200102"):
            assert secret not in printed


def _unknown_character_set(folder: Path) -> None:
    """A character set that is a name, and a description that needs it."""
    slices = a.slice_set()
    for ds in slices:
        ds.SpecificCharacterSet = ["ISO_IR 100", "ISO 2022 IR 87"]
        ds.SeriesDescription = "STIR Müller"
    a.write_all(slices, folder)
    for path in folder.iterdir():
        content = path.read_bytes()
        assert content.count(b"ISO 2022 IR 87") == 1
        path.write_bytes(content.replace(b"ISO 2022 IR 87", b"CANARYJANE    "))


def test_warnings_of_libraries_do_not_print_headers(tmp_path: Path) -> None:
    _unknown_character_set(tmp_path / "in")
    for command in (["scan", str(tmp_path)], ["convert", str(tmp_path), str(tmp_path / "x.nii")]):
        done = subprocess.run(
            [sys.executable, "-m", "mri_sij.cli", *command], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_warnings_of_libraries_in_workers_do_not_print_headers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    _unknown_character_set(tmp_path)
    monkeypatch.setattr(discover, "PARALLEL_FROM_FILES", 1)
    assert len(index(tmp_path, workers=2).series) == 1
    assert capfd.readouterr().err == ""


def test_names_are_made_printable() -> None:
    assert printable(Path("/r/a\nb\x1b[31m"), Path("/r")) == "a\\nb\\x1b[31m"
