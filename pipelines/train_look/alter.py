"""Alter batches of simulated joints, so that a network learns what holds for patients too.

A batch is a dict of tensors (n, slices shown, WIDTH, HEIGHT): what `mri_sij.lesions.look.views` names, with "oedema"
(share of a pixel) and "faint". Patients' marrow is more uneven than any simulation's, the field is never quite right,
borders are off by a pixel, and oedema of any shape turns up: all of that is drawn anew for every sample.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from mri_sij.lesions.look import BESIDE, STIR_SLICES

WIDTH, HEIGHT = 112, 144
PIXEL_MM = 1.2

Batch = dict[str, torch.Tensor]


def uniform(like: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """A number for each sample, (n, 1, 1, 1)."""
    return low + (high - low) * torch.rand(len(like), 1, 1, 1, device=like.device)


def some(like: torch.Tensor, share: float) -> torch.Tensor:
    """1 for a share of the samples, else 0, (n, 1, 1, 1)."""
    return (torch.rand(len(like), 1, 1, 1, device=like.device) < share).float()


def clouds(like: torch.Tensor, channels: int, cells: int) -> torch.Tensor:
    """Smooth random fields of standard deviation up to 1, `cells` grains across."""
    coarse = torch.randn(len(like), channels, cells, cells, device=like.device)
    return functional.interpolate(coarse, (WIDTH, HEIGHT), mode="bilinear", align_corners=False)


def alter(batch: Batch, has_t1: torch.Tensor) -> tuple[Batch, torch.Tensor, torch.Tensor]:
    """The batch altered; which samples (n, 1, 1, 1) still have a T1; of which the first network's opinion is told.

    A lesion that is painted here was never seen by the first network, whose opinion is then kept back.
    """
    batch = turned(batch)
    batch = grained(batch)
    batch, painted = with_oedema(batch)
    batch = seen_otherwise(batch)
    told = (1 - painted) * (1 - some(has_t1, 0.15))
    return batch, has_t1.reshape(-1, 1, 1, 1) * (1 - some(has_t1, 0.25)), told


def turned(batch: Batch) -> Batch:
    """Turned, scaled and moved; in three of ten samples the bones' outlines a little against the pictures."""
    like = batch["stir"]
    n, ratio = len(like), HEIGHT / WIDTH
    angle, scale = torch.randn(n, device=like.device) * 0.1, torch.exp(torch.randn(n, device=like.device) * 0.08)
    theta = torch.zeros(n, 2, 3, device=like.device)
    theta[:, 0, 0] = theta[:, 1, 1] = torch.cos(angle) * scale
    theta[:, 0, 1], theta[:, 1, 0] = -torch.sin(angle) * scale / ratio, torch.sin(angle) * scale * ratio
    theta[:, :, 2] = torch.rand(n, 2, device=like.device) * 0.4 - 0.2
    grid = functional.affine_grid(theta, [n, 1, WIDTH, HEIGHT], align_corners=False)
    off = some(like, 0.3) * torch.randn(n, 1, 1, 2, device=like.device) * 0.008
    unlikely = -6.2
    batch = dict(batch, said=batch["said"] - unlikely)
    pictures = ("stir", "t1", "said", "fluid", "oedema")
    moved = {
        name: functional.grid_sample(a, grid if name in (*pictures, "faint") else grid + off,
                            mode="bilinear" if name in pictures else "nearest", align_corners=False)
        for name, a in batch.items()
    }  # fmt: skip
    return dict(moved, said=moved["said"] + unlikely)


def grained(batch: Batch) -> Batch:
    """Marrow as uneven as that of patients, at every scale; next slices share a part of it."""
    stir, t1, bone = batch["stir"], batch["t1"], batch["sacrum"] + batch["ilium"]
    strength, nearest = uniform(stir, 0, 1.3) * some(stir, 0.7), [0, 0, 1, 2, 2]
    for cells in (100, 50, 25, 13, 7, 4):
        shared, own = uniform(stir, 0.3, 1), 0.07 * strength * torch.exp(0.4 * torch.randn_like(strength))
        alone = torch.sqrt(1 - shared**2)
        uneven = [shared * clouds(a, 1, cells) + alone * clouds(a, a.shape[1], cells) for a in (stir, t1)]
        stir, t1 = stir + bone[:, nearest] * own * uneven[0], t1 + bone * own * 0.8 * uneven[1]
    return dict(batch, stir=stir, t1=t1)


def with_oedema(batch: Batch) -> tuple[Batch, torch.Tensor]:
    """Up to three lesions painted in a third of the samples, and which samples have any: strips along the joint or
    blobs, in one bone or across the joint, faint or bright, dark on T1."""
    painted = torch.zeros_like(some(batch["stir"], 0))
    chosen = some(painted, 0.35)
    for share in (1.0, 0.5, 0.3):
        batch, done = _painted(batch, chosen * some(painted, share))
        painted = torch.maximum(painted, done)
    return batch, painted


def _painted(batch: Batch, wanted: torch.Tensor) -> tuple[Batch, torch.Tensor]:
    depth, middle = batch["depth_mm"], len(BESIDE) // 2
    start = batch["own"] * (depth < 1 + 8 * torch.rand_like(wanted)).float()
    place = start.flatten(1)
    done = wanted * (place.sum(1) > 0).float().reshape(-1, 1, 1, 1)
    at = torch.multinomial(torch.where(place.sum(1, keepdim=True) > 0, place, torch.ones_like(place)), 1)[:, 0]
    x, y = at // HEIGHT, at % HEIGHT
    columns, rows = (torch.arange(n, device=x.device) for n in (WIDTH, HEIGHT))
    away = torch.sqrt(
        (columns[None, :, None] - x[:, None, None]).float() ** 2 + (rows[None, None] - y[:, None, None]).float() ** 2
    )
    away_mm = away[:, None] * PIXEL_MM
    every = torch.arange(len(x), device=x.device)
    sacral = batch["sacrum"][every, middle, x, y].reshape(-1, 1, 1, 1)
    across, strip = some(wanted, 0.25), some(wanted, 0.6)
    reach = strip * uniform(wanted, 1, 5) + (1 - strip) * uniform(wanted, 4, 35)
    radius = strip * uniform(wanted, 3, 25) + (1 - strip) * reach * uniform(wanted, 0.6, 1.6)
    rough = 1 + clouds(wanted, 1, 30) * uniform(wanted, 0, 0.25)
    feather, fading = 0.35 * reach.clamp(1, 7), uniform(wanted, 0, 1.2) * radius
    faint = some(wanted, 0.45)
    excess = faint * uniform(wanted, 0.15, 0.5) + (1 - faint) * uniform(wanted, 0.4, 2.2)
    dark = uniform(wanted, 0.1, 0.5)
    presence = []
    for n, step in enumerate(BESIDE):
        sacrum, ilium = batch["sacrum"][:, n : n + 1], batch["ilium"][:, n : n + 1]
        bone = torch.maximum(sacral * sacrum + (1 - sacral) * ilium, across * (sacrum + ilium))
        inward = torch.sigmoid(4 * (reach * rough - depth) / feather)
        sideways = torch.sigmoid(4 * (radius * rough - away_mm - 0.5 * fading * abs(step)) / feather)
        presence.append(inward * sideways * bone * done)
    there = torch.cat(presence, 1)
    beyond = torch.cat([0.6 * there[:, :1], there, 0.6 * there[:, -1:]], 1)
    assert beyond.shape[1] == len(STIR_SLICES)
    stir = batch["stir"] + torch.log1p(beyond * excess * torch.exp(-batch["stir"].clamp(-1, 1) / 2))
    here = there[:, middle : middle + 1]
    brighter = here * excess
    new = ((here > 0.5) & (brighter > 0.12)).float()
    unsure = ((here > 0.15) & (new == 0) & (brighter > 0.04) & (batch["oedema"] < 0.5)).float()
    truth = {"oedema": torch.maximum(batch["oedema"], new), "faint": torch.maximum(batch["faint"], unsure)}
    return dict(batch, stir=stir, t1=batch["t1"] - dark * there, **truth), done


def seen_otherwise(batch: Batch) -> Batch:
    """A field that is wrong (too high by a tenth to a third in one of seventeen, as where oedema floods the bones),
    another contrast, edges, noise, and a first network that is surer or less sure."""
    stir, t1 = batch["stir"], batch["t1"]
    stir = stir + 0.08 * torch.randn_like(some(stir, 0)) + clouds(stir, 1, 3) * uniform(stir, 0, 0.08)
    stir = (stir - some(stir, 0.06) * uniform(stir, 0.1, 0.4)) * torch.exp(0.15 * torch.randn_like(some(stir, 0)))
    t1 = t1 + 0.08 * torch.randn_like(some(t1, 0)) + clouds(t1, 1, 3) * uniform(t1, 0, 0.1)
    t1 = t1 * torch.exp(0.2 * torch.randn_like(some(t1, 0)))
    light = torch.exp(stir)
    light = light + some(stir, 0.4) * uniform(stir, -0.7, 0.8) * (light - functional.avg_pool2d(light, 3, 1, 1))
    light = light + some(stir, 0.5) * uniform(stir, 0, 0.15) * torch.randn_like(light)
    said = batch["said"] + 0.6 * torch.randn_like(some(stir, 0))
    return dict(batch, stir=torch.log(light.clamp(0.2, 5)), t1=t1, said=said)
