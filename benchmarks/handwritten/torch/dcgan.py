"""TensorFlow's DCGAN tutorial as a plain PyTorch loop."""

from collections.abc import Callable
from pathlib import Path

import torch
from handwritten.data import fashion_mnist
from handwritten.torch.initial import as_keras
from torch import nn
from torch.utils.data import DataLoader

NOISE = 100


def _norm_1d(channels: int) -> nn.Module:
    return nn.BatchNorm1d(channels, eps=1e-3, momentum=0.01)


def _norm_2d(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def networks() -> dict[str, nn.Module]:
    """Pictures (batch, 1, 28, 28) from noise (batch, 100), and logits (batch, 1) of them."""
    generator = nn.Sequential(
        nn.Linear(NOISE, 7 * 7 * 256, bias=False),
        _norm_1d(7 * 7 * 256),
        nn.LeakyReLU(0.3),
        nn.Unflatten(1, (256, 7, 7)),
        nn.ConvTranspose2d(256, 128, 5, stride=1, padding=2, bias=False),
        _norm_2d(128),
        nn.LeakyReLU(0.3),
        nn.ConvTranspose2d(128, 64, 5, stride=2, padding=2, output_padding=1, bias=False),
        _norm_2d(64),
        nn.LeakyReLU(0.3),
        nn.ConvTranspose2d(64, 1, 5, stride=2, padding=2, output_padding=1, bias=False),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(1, 64, 5, stride=2, padding=2),
        nn.LeakyReLU(0.3),
        nn.Dropout(0.3),
        nn.Conv2d(64, 128, 5, stride=2, padding=2),
        nn.LeakyReLU(0.3),
        nn.Dropout(0.3),
        nn.Flatten(),
        nn.Linear(7 * 7 * 128, 1),
    )
    return {"generator": as_keras(generator), "discriminator": as_keras(discriminator)}


def train(folder: Path, after_step: Callable[[], None], batch: int = 128) -> None:
    """Trains for ever; calls `after_step` after each step."""
    generator, discriminator = networks().values()
    cross_entropy = nn.BCEWithLogitsLoss()
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-4, eps=1e-7)
    discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-4, eps=1e-7)
    images = torch.from_numpy(fashion_mnist(folder)).permute(0, 3, 1, 2).contiguous()
    loader = DataLoader(images, batch_size=batch, shuffle=True, drop_last=True)
    ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)

    while True:
        for real in loader:
            fake = generator(torch.randn(batch, NOISE))
            judged_real, judged_fake = discriminator(real), discriminator(fake)
            generator_loss = cross_entropy(judged_fake, ones)
            discriminator_loss = cross_entropy(judged_real, ones) + cross_entropy(judged_fake, zeros)
            # One forward pass serves both: each loss is differentiated by its own network's weights.
            generator_gradients = torch.autograd.grad(generator_loss, list(generator.parameters()), retain_graph=True)
            discriminator_gradients = torch.autograd.grad(discriminator_loss, list(discriminator.parameters()))
            for parameter, gradient in zip(generator.parameters(), generator_gradients, strict=True):
                parameter.grad = gradient
            for parameter, gradient in zip(discriminator.parameters(), discriminator_gradients, strict=True):
                parameter.grad = gradient
            generator_optimizer.step()
            discriminator_optimizer.step()
            after_step()
