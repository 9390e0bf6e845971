"""The network: a plain U-Net over neighbouring slices."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import nn

WIDTHS = (16, 32, 64, 112, 160)
OUTPUTS = ("background", "sacrum", "ilium", "lumbar", "oedema", "fluid")


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
    )  # fmt: skip


class Together(nn.Module):
    """The mean of several networks' logits; each is shown all channels but those in its own `hidden` range."""

    def __init__(self, members: list[nn.Module], hidden: list[slice]) -> None:
        super().__init__()
        self.members, self.hidden = nn.ModuleList(members), hidden

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits."""
        shown = (torch.cat([x[:, : h.start], x[:, h.stop :]], 1) for h in self.hidden)
        return torch.stack([member(image) for member, image in zip(self.members, shown, strict=True)]).mean(0)


class UNet(nn.Module):
    """(n, channels, h, w) to logits (n, outputs, h, w), by default four classes, oedema, fluid; h and w
    divisible by 2 as often as there are widths but one (16)."""

    def __init__(self, channels: int, widths: tuple[int, ...] = WIDTHS, outputs: int = len(OUTPUTS)) -> None:
        super().__init__()
        self.down = nn.ModuleList(_block(i, o) for i, o in zip((channels, *widths), widths, strict=False))
        self.up = nn.ModuleList(_block(widths[n] + widths[n - 1], widths[n - 1]) for n in range(len(widths) - 1, 0, -1))
        self.out = nn.Conv2d(widths[0], outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits."""
        kept = []
        for n, block in enumerate(self.down):
            x = block(nn.functional.max_pool2d(x, 2) if n else x)
            kept.append(x)
        for block, skip in zip(self.up, kept[-2::-1], strict=True):
            x = block(torch.cat([nn.functional.interpolate(x, scale_factor=2, mode="nearest"), skip], 1))
        out: torch.Tensor = self.out(x)
        return out


def follow(average: nn.Module, model: nn.Module, keep: float) -> None:
    """Move the running mean of a model's weights towards them: `keep` of it stays."""
    with torch.no_grad():
        for slow, fast in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
            slow.lerp_(fast, 1 - keep) if slow.is_floating_point() else slow.copy_(fast)


def export(model: nn.Module, channels: int, path: Path) -> None:
    """ONNX with free batch and size, input `image`, output `logits`."""
    axes = {"image": {0: "n", 2: "x", 3: "y"}, "logits": {0: "n", 2: "x", 3: "y"}}
    torch.onnx.export(
        copy.deepcopy(model).cpu().eval(),
        torch.zeros(1, channels, 64, 64),
        str(path),
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )
