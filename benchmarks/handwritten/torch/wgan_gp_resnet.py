"""The residual WGAN-GP of specs/wgan_gp_resnet.gen as a plain PyTorch loop."""

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from handwritten.data import pictures
from handwritten.torch.initial import as_keras
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d
from torch.utils.data import DataLoader

NOISE, WIDTH, CRITIC_STEPS, STEPS = 128, 32, 5, 100_000


def _norm() -> nn.Module:
    return nn.BatchNorm2d(WIDTH, eps=1e-3, momentum=0.01)


def _conv(before: int, after: int, kernel: int) -> nn.Module:
    return nn.Conv2d(before, after, kernel, padding=kernel // 2)


class Up(nn.Module):
    """Twice the size, by two convolutions beside a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.deep = nn.Sequential(
            _norm(), nn.ReLU(), nn.Upsample(scale_factor=2), _conv(WIDTH, WIDTH, 3), _norm(), nn.ReLU(),
            _conv(WIDTH, WIDTH, 3),
        )  # fmt: skip
        self.shortcut = nn.Sequential(nn.Upsample(scale_factor=2), _conv(WIDTH, WIDTH, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.deep(x) + self.shortcut(x)


class Critic(nn.Module):
    """Scores (batch, 1) of pictures (batch, 3, 32, 32)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(_conv(3, WIDTH, 3), nn.ReLU(), _conv(WIDTH, WIDTH, 3))
        self.first_shortcut = _conv(3, WIDTH, 1)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.ReLU(), _conv(WIDTH, WIDTH, 3), nn.ReLU(), _conv(WIDTH, WIDTH, 3)) for _ in range(3)
        )
        self.shortcut = _conv(WIDTH, WIDTH, 1)
        self.score = nn.Linear(WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = avg_pool2d(self.first(x), 2) + self.first_shortcut(avg_pool2d(x, 2))
        x = avg_pool2d(self.blocks[0](x), 2) + avg_pool2d(self.shortcut(x), 2)
        x = x + self.blocks[1](x)
        x = x + self.blocks[2](x)
        return self.score(x.relu().sum((2, 3)))


def networks() -> dict[str, nn.Module]:
    """Pictures (batch, 3, 32, 32) from noise (batch, 128), and scores (batch, 1) of them."""
    generator = nn.Sequential(
        nn.Linear(NOISE, 4 * 4 * WIDTH),
        nn.Unflatten(1, (WIDTH, 4, 4)),
        *(Up() for _ in range(3)),
        _norm(),
        nn.ReLU(),
        _conv(WIDTH, 3, 3),
        nn.Tanh(),
    )
    return {"generator": as_keras(generator), "critic": as_keras(Critic())}


def _endless(loader: DataLoader[Tensor]) -> Iterator[Tensor]:
    while True:
        yield from loader


def train(folder: Path, after_step: Callable[[], None], batch: int = 64) -> None:
    """Trains for ever; calls `after_step` after each step."""
    generator, critic = networks().values()
    optimizers = [
        torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.0, 0.9), eps=1e-7) for network in (critic, generator)
    ]
    paces = [
        torch.optim.lr_scheduler.LinearLR(one, 1.0, 0.0, STEPS) for one in optimizers
    ]  # stepped once a step of the loop: five applications of the critic's go by one rate
    images = torch.from_numpy(pictures(folder)).permute(0, 3, 1, 2).contiguous()
    batches = _endless(DataLoader(images, batch_size=batch, shuffle=True, drop_last=True))

    while True:
        for _ in range(CRITIC_STEPS):
            real = next(batches)
            flipped = torch.rand(batch, 1, 1, 1) < 0.5
            real = torch.where(flipped, real.flip(3), real)
            with torch.no_grad():
                fake = generator(torch.randn(batch, NOISE))
            between = (real + torch.rand(batch, 1, 1, 1) * (fake - real)).requires_grad_(True)
            (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
            penalty = ((slope.square().sum((1, 2, 3)) + 1e-12).sqrt() - 1.0).square().mean()
            loss = critic(fake).mean() - critic(real).mean() + 10.0 * penalty
            optimizers[0].zero_grad()
            loss.backward()
            optimizers[0].step()

        critic.requires_grad_(False)
        optimizers[1].zero_grad()
        (-critic(generator(torch.randn(batch, NOISE))).mean()).backward()
        optimizers[1].step()
        critic.requires_grad_(True)
        for pace in paces:
            pace.step()
        after_step()
