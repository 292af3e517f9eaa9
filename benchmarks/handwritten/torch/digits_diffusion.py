"""The diffusion of specs/digits_diffusion.gen as a plain PyTorch loop, with an average of its weights."""

import math
from collections.abc import Callable
from pathlib import Path

import torch
from handwritten.data import digits
from handwritten.torch.initial import as_keras
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

STEPS, DECAY = 1000, 0.999


def _norm(channels: int) -> nn.Module:
    return nn.GroupNorm(8, channels, eps=1e-3)


class Residual(nn.Module):
    """(batch, filters, h, w) from (batch, channels, h, w) and a time's features (batch, 256)."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.first = nn.Sequential(_norm(channels), nn.SiLU(), nn.Conv2d(channels, filters, 3, padding=1))
        self.film = nn.Linear(256, 2 * filters)
        self.second = nn.Sequential(_norm(filters), nn.SiLU(), nn.Conv2d(filters, filters, 3, padding=1))
        self.shortcut = nn.Conv2d(channels, filters, 1)

    def forward(self, x: torch.Tensor, when: torch.Tensor) -> torch.Tensor:
        scale, shift = self.film(when)[:, :, None, None].chunk(2, dim=1)
        return self.second((1 + scale) * self.first(x) + shift) + self.shortcut(x)


class Attention(nn.Module):
    """Four heads over the pixels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm, self.given, self.out = (
            _norm(channels),
            nn.Linear(channels, 3 * channels),
            nn.Linear(channels, channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = x.shape
        pixels = self.given(self.norm(x).flatten(2).transpose(1, 2))
        heads = pixels.view(batch, height * width, 3, 4, channels // 4).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)
        return x + self.out(mixed).transpose(1, 2).view(batch, channels, height, width)


class Denoiser(nn.Module):
    """The noise (batch, 1, 8, 8) in noisy digits of that shape at times (batch,)."""

    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(64, 256), nn.SiLU())
        self.start, self.high = nn.Conv2d(1, 64, 3, padding=1), Residual(64, 64)
        self.down = nn.Conv2d(64, 64, 3, stride=2, padding=1)
        self.before, self.attend, self.after = Residual(64, 128), Attention(128), Residual(128, 128)
        self.up, self.last = nn.Conv2d(128, 64, 3, padding=1), Residual(128, 64)
        self.end = nn.Sequential(_norm(64), nn.SiLU(), nn.Conv2d(64, 1, 3, padding=1))

    def forward(self, x: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        angles = times[:, None] * torch.exp(-math.log(10_000) * torch.arange(32) / 31)
        when = self.time(torch.cat([angles.sin(), angles.cos()], dim=-1))
        high = self.high(self.start(x), when)
        low = self.after(self.attend(self.before(self.down(high), when)), when)
        out = self.up(functional.interpolate(low, scale_factor=2.0))
        return self.end(self.last(torch.cat([out, high], dim=1), when))


def networks() -> dict[str, nn.Module]:
    """The module by the name that the spec has for it."""
    return {"denoiser": as_keras(Denoiser())}


def kept() -> torch.Tensor:
    """The share (1000,) of the data's variance that the cosine schedule leaves."""
    places = torch.arange(STEPS + 1, dtype=torch.float64) / STEPS
    left = torch.cos((places + 0.008) / 1.008 * math.pi / 2) ** 2
    return torch.cumprod(1 - torch.clamp(1 - left[1:] / left[:-1], max=0.999), 0).float()


def train(folder: Path, after_step: Callable[[], None], batch: int = 128) -> None:
    """Trains for ever; calls `after_step` after each step."""
    (model,) = networks().values()
    averaged = [weight.detach().clone() for weight in model.parameters()]
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-4, eps=1e-7)
    images = torch.from_numpy(digits(folder)).permute(0, 3, 1, 2).contiguous()
    loader = DataLoader(images, batch_size=batch, shuffle=True, drop_last=True)
    levels = kept()

    while True:
        for real in loader:
            times = torch.randint(0, STEPS, (batch,))
            left = levels[times][:, None, None, None]
            noise = torch.randn_like(real)
            optimizer.zero_grad()
            functional.mse_loss(model(left.sqrt() * real + (1 - left).sqrt() * noise, times.float()), noise).backward()
            optimizer.step()
            with torch.no_grad():
                torch._foreach_lerp_(averaged, list(model.parameters()), 1 - DECAY)
            after_step()
