"""`make bench`: files indexed a second against bare pydicom and against GDCM, memory for 10 to 1,000 series."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread
from pytest_benchmark.fixture import BenchmarkFixture

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "ingest"))

import awkward as a

from mri_sij.ingest.discover import index

SERIES, SLICES = 100, a.SLICES


def _tree(folder: Path, series: int) -> Path:
    for n in range(1, series + 1):
        slices = a.slice_set(series=str(n))
        for ds in slices:
            _as_long_as_a_real_header(ds)
        a.write_all(slices, folder / f"s{n}")
    return folder


def _as_long_as_a_real_header(ds: object) -> None:
    """Some hundred further elements, as scanners write (a real Siemens header has 180 and 80 kB of private data)."""
    block = ds.private_block(0x0051, "SIEMENS MR HEADER", create=True)  # type: ignore[attr-defined]
    for n in range(0x08, 0x60):
        block.add_new(n, "LO", f"value {n}")
    ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", bytes(40_000))  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,200 files of 100 series."""
    return _tree(tmp_path_factory.mktemp("tree"), SERIES)


def _files(tree: Path) -> list[Path]:
    return sorted(path for path in tree.rglob("*") if path.is_file())


@pytest.mark.benchmark(group="index 1,200 files")
def test_mri_sij_index(benchmark: BenchmarkFixture, tree: Path) -> None:
    found = benchmark.pedantic(lambda: index(tree), rounds=5, warmup_rounds=1)
    assert len(found.series) == SERIES
    benchmark.extra_info["files_a_second"] = round(SERIES * SLICES / benchmark.stats.stats.min)


@pytest.mark.benchmark(group="index 1,200 files")
def test_bare_pydicom(benchmark: BenchmarkFixture, tree: Path) -> None:
    files = _files(tree)
    read = lambda: [dcmread(path, stop_before_pixels=True) for path in files]  # noqa: E731
    assert len(benchmark.pedantic(read, rounds=5, warmup_rounds=1)) == SERIES * SLICES
    benchmark.extra_info["files_a_second"] = round(SERIES * SLICES / benchmark.stats.stats.min)


@pytest.mark.benchmark(group="index 1,200 files")
def test_simpleitk_gdcm(benchmark: BenchmarkFixture, tree: Path) -> None:
    import SimpleITK as sitk  # noqa: PLC0415

    def read() -> int:
        reader, count = sitk.ImageFileReader(), 0
        reader.SetImageIO("GDCMImageIO")
        for folder in sorted(tree.iterdir()):
            for series in sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)):
                for name in sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series):
                    reader.SetFileName(name)
                    reader.ReadImageInformation()
                    count += 1
        return count

    assert benchmark.pedantic(read, rounds=3, warmup_rounds=1) == SERIES * SLICES
    benchmark.extra_info["files_a_second"] = round(SERIES * SLICES / benchmark.stats.stats.min)


MEMORY = """
import sys
from pathlib import Path
from mri_sij.ingest.discover import index
def peak():  # of this process alone: ru_maxrss remembers the parent's
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
before = peak()
found = index(Path(sys.argv[1]))
assert len(found.series) == int(sys.argv[2])
print((peak() - before) / 1024)
"""


@pytest.mark.parametrize("series", [10, 100, 1000])
@pytest.mark.benchmark(group="memory")
def test_memory(benchmark: BenchmarkFixture, series: int, tmp_path: Path, figure: Callable[[str], None]) -> None:
    tree = _tree(tmp_path, series)

    def run() -> float:
        command = [sys.executable, "-c", MEMORY, str(tree), str(series)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    growth = benchmark.pedantic(run, rounds=1)
    figure(f"grows by {growth:.1f} MB")
    assert growth < 40 + 0.1 * series
