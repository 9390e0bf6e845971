"""`mri-sij doctor`: what is installed, what can be decoded, what each missing part would give."""

from __future__ import annotations

import json
import platform
from importlib import metadata
from importlib.util import find_spec
from typing import Annotated, Any

import typer

PACKAGES = (
    "numpy",
    "scipy",
    "scikit-image",
    "SimpleITK",
    "nibabel",
    "pydicom",
    "python-gdcm",
    "onnxruntime",
    "matplotlib",
)
EXTRAS = {
    "dicom-out": ("highdicom", "DICOM segmentations and reports of the result"),
    "cluster": ("dask_jobqueue", "a study on a cluster"),
}


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Say which versions, codecs and models are here, and what each missing extra would give.

    Example: mri-sij doctor
    """
    report = {
        "mri_sij": _version("mri_sij"),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "codecs": _codecs(),
        "model": _model(),
        "extras": {
            extra: {"installed": find_spec(module) is not None, "gives": gives}
            for extra, (module, gives) in EXTRAS.items()
        },
    }
    typer.echo(json.dumps(report, indent=1) if as_json else "\n".join(_lines(report)))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _codecs() -> dict[str, bool]:
    from pydicom.pixels.decoders.base import get_decoder  # noqa: PLC0415

    from mri_sij.ingest.pixels import COMPRESSED, RLE  # noqa: PLC0415

    found = {"uncompressed, deflated, big-endian": True, "RLE": bool(get_decoder(RLE).available_plugins)}
    for syntax, name in COMPRESSED.items():
        found[name] = "gdcm" in get_decoder(syntax).available_plugins
    return found


def _model() -> bool:
    from importlib.resources import files  # noqa: PLC0415

    from mri_sij.models import MODELS  # noqa: PLC0415

    return all((files(package) / name).is_file() for package, name in MODELS)


def _lines(report: dict[str, Any]) -> list[str]:
    lines = [f"mri_sij {report['mri_sij']} on Python {report['python']}"]
    lines.extend(f"  {name:<14} {version or 'MISSING'}" for name, version in report["packages"].items())
    lines.append("DICOM pixels that can be decoded:")
    lines.extend(f"  {'yes' if here else 'NO ':<4} {name}" for name, here in report["codecs"].items())
    lines.append(f"Models for bone and oedema: {'shipped' if report['model'] else 'MISSING'}")
    lines.append("Extras:")
    for extra, about in report["extras"].items():
        state = "installed:" if about["installed"] else f"missing; in a clone, pip install '.[{extra}]' gives"
        lines.append(f"  {extra}: {state} {about['gives']}")
    return lines
