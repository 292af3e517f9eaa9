"""The VAE of specs/fashion_vae.gen as a plain PyTorch loop."""

from collections.abc import Callable
from pathlib import Path

import torch
from handwritten.data import fashion_mnist
from handwritten.torch.initial import as_keras
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader

LATENT, WARM_UP = 16, 2_000


def networks() -> dict[str, nn.Module]:
    """Means and log-variances (batch, 32) of pictures (batch, 1, 28, 28); logits of pixels from codes (batch, 16)."""
    encoder = nn.Sequential(
        nn.Conv2d(1, 32, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 64, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(7 * 7 * 64, 256),
        nn.ReLU(),
        nn.Linear(256, 2 * LATENT),
    )
    decoder = nn.Sequential(
        nn.Linear(LATENT, 7 * 7 * 64),
        nn.ReLU(),
        nn.Unflatten(1, (64, 7, 7)),
        nn.ConvTranspose2d(64, 64, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 1, 3, padding=1),
    )
    return {"encoder": as_keras(encoder), "decoder": as_keras(decoder)}


def train(folder: Path, after_step: Callable[[], None], batch: int = 128) -> None:
    """Trains for ever; calls `after_step` after each step."""
    encoder, decoder = networks().values()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3, eps=1e-7)
    images = torch.from_numpy(0.5 * fashion_mnist(folder) + 0.5).permute(0, 3, 1, 2).contiguous()
    loader = DataLoader(images, batch_size=batch, shuffle=True, drop_last=True)
    step = 0
    while True:
        for real in loader:
            mean, log_variance = encoder(real).chunk(2, dim=1)
            logits = decoder(mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean))
            likelihood = binary_cross_entropy_with_logits(logits, real, reduction="none").sum(dim=(1, 2, 3))
            divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)
            loss = (likelihood + min(step / WARM_UP, 1.0) * divergence).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            after_step()
