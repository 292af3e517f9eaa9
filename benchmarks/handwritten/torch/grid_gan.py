"""The GAN of specs/grid_gan.gen as a plain PyTorch loop."""

from collections.abc import Callable
from pathlib import Path

import torch
from handwritten.torch.initial import as_keras
from torch import nn
from torch.nn.functional import softplus

WIDTH, STEPS, DECAY = 128, 60_000, 0.999


def networks() -> dict[str, nn.Module]:
    """Points (batch, 2) from noise (batch, 2), and logits (batch, 1) of them."""
    generator = nn.Sequential(
        nn.Linear(2, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, 2),
    )
    discriminator = nn.Sequential(
        nn.Linear(2, WIDTH),
        nn.LeakyReLU(0.2),
        nn.Linear(WIDTH, WIDTH),
        nn.LeakyReLU(0.2),
        nn.Linear(WIDTH, WIDTH),
        nn.LeakyReLU(0.2),
        nn.Linear(WIDTH, 1),
    )
    return {"generator": as_keras(generator), "discriminator": as_keras(discriminator)}


def train(folder: Path, after_step: Callable[[], None], batch: int = 512) -> None:
    """Trains for ever; calls `after_step` after each step."""
    generator, discriminator = networks().values()
    averaged = [parameter.detach().clone() for parameter in generator.parameters()]
    optimizers = [
        torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.0, 0.999), eps=1e-7)
        for network in (discriminator, generator)
    ]
    paces = [torch.optim.lr_scheduler.CosineAnnealingLR(one, STEPS, eta_min=1e-5) for one in optimizers]
    centres = 2.0 * torch.cartesian_prod(torch.arange(5.0) - 2.0, torch.arange(5.0) - 2.0)
    step = 0

    while True:
        real = centres[torch.randint(25, (batch,))] + 0.05 * torch.randn(batch, 2)
        real.requires_grad_(True)
        with torch.no_grad():
            fake = generator(torch.randn(batch, 2))
        real_output = discriminator(real)
        (slope,) = torch.autograd.grad(real_output.sum(), real, create_graph=True)
        loss = softplus(-real_output).mean() + softplus(discriminator(fake)).mean()
        loss = loss + 0.05 * slope.square().sum(1).mean()
        optimizers[0].zero_grad()
        loss.backward()
        optimizers[0].step()

        discriminator.requires_grad_(False)
        optimizers[1].zero_grad()
        softplus(-discriminator(generator(torch.randn(batch, 2)))).mean().backward()
        optimizers[1].step()
        discriminator.requires_grad_(True)

        step += 1
        decay = min(DECAY, step / (9.0 + step))
        with torch.no_grad():
            for average, parameter in zip(averaged, generator.parameters(), strict=True):
                average.lerp_(parameter, 1.0 - decay)
        for pace in paces:
            pace.step()
        after_step()
