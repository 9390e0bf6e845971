"""Train the second look in one command: `python train.py WORK [--minutes 10] [--people 400] [--simulators 12]`.

Simulates joints (`joints.py`) into WORK/joints with as many processes as are asked for, trains three networks
on those that are ready and writes their mean, in whole numbers of 8 bits, to WORK/look.onnx, which ships as
mri_sij/lesions/look.onnx. One person in twelve is kept for the Dice that is
printed on the way. Needs PyTorch and onnx (../train_segmenter/requirements.txt) beside mri_sij; uses a GPU where there
is one. The odds of `pipelines/fit_oedema` need not be fitted again.
"""

from __future__ import annotations

import argparse
import copy
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from alter import HEIGHT, WIDTH, Batch, alter
from torch import nn
from torch.nn import functional

from mri_sij.lesions import look
from mri_sij.lesions.look import BESIDE, CHANNELS, STIR_SLICES
from mri_sij.network.prepare import slice_by_slice

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "train_segmenter"))
from net import Together, UNet, export, follow  # noqa: E402 - the same kind of network
from quantize import EVERY_SLICE, quantize  # noqa: E402

OPINION = slice(9, 13)
"""Channels of the first network's opinion."""

MEMBERS = (((16, 32, 48, 64), False), ((16, 32, 48, 64), True), ((24, 48, 64, 96), False))
"""Widths of the three networks, and whether the first network's opinion is hidden from them."""

SHOWN = {"stir": STIR_SLICES, "t1": BESIDE, "said": BESIDE, "sacrum": BESIDE, "ilium": BESIDE}
TRUTH = ("oedema", "faint")
ALONE = ("fluid", "bone", "cartilaginous", "depth_mm", "own", *TRUTH)
SLICES, REACH_MM, BATCH, RATE, FIRST, CALIBRATION = 32, 45.0, 96, 2e-3, 40, 24
HELD_BACK = 12


class Pool:
    """Joints on the device, joined by new ones as they appear; joints of the people held back lie in `kept_back`."""

    def __init__(self, folder: Path, device: str) -> None:
        self.folder, self.device, self.loaded = folder, device, set[str]()
        self.joints: list[Batch] = []
        self.kept_back: list[Batch] = []
        self.every: list[tuple[int, int]] = []
        self.bright: list[tuple[int, int]] = []

    def refresh(self) -> None:
        """Load what is new."""
        for path in sorted(p for p in self.folder.glob("[0-9]*.npz") if p.name not in self.loaded):
            self.loaded.add(path.name)
            with np.load(path) as stored:
                joint = _window({name: stored[name] for name in stored.files})
            if joint is None:
                continue
            if int(path.name.split("_")[0]) % HELD_BACK == 5:
                self.kept_back.append(joint)
                continue
            joint = {name: values.to(self.device) for name, values in joint.items()}
            for k in torch.nonzero(joint["own"].any((1, 2)))[:, 0].tolist():
                self.every.append((len(self.joints), k))
                if (joint["oedema"][k] > 0.5).any():
                    self.bright.append((len(self.joints), k))
            self.joints.append(joint)

    def draw(self, rng: np.random.Generator) -> tuple[Batch, torch.Tensor]:
        """A batch, half of its slices with oedema, and which of them have a T1."""
        half = BATCH // 2
        chosen = [lot[i] for lot in (self.every, self.bright) for i in rng.integers(len(lot), size=half)]
        samples = [slice_of(self.joints[n], k) for n, k in chosen]
        has_t1 = torch.tensor(["t1" in self.joints[n] for n, _ in chosen], device=self.device).float()
        return {name: torch.stack([s[name] for s in samples]).float() for name in samples[0]}, has_t1


def _window(stored: dict[str, np.ndarray]) -> Batch | None:
    """(SLICES, WIDTH, HEIGHT) about what lies near the joint."""
    near = np.argwhere((stored["own"] > 0) & (stored["depth_mm"] < REACH_MM))
    if not len(near):
        return None
    x, y = (max(int(n) - 8, 0) for n in near.min(0)[:2])
    slices = min(stored["own"].shape[2], SLICES)
    joint = {}
    for name, values in stored.items():
        cut = np.moveaxis(values[x : x + WIDTH, y : y + HEIGHT, :slices], 2, 0)
        full = np.zeros((slices, WIDTH, HEIGHT), np.float16)
        full[:, : cut.shape[1], : cut.shape[2]] = cut
        joint[name] = torch.from_numpy(full)
    return joint


def slice_of(joint: Batch, k: int) -> Batch:
    """What is shown of slice `k`, as `mri_sij.lesions.look.image` picks it, before it is put together."""
    bones, last = joint["sacrum"] + joint["ilium"], len(joint["own"]) - 1

    def beside(name: str, steps: tuple[int, ...]) -> torch.Tensor:
        at = [min(max(k + n, 0), last) for n in steps]
        values = joint.get(name)
        if values is None:
            return torch.zeros(len(steps), WIDTH, HEIGHT, dtype=torch.float16, device=bones.device)
        return values[[n if bones[n].any() else k for n in at]]

    return {name: beside(name, steps) for name, steps in SHOWN.items()} | {name: joint[name][k, None] for name in ALONE}


def image(batch: Batch, has_t1: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """(n, CHANNELS, WIDTH, HEIGHT), the same as `mri_sij.lesions.look.image`."""
    bones = (batch["sacrum"] + batch["ilium"])[:, 1:2]
    seen = functional.max_pool2d(bones, 21, 1, 10)
    every = torch.ones_like(seen)
    parts = [
        2 * batch["stir"] * seen, 2 * batch["t1"] * seen * has_t1, every * has_t1,
        (batch["said"] + 3) / 3 * seen * told, every * told, batch["fluid"] * seen,
        batch["sacrum"], batch["ilium"], batch["bone"], torch.exp(-batch["depth_mm"] / 8) * bones,
        batch["cartilaginous"], batch["own"],
    ]  # fmt: skip
    return torch.cat(parts, 1)


def loss_of(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Cross entropy, where little oedema weighs more and what a form may count twice, and Dice; faint oedema is left
    out."""
    truth, depth = batch["oedema"], batch["depth_mm"]
    counted = batch["own"] * (depth < REACH_MM + 2) * (1 - batch["faint"] * (truth < 0.5))
    rare = (400 / (truth * counted).sum((1, 2, 3), keepdim=True).clamp_min(1)).clamp(1, 4)
    weight = counted * (1 + (depth < 26)) * (1 + (rare - 1) * (truth > 0.5))
    cross = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    chance = logits.sigmoid() * counted
    both, total = (chance * truth).sum((1, 2, 3)), (chance + truth * counted).sum((1, 2, 3))
    dice = 1 - ((2 * both + 30) / (total + 30)).mean()
    return 1.5 * (cross * weight).sum() / (counted * (1 + (depth < 26))).sum().clamp_min(1) + 0.5 * dice


@torch.no_grad()
def dice_of(model: nn.Module, joints: list[Batch], device: str) -> tuple[float, float]:
    """Dice within 26 mm of the joints held back, of this network and of the first."""
    model.eval()
    sums = torch.zeros(5)
    for joint in joints:
        slices = [slice_of(joint, k) for k in torch.nonzero(joint["own"].any((1, 2)))[:, 0].tolist()]
        batch = {name: torch.stack([s[name] for s in slices]).float().to(device) for name in slices[0]}
        one = torch.ones(len(slices), 1, 1, 1, device=device)
        found = model(image(batch, one * float("t1" in joint), one)) > 0
        first, truth = batch["said"][:, 1:2] > 0, batch["oedema"] > 0.5
        counted = (batch["own"] > 0) & (batch["depth_mm"] < 26) & ~((batch["faint"] > 0.25) & ~truth)
        masks = (found & truth, found, truth, first & truth, first)
        sums += torch.tensor([float((m & counted).sum()) for m in masks])
    model.train()
    return float(2 * sums[0] / (sums[1] + sums[2])), float(2 * sums[3] / (sums[4] + sums[2]))


def images_of(joints: list[Path]) -> Iterator[np.ndarray]:
    """What the network is fed of joints; one in four without a T1."""
    for number, path in enumerate(joints):
        with np.load(path) as stored:
            shown = {n: slice_by_slice(stored[n].astype(np.float32)) for n in stored.files if n not in TRUTH}
        if number % 4 == 3:
            shown.pop("t1", None)
        for k in np.flatnonzero(shown["own"].any((0, 1)))[::EVERY_SLICE]:
            yield look.image(shown, int(k))


def train(pool: Pool, minutes: float, out: Path) -> None:
    """Train for the minutes given, the learning rate falling to a hundredth, and write the running means of the
    weights. Each network has batches of its own."""
    hidden = [OPINION if blind else slice(0, 0) for _, blind in MEMBERS]
    shown = (CHANNELS - (h.stop - h.start) for h in hidden)
    members = [UNet(c, widths, 1) for c, (widths, _) in zip(shown, MEMBERS, strict=True)]
    model = Together(members, hidden).to(pool.device)
    average, rng = copy.deepcopy(model), np.random.default_rng(1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=2e-3)
    begun, looked, step = time.monotonic(), 0.0, 0
    while (part := (time.monotonic() - begun) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 200) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part)))
        optimizer.zero_grad(set_to_none=True)
        for member, own in zip(model.members, hidden, strict=True):
            batch, has_t1 = pool.draw(rng)
            with torch.no_grad():
                batch, *given = alter(batch, has_t1)
                seen = image(batch, *given)
            with torch.autocast(pool.device, dtype=torch.bfloat16):
                logits = member(torch.cat([seen[:, : own.start], seen[:, own.stop :]], 1))
            loss_of(logits.float(), batch).backward()
            nn.utils.clip_grad_norm_(member.parameters(), 2.0)
        optimizer.step()
        follow(average, model, min(0.999, step / (step + 10)))
        step += 1
        if time.monotonic() - looked > 30:
            looked = time.monotonic()
            pool.refresh()
            second, first = dice_of(average, pool.kept_back, pool.device)
            joints = len(pool.joints)
            print(f"{part:.1%} step {step} joints {joints} Dice {second:.3f} (first network {first:.3f})", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        export(average, CHANNELS, Path(folder) / "float.onnx")
        chosen = sorted(pool.folder.glob("[0-9]*.npz"))[:CALIBRATION]
        quantize(images_of(chosen), Path(folder) / "float.onnx", out, len(members))


def main() -> None:
    """Simulate and train."""
    ask = argparse.ArgumentParser()
    ask.add_argument("work", type=Path)
    ask.add_argument("--minutes", type=float, default=10)
    ask.add_argument("--people", type=int, default=400)
    ask.add_argument("--simulators", type=int, default=12)
    told = ask.parse_args()
    torch.manual_seed(1)
    joints, share = told.work / "joints", -(-told.people // told.simulators)
    simulate = [sys.executable, str(HERE / "joints.py"), str(joints)]
    running = [
        subprocess.Popen([*simulate, *map(str, (70001 + n, told.simulators, share))]) for n in range(told.simulators)
    ]
    try:
        pool = Pool(joints, "cuda" if torch.cuda.is_available() else "cpu")
        while len(pool.joints) < FIRST or not pool.bright:
            ended = all(p.poll() is not None for p in running)
            seen = len(pool.loaded)
            pool.refresh()
            if ended and len(pool.loaded) == seen:
                sys.exit(f"The simulation ended before there were {FIRST} joints, some with oedema, to begin with.")
            time.sleep(5)
        train(pool, told.minutes, told.work / "look.onnx")
    finally:
        for process in running:
            process.terminate()


if __name__ == "__main__":
    main()
