"""Simulate joints for training the second look: `python joints.py OUT FIRST_SEED EVERY PEOPLE`.

People FIRST_SEED, FIRST_SEED + EVERY ...: three scans each, in other positions, with other scanners and lesions: those
that the person's seed draws anywhere else, others drawn anew, and thin strips along the joint, which are rare among
the first two. The later scans lack their T1 now and then. Bones, marrow and maps are found as in a patient, by the
program itself. Writes one `.npz` a joint: what `mri_sij.lesions.look.views` shows of it, the true oedema (share of
each pixel) and where there is too little of it to tell. About 15 s a scan on one core; what is there is passed over.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from mri_sij.anatomy.backends import segment_visit
from mri_sij.anatomy.find import Anatomy, find_anatomy
from mri_sij.config import Settings
from mri_sij.evidence import Bone, NotScorable, Side
from mri_sij.lesions.assess import find_marrow, search_region
from mri_sij.lesions.look import joints_of, views
from mri_sij.network.prepare import to_pixel
from mri_sij.network.run import predict
from mri_sij.phantom.lesion import Lesion, draw_lesions
from mri_sij.phantom.scan import SimulatedVisit
from mri_sij.phantom.visits import draw_courses, draw_sessions, person_of, scan

STRENGTHS = ((0.2, 0.45), (0.4, 1.0), (1.0, 2.4))


def draw_strips(rng: np.random.Generator) -> tuple[Lesion, ...]:
    """One to five shallow lesions that reach far along the joint."""
    found = []
    for _ in range(int(rng.integers(1, 6))):
        side = Side.LEFT if rng.random() < 0.5 else Side.RIGHT
        excess = rng.uniform(*STRENGTHS[rng.integers(3)])
        along, across = (float(n) for n in rng.random(2))
        drawn = rng.random()
        bones = (Bone.ILIUM, Bone.SACRUM) if drawn < 0.4 else (Bone.ILIUM,) if drawn < 0.76 else (Bone.SACRUM,)
        for bone in bones:
            depth_mm, radius_mm, part = rng.uniform(1.5, 5), rng.uniform(5, 30), rng.uniform(0.8, 1.2)
            found.append(Lesion(side, bone, along, across, float(depth_mm), float(radius_mm), float(1 + excess * part)))
    return tuple(found)


def joints(visit: SimulatedVisit, *, with_t1: bool) -> list[dict[str, np.ndarray]]:
    """What is seen of each joint and what is true of it; nothing where the program cannot use the scan."""
    settings, t1 = Settings(), visit.t1 if with_t1 else None
    maps = predict(visit.stir, t1)
    anatomy = find_anatomy(visit.stir, segment_visit(visit.stir, t1, maps, settings.anatomy), settings.anatomy, t1)
    if not isinstance(anatomy, Anatomy):
        return []
    marrow = find_marrow(visit.stir, t1, anatomy, maps, settings.lesions)
    if isinstance(marrow, NotScorable):
        return []
    search = search_region(visit.stir, anatomy, maps, marrow, settings.lesions)
    found = []
    for joint in joints_of(search):
        truth = {"oedema": visit.oedema, "faint": visit.faint}
        shares = {
            name: to_pixel(joint.cut(mask[search.box].astype(np.float32)), search.grid.spacing_mm)
            for name, mask in truth.items()
        }
        found.append({n: v.astype(np.float16) for n, v in (views(search, joint) | shares).items()})
    return found


def main() -> None:
    """Draw people and scans from their seeds and store their joints."""
    out, first, every, people = Path(sys.argv[1]), *(int(n) for n in sys.argv[2:5])
    out.mkdir(parents=True, exist_ok=True)
    for seed in range(first, first + every * people, every):
        person, rng = person_of(seed), np.random.default_rng([seed, 77])
        strips = draw_strips(rng) + (draw_lesions(rng) if rng.random() < 0.3 else ())
        courses = (draw_courses(seed, 1)[0], draw_lesions(rng), strips)
        for number, (lesions, session) in enumerate(zip(courses, draw_sessions(seed, 3), strict=True)):
            with_t1 = number == 0 or rng.random() >= 0.25
            if (out / f"{seed}_{number}_1.npz").exists():
                continue
            for side, joint in enumerate(joints(scan(person, seed, lesions, session), with_t1=with_t1)):
                temporary = out / f".{seed}_{number}_{side}.npz"
                np.savez_compressed(temporary, **joint)
                temporary.rename(out / f"{seed}_{number}_{side}.npz")


if __name__ == "__main__":
    main()
