"""Train the network on simulated scans: `python train.py SCANS OUT MINUTES [--from CHECKPOINT] [--threads N]`.

SCANS is a folder that `simulate.py` fills, before or while this runs. The learning rate follows the time given. Writes
OUT/checkpoint.pt (to go on from) and OUT/mri_sij.onnx every ten minutes and at the end. Uses a GPU where there is one.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path

import numpy as np
import torch
from net import UNet, export, follow
from scipy import ndimage as ndi
from torch import nn

from mri_sij.network.prepare import CHANNELS, STIR_SLICES, T1_SLICES, neighbours, normalize

CROP, BATCH = 160, 8
POOL = 1400


class Pool:
    """Scans held in memory, joined by new ones as they appear; the oldest make room."""

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        self.folder, self.rng, self.scans, self.seen = folder, rng, [], set()

    def refresh(self, limit: int) -> None:
        """Load up to `limit` scans that are not loaded yet."""
        new = sorted(p for p in self.folder.glob("*.npz") if p.name not in self.seen)
        self.rng.shuffle(new)
        for path in new[:limit]:
            self.seen.add(path.name)
            with np.load(path) as d:
                labels = d["labels"]
                joint = np.flatnonzero((labels == 1).any((0, 1)) & (labels == 2).any((0, 1)))
                self.scans.append(
                    (
                        normalize(d["stir"].astype(np.float32)).astype(np.float16),
                        normalize(d["t1"].astype(np.float32)).astype(np.float16),
                        labels,
                        d["oedema"],
                        d["fluid"],
                        joint,
                    )
                )
        self.scans = self.scans[-POOL:]

    def draw(self) -> tuple[np.ndarray, np.ndarray]:
        """One sample: channels (CHANNELS, CROP, CROP) and targets (4, CROP, CROP): class, oedema, fluid, oedema
        counts."""
        rng = self.rng
        stir, t1, labels, oedema, fluid, joint = self.scans[rng.integers(len(self.scans))]
        where = rng.random()
        if len(joint) and where < 0.8:  # its ends, where partial volume is worst, more often than its middle
            z = int(rng.choice(joint if where < 0.55 else joint[:4] if where < 0.7 else joint[-4:]))
        else:
            z = int(rng.integers(stir.shape[2]))
        mode = rng.random()
        swapped = mode < 0.12
        use_t1 = 0.12 <= mode < 0.6
        first, second = (t1, None) if swapped else (stir, t1 if use_t1 else None)
        x = neighbours(first.astype(np.float32), None if second is None else second.astype(np.float32), z)
        y = np.stack([labels[:, :, z], oedema[:, :, z], fluid[:, :, z], np.full(labels.shape[:2], not swapped)]).astype(
            np.float32
        )
        shape = labels.shape[:2]
        start = [int(rng.integers(0, max(n - CROP, 0) + 1)) for n in shape]
        x, y = (a[:, start[0] : start[0] + CROP, start[1] : start[1] + CROP] for a in (x, y))
        window = (slice(start[0], start[0] + CROP), slice(start[1], start[1] + CROP))
        last = labels.shape[2] - 1
        beside = np.stack([labels[(*window, int(np.clip(z + n, 0, last)))] for n in (*STIR_SLICES, *T1_SLICES)])
        x, y = self._disease(self._grained(x, beside), y, beside, swapped=swapped)
        pad = [(0, 0)] + [(0, CROP - n) for n in x.shape[1:]]
        x, y = np.pad(x, pad), np.pad(y, pad)
        if rng.random() < 0.5:
            x, y = x[:, ::-1], y[:, ::-1]
        return np.ascontiguousarray(x), np.ascontiguousarray(y)

    def _grained(self, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Marrow of patients is as uneven as their muscle, at every scale from a pixel to a third of a bone; that of
        the scans is half as uneven. STIR and T1 each get a grain of their own; next slices share a part of it."""
        rng, seen = self.rng, np.expm1(x)
        for first, last in ((0, len(STIR_SLICES)), (len(STIR_SLICES), CHANNELS)):
            strength, uneven = rng.uniform(0, 1.3), np.zeros((last - first, *x.shape[1:]), np.float32)
            for cells in (107, 53, 27, 13, 7, 4):
                shared, own = rng.uniform(0.2, 1), 0.09 * strength * rng.lognormal(0, 0.4)
                coarse = rng.standard_normal((1 + last - first, cells, cells), np.float32)
                mixed = own * (shared * coarse[:1] + np.sqrt(1 - shared**2) * coarse[1:]).astype(np.float32)
                uneven += nn.functional.interpolate(
                    torch.from_numpy(mixed)[None], x.shape[1:], mode="bilinear", align_corners=False
                )[0].numpy()
            seen[first:last] *= np.exp(uneven * (labels[first:last] > 0))
        return np.log1p(seen)

    def _disease(
        self, x: np.ndarray, y: np.ndarray, labels: np.ndarray, *, swapped: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """More subchondral sclerosis and oedema than the scans hold, painted on the slices: x (channels, h, w), y
        (4, h, w), labels (channels, h, w)."""
        rng = self.rng
        sclerosis, lesions = rng.random() < 0.4, int(rng.integers(1, 7)) if rng.random() < 0.45 else 0
        if not (sclerosis or lesions) or not ((labels[3] == 1).any() and (labels[3] == 2).any()):
            return x, y
        seen = np.expm1(x) / 2
        uneven = ndi.zoom(
            rng.normal(0, 1, (12, 12)), [n / 12 for n in x.shape[1:]], order=1, grid_mode=True, mode="nearest"
        )
        if sclerosis:
            strength, depth = rng.uniform(0.3, 0.85), int(rng.integers(2, 9))
            for bone, other in ((1, 2), (2, 1)):
                if rng.random() < 0.8:
                    for n in range(len(x)):
                        near = ndi.uniform_filter((labels[n] == other).astype(np.float32), 2 * depth + 5)
                        seen[n] *= 1 - strength * np.clip(near / 0.15 + 0.7 * uneven - 0.3, 0, 1) * (labels[n] == bone)
        edges = [
            np.argwhere(
                (labels[3] == bone) & (ndi.uniform_filter((labels[3] == 3 - bone).astype(np.float32), 7) > 0.05)
            )
            for bone in (1, 2)
        ]
        flood = rng.random() < 0.15
        for _ in range(lesions):
            bone = int(rng.integers(1, 3))
            if not len(edges[bone - 1]):
                continue
            cx, cy = edges[bone - 1][rng.integers(len(edges[bone - 1]))]
            size = (
                rng.uniform(25, 60)
                if flood
                else rng.choice([rng.uniform(2, 5), rng.uniform(4, 12), rng.uniform(10, 26)], p=[0.4, 0.4, 0.2])
            )
            rx, ry, tilt = size * rng.uniform(0.5, 1.0), size * rng.uniform(0.7, 1.6), rng.uniform(-0.5, 0.5)
            u, v = (
                np.arange(x.shape[1])[:, None] - cx,
                np.arange(x.shape[2]) - cy + tilt * (np.arange(x.shape[1])[:, None] - cx),
            )
            place = np.clip(
                (1 - np.sqrt((u / rx) ** 2 + (v / ry) ** 2) + 0.25 * uneven) * max(1.0, min(rx, ry) / 2.5), 0, 1
            )
            excess = rng.choice([rng.uniform(0.25, 0.5), rng.uniform(0.4, 1.0), rng.uniform(1.0, 2.4)])
            marrow = np.median(seen[3][labels[3] == bone])
            for n in range(len(x)):
                there = place * (labels[n] == bone)
                seen[n] = (
                    seen[n] * (1 - rng.uniform(0.2, 0.5) * there)
                    if n >= len(STIR_SLICES) or swapped
                    else seen[n] + there * excess * marrow
                )
            mark = place * (labels[3] == bone)
            y[1] = np.where(mark > 0.5, 1, np.where((mark > 0.1) & (y[1] == 0), 2, y[1]))
        return np.log1p(2 * np.clip(seen, 0, 20)).astype(np.float32), y


def turned(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Turn and scale a batch."""
    n = len(x)
    angle, scale = torch.randn(n) * 0.09, torch.exp(torch.randn(n) * 0.08)
    stretch = torch.exp(torch.randn(n) * 0.04)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = torch.cos(angle) * scale * stretch, -torch.sin(angle) * scale
    theta[:, 1, 0], theta[:, 1, 1] = torch.sin(angle) * scale, torch.cos(angle) * scale / stretch
    theta[:, :, 2] = torch.randn(n, 2) * 0.04
    grid = nn.functional.affine_grid(theta, [n, 1, CROP, CROP], align_corners=False).to(x.device)
    x = nn.functional.grid_sample(x, grid, mode="bilinear", align_corners=False)
    return x, nn.functional.grid_sample(y, grid, mode="nearest", align_corners=False)


def altered(x: torch.Tensor) -> torch.Tensor:
    """Give each sample's STIR and T1 a gain, gamma, shading, texture, edges, noise and shadows of their own; an
    absent T1 stays absent."""
    n, parts = len(x), []
    for first, last in ((0, len(STIR_SLICES)), (len(STIR_SLICES), CHANNELS)):
        there = (x[:, first:last].abs().amax((1, 2, 3)) > 0).float().reshape(n, 1, 1, 1)
        seen = torch.expm1(x[:, first:last]) / 2

        def some(share: float, low: float, high: float) -> torch.Tensor:
            return (torch.rand(n, 1, 1, 1) < share) * (low + (high - low) * torch.rand(n, 1, 1, 1))

        # Thin dark lines fade, as cortex does in thick slices, so that bone is not known by its rim alone.
        if torch.rand(1) < 0.6:
            closed = -nn.functional.max_pool2d(-nn.functional.max_pool2d(seen, 3, 1, 1), 3, 1, 1)
            seen = seen + some(0.6, 0.3, 1) * (closed - seen)
        seen = seen + some(0.4, -0.8, 1.3) * (seen - nn.functional.avg_pool2d(seen, 3, 1, 1))
        seen = (seen.clamp_min(0) + 1e-6) ** (0.65 + 0.75 * torch.rand(n, 1, 1, 1))
        shade = 0.2 * torch.randn(n, 1, 1, 1)
        # Marrow is no smoother than muscle: an uneven gain at scales from two pixels to a third of the image.
        for cells, strength in ((3, 0.25), (6, 0.2), (12, 0.15), (24, 0.14), (48, 0.12), (80, 0.12)):
            coarse = torch.randn(n, 1, cells, cells) * torch.rand(n, 1, 1, 1) * strength
            shade = shade + nn.functional.interpolate(coarse, (CROP, CROP), mode="bilinear", align_corners=False)
        if first == 0:
            spots = nn.functional.interpolate(torch.rand(n, 1, 9, 9), (CROP, CROP), mode="bicubic", align_corners=False)
            shade = shade - some(0.5, 0.3, 2.0) * (3 * (spots - 0.7)).clamp(0, 1)
        seen = seen * torch.exp(shade) + some(0.5, 0.01, 0.12) * torch.randn_like(seen)
        parts.append(torch.log1p(2 * seen.clamp(0, 20)) * there)
    return torch.cat(parts, 1)


def loss_of(logits: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross entropy (heavier at the joint) and Dice of bones; the same for oedema, faint oedema left out; fluid."""
    target = y[:, 0].long()
    hot = nn.functional.one_hot(target, 4).permute(0, 3, 1, 2).float()
    near = nn.functional.max_pool2d(hot[:, 1:3], 9, 1, 4).prod(1)
    bones = (nn.functional.cross_entropy(logits[:, :4], target, reduction="none") * (1 + 2.5 * near)).mean()
    p = logits[:, :4].softmax(1)
    overlap = 2 * (p * hot).sum((0, 2, 3)) + 50
    dice = 1 - (overlap / ((p + hot).sum((0, 2, 3)) + 50))[1:].mean()
    counted = (y[:, 1] != 2).float() * y[:, 3]
    oedema = (y[:, 1] == 1).float()
    cross = nn.functional.binary_cross_entropy_with_logits(
        logits[:, 4], oedema, reduction="none", pos_weight=torch.tensor(2.0, device=y.device)
    )
    q = logits[:, 4].sigmoid() * counted
    oedema_dice = 1 - (2 * (q * oedema).sum() + 20) / ((q + oedema * counted).sum() + 20)
    fluid = nn.functional.binary_cross_entropy_with_logits(logits[:, 5], y[:, 2], reduction="none") * y[:, 3]
    return bones + dice + 2 * (cross * counted).mean() + 0.6 * oedema_dice + 0.3 * fluid.mean(), torch.stack(
        [1 - dice, 1 - oedema_dice]
    ).detach()


def main() -> None:
    """Train for the minutes given."""
    ask = argparse.ArgumentParser()
    ask.add_argument("scans", type=Path)
    ask.add_argument("out", type=Path)
    ask.add_argument("minutes", type=float)
    ask.add_argument("--from", dest="start", type=Path)
    ask.add_argument("--threads", type=int, default=1)
    ask.add_argument("--rate", type=float, default=2e-3)
    ask.add_argument("--seed", type=int, default=0)
    told = ask.parse_args()
    torch.set_num_threads(told.threads)
    torch.manual_seed(told.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    told.out.mkdir(parents=True, exist_ok=True)
    pool = Pool(told.scans, np.random.default_rng(told.seed))
    pool.refresh(300)
    model = UNet(CHANNELS).to(device, memory_format=torch.channels_last)
    if told.start:
        model.load_state_dict(torch.load(told.start, map_location=device))
    average = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=told.rate, weight_decay=1e-3)
    begun, step, saved, seen = time.monotonic(), 0, 0.0, torch.zeros(2)
    while (part := (time.monotonic() - begun) / (60 * told.minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = told.rate * min(1, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * part)))
        samples = [pool.draw() for _ in range(BATCH)]
        x, y = (torch.from_numpy(np.stack(s)) for s in zip(*samples, strict=True))
        x, y = (v.to(device) for v in turned(altered(x), y))
        with torch.autocast(device, dtype=torch.bfloat16):
            logits = model(x.contiguous(memory_format=torch.channels_last))
        loss, told_dice = loss_of(logits.float(), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        follow(average, model, min(0.998, step / (step + 10)))
        seen = 0.98 * seen + 0.02 * told_dice.cpu()
        step += 1
        if step % 50 == 0:
            pool.refresh(25)
        if step % 100 == 0:
            print(
                f"{part:.1%} step {step} loss {loss:.3f} Dice bone {seen[0]:.3f} "
                f"oedema {seen[1]:.3f} scans {len(pool.seen)}",
                flush=True,
            )
        if time.monotonic() - begun - saved > 600:
            saved = time.monotonic() - begun
            torch.save(average.state_dict(), told.out / "checkpoint.pt")
            export(average, CHANNELS, told.out / "mri_sij.onnx")
    torch.save(average.state_dict(), told.out / "checkpoint.pt")
    export(average, CHANNELS, told.out / "mri_sij.onnx")


if __name__ == "__main__":
    main()
