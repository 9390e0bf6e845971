"""Imports follow the data, third-party packages stay in their rooms, and `--help` loads nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "mri_sij"

MAY_IMPORT = {
    "errors": set(),
    "evidence": set(),
    "geometry": {"errors"},
    "interpolate": set(),
    "volume": {"errors", "geometry"},
    "whole": set(),
    "config": {"errors"},
    "resample": {"geometry", "volume"},
    "sitk_bridge": {"errors", "geometry", "volume"},
    "ingest": {"errors", "evidence", "geometry", "volume", "whole", "config", "resample", "sitk_bridge"},
    "pelvis": set(),
    "network": {"errors", "geometry", "interpolate", "volume", "resample"},
    "phantom": {"errors", "evidence", "geometry", "volume", "config", "pelvis", "ingest", "anatomy", "scoring"},
    "anatomy": {
        "errors",
        "evidence",
        "geometry",
        "volume",
        "config",
        "resample",
        "sitk_bridge",
        "interpolate",
        "pelvis",
        "network",
        "ingest",
    },
    "lesions": {
        "errors",
        "evidence",
        "geometry",
        "volume",
        "config",
        "resample",
        "sitk_bridge",
        "interpolate",
        "network",
        "anatomy",
    },
    "scoring": {"errors", "evidence", "config"},
}
"""Room to rooms it may import; what is not named here (compare, report, workflow, study) stands above all of these."""

THIRD_PARTY = {
    "typer": {"cli"},
    "rich": {"cli"},
    "pydicom": {"ingest", "report", "phantom", "cli"},
    "gdcm": {"ingest"},
    "SimpleITK": {"sitk_bridge", "ingest", "compare", "pelvis"},
    "nibabel": {"ingest", "report"},
    "onnxruntime": {"network", "anatomy"},
    "highdicom": {"report", "anatomy"},
    "dask": {"study"},
    "distributed": {"study"},
    "dask_jobqueue": {"study"},
    "jinja2": {"report"},
    "matplotlib": {"report", "compare", "study"},
}
"""Packages and the only rooms that may import them; of SimpleITK ingest has the readers, compare the registration and
pelvis the distance maps."""

HEAVY = {"numpy", "pydicom", "SimpleITK", "scipy", "nibabel", "skimage", "matplotlib", "onnxruntime", "pydantic"}


def _imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
            if node.module == "mri_sij":
                found.update(f"mri_sij.{alias.name}" for alias in node.names)
    return found


def _room(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = sorted(PACKAGE.rglob("*.py"))


def test_a_module_imports_only_what_comes_before_it() -> None:
    wrong = []
    for file in FILES:
        room = _room(file)
        ours = {name.split(".")[1] for name in _imports(file) if name.startswith("mri_sij.")} - {room, "__version__"}
        allowed = MAY_IMPORT.get(room, ours - {"cli"} if room != "cli" else ours)
        wrong += [f"{file.relative_to(PACKAGE)} imports {name}" for name in sorted(ours - allowed)]
    assert not wrong


def test_third_party_packages_stay_in_their_rooms() -> None:
    wrong = []
    for file in FILES:
        packages = {name.split(".")[0] for name in _imports(file)} & set(THIRD_PARTY)
        strays = [name for name in sorted(packages) if _room(file) not in THIRD_PARTY[name]]
        wrong += [f"{file.relative_to(PACKAGE)} imports {name}" for name in strays]
    assert not wrong


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['mri-sij', '--help']\n"
        "from mri_sij.cli.app import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"loaded = {HEAVY!r} & set(sys.modules); assert not loaded, loaded"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "scan" in result.stdout
