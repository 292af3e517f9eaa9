"""The GAN of specs/digits_gan.gen as a plain PyTorch loop, as PyTorch's DCGAN tutorial has it."""

from collections.abc import Callable
from pathlib import Path

import torch
from handwritten.data import digits
from handwritten.torch.initial import as_keras
from torch import nn
from torch.utils.data import DataLoader

NOISE, WIDTH = 64, 32


def networks() -> dict[str, nn.Module]:
    """Digits (batch, 1, 8, 8) from noise (batch, 64), and logits (batch, 1) of them."""
    generator = nn.Sequential(
        nn.Linear(NOISE, 2 * 2 * 4 * WIDTH),
        nn.BatchNorm1d(2 * 2 * 4 * WIDTH, eps=1e-3, momentum=0.01),
        nn.ReLU(),
        nn.Unflatten(1, (4 * WIDTH, 2, 2)),
        nn.ConvTranspose2d(4 * WIDTH, 2 * WIDTH, 4, stride=2, padding=1),
        nn.BatchNorm2d(2 * WIDTH, eps=1e-3, momentum=0.01),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * WIDTH, WIDTH, 4, stride=2, padding=1),
        nn.BatchNorm2d(WIDTH, eps=1e-3, momentum=0.01),
        nn.ReLU(),
        nn.Conv2d(WIDTH, 1, 3, padding=1),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(1, WIDTH, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(WIDTH, 2 * WIDTH, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(2 * 2 * 2 * WIDTH, 1),
    )
    return {"generator": as_keras(generator), "discriminator": as_keras(discriminator)}


def train(folder: Path, after_step: Callable[[], None], batch: int = 64) -> None:
    """Trains for ever; calls `after_step` after each step."""
    generator, discriminator = networks().values()
    cross_entropy = nn.BCEWithLogitsLoss()
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999), eps=1e-7)
    discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999), eps=1e-7)
    images = torch.from_numpy(digits(folder)).permute(0, 3, 1, 2).contiguous()
    loader = DataLoader(images, batch_size=batch, shuffle=True, drop_last=True)
    ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)

    while True:
        for real in loader:
            with torch.no_grad():
                fake = generator(torch.randn(batch, NOISE))
            discriminator_optimizer.zero_grad()
            loss = cross_entropy(discriminator(real), ones) + cross_entropy(discriminator(fake), zeros)
            loss.backward()
            discriminator_optimizer.step()

            discriminator.requires_grad_(False)
            generator_optimizer.zero_grad()
            cross_entropy(discriminator(generator(torch.randn(batch, NOISE))), ones).backward()
            generator_optimizer.step()
            discriminator.requires_grad_(True)
            after_step()
