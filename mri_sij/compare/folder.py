"""A visit from the folder that `mri-sij score` wrote: `visit.json`, `anatomy.nii.gz`, `oedema.nii.gz`, `followup.npz`.

A folder of an earlier version has no `followup.npz`: its joints are found again from the bones alone, and it is aligned
by surfaces alone; the comparison says so.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from mri_sij.anatomy.joint import find_joints
from mri_sij.anatomy.labels import NAMES
from mri_sij.anatomy.quadrants import divide
from mri_sij.compare.kept import KEPT, read_kept
from mri_sij.compare.visit import Visit, with_kept
from mri_sij.config import Settings
from mri_sij.errors import RefusedError
from mri_sij.evidence import QUADRANTS, Reason, Side
from mri_sij.geometry import Grid
from mri_sij.ingest.acquisition import Acquisition
from mri_sij.ingest.nifti import read_volume
from mri_sij.lesions.records import OEDEMA_NAMES
from mri_sij.scoring.sparcc import HIGHEST, Sparcc, SparccItem, SparccJoint
from mri_sij.volume import LabelMap, require_same_grid

VISIT, ANATOMY, OEDEMA = "visit.json", "anatomy.nii.gz", "oedema.nii.gz"
_SCHEMA = 1
_READ_BY = ("anatomy", "lesions", "scoring")
"""Settings that a visit's score rests on, and that it is read by again in a comparison."""

_MAX_BYTES = 20_000_000


class FinishedVisitError(RefusedError):
    """A folder that says it is a finished visit but is not whole, or was written by another version."""

    code = "finished_visit"


def is_finished(path: Path) -> bool:
    """Whether `path` is a folder with a `visit.json`."""
    return (path / VISIT).is_file()


def read_finished(path: Path, settings: Settings) -> Visit | tuple[Reason, ...]:
    """The finished visit in `path`, or the reasons why it was not scorable; FinishedVisitError when it is not whole, or
    was scored with other settings than these, by which it would be read again beside the other visit."""
    plain = _plain(path)
    try:
        return _visit(path, plain, settings)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        text = f"{VISIT} is not as `mri-sij score` wrote it ({type(error).__name__}: {error})."
        raise FinishedVisitError(text, hint="Score the visit again.", files=(VISIT,)) from error


def _visit(path: Path, plain: dict[str, Any], settings: Settings) -> Visit | tuple[Reason, ...]:
    if plain["status"] != "scored":
        return tuple(Reason(str(r["code"]), str(r["message"])) for r in plain["reasons"])
    _require_same_settings(plain["settings"], settings)
    labels, oedema = (_labels(path, name, known) for name, known in ((ANATOMY, NAMES), (OEDEMA, OEDEMA_NAMES)))
    require_same_grid(labels, oedema)
    native, order = labels.grid, labels.grid.reading_order
    form = _form(plain, native)
    labels, oedema = labels.reordered(order), oedema.reordered(order)
    kept = read_kept(path / KEPT, labels.grid) if (path / KEPT).is_file() else None
    if kept is not None:
        native = kept.grid.reordered(order.inverse)
        labels, oedema = (LabelMap(m.data, kept.grid, m.names) for m in (labels, oedema))
    joints = find_joints(labels, settings.anatomy) if kept is None else kept.joints
    shares = tuple((int(s["total"]), float(s["probability"])) for s in plain["interval"]["probabilities"])
    if not all(0 <= total <= HIGHEST and 0 <= share <= 1 for total, share in shares):
        raise ValueError("probabilities of totals are not from 0 to 1")
    visit = Visit(
        native=native,
        labels=labels,
        oedema=oedema,
        joints=joints,
        regions=divide(labels, joints),
        slices=form.slice_numbers,
        form=form,
        shares=shares,
        acquisition=_acquisition(plain["series"]["stir"]),
        orientation=str(plain["series"]["orientation"]),
        input_sha256=str(plain["provenance"]["input_sha256"]),
        intense=frozenset((j.side, j.slice_number) for j in form.joints if j.intensity),
    )
    return visit if kept is None else with_kept(visit, kept)


def _plain(path: Path) -> dict[str, Any]:
    try:
        if (path / VISIT).stat().st_size > _MAX_BYTES:
            raise FinishedVisitError(f"{VISIT} is larger than {_MAX_BYTES} bytes.", files=(VISIT,))
        plain = json.loads((path / VISIT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FinishedVisitError(f"{VISIT} cannot be read ({type(error).__name__}).", files=(VISIT,)) from error
    needed = {"schema", "status", "reasons", "sparcc", "interval", "series", "settings", "provenance"}
    if not isinstance(plain, dict) or not needed <= set(plain):
        raise FinishedVisitError(f"{VISIT} is not one that `mri-sij score` wrote.", files=(VISIT,))
    if plain["schema"] != _SCHEMA:
        raise FinishedVisitError(
            f"{VISIT} has schema {plain['schema']!r}, expected {_SCHEMA}.",
            hint="Score the visit again.",
            files=(VISIT,),
        )
    return plain


def _require_same_settings(made: dict[str, Any], settings: Settings) -> None:
    """FinishedVisitError where a setting has another value now than when the visit was scored."""
    now = settings.shown()
    for stage in _READ_BY:
        for name, value in made[stage].items():
            if name in now[stage] and value != now[stage][name]:
                text = f"The visit was scored with {stage}.{name} = {value}, the comparison has {now[stage][name]}."
                hint = "Score the visit again, or give --config with the settings it was scored with."
                raise FinishedVisitError(text, hint=hint, files=(VISIT,))


def _labels(path: Path, name: str, known: Any) -> LabelMap:
    if not (path / name).is_file():
        raise FinishedVisitError(f"The finished visit has no {name}.", hint="Score the visit again.", files=(name,))
    volume = read_volume(path / name)
    values = volume.data.astype(np.uint8)
    if not np.array_equal(values, volume.data):
        raise FinishedVisitError(f"{name} holds more than labels.", files=(name,))
    return LabelMap(values, volume.grid, known)


def _form(plain: dict[str, Any], native: Grid) -> Sparcc:
    """The form in slice numbers of the reading frame; `visit.json` has those of `native`."""
    joints = []
    for level in plain["sparcc"]["slices"]:
        number = native.native_slice(int(level["slice"]))
        for side in Side:
            own = level[str(side)]
            items = tuple(SparccItem(q, _item(own[q.item])) for q in QUADRANTS)
            joints.append(SparccJoint(side, number, items, _item(own["intensity"]) or 0, _item(own["depth"]) or 0))
    if not joints:
        raise ValueError("no slice is scored")
    return Sparcc(tuple(joints))


def _item(value: Any) -> int | None:
    if value not in (0, 1, None):
        raise ValueError(f"an item is {value!r}, not 0, 1 or null")
    return None if value is None else int(value)


def _acquisition(plain: dict[str, Any]) -> Acquisition:
    values: dict[str, Any] = {}
    for field in fields(Acquisition):
        given = plain.get(field.name, field.default)
        values[field.name] = tuple(given) if isinstance(given, list) else given
    return Acquisition(**values)
