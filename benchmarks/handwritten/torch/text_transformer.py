"""The transformer of specs/text_transformer.gen as a plain PyTorch loop."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from handwritten.data import VOCABULARY, text_windows
from handwritten.torch.initial import as_keras
from torch import nn
from torch.nn.functional import cross_entropy, gelu, scaled_dot_product_attention

WINDOW, DEPTH, WIDTH, HEADS = 64, 4, 128, 4
STEPS, WARM_UP, RATE, LAST_RATE = 2_000, 100, 1e-3, 1e-4
EPSILON = 1e-3  # of norms, as in Keras


class Attention(nn.Module):
    """Causal attention (batch, n, width)."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        batch, length, _ = inputs.shape
        query, key, value = (
            each(inputs).view(batch, length, HEADS, WIDTH // HEADS).transpose(1, 2)
            for each in (self.query, self.key, self.value)
        )
        mixed = scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.output(mixed.transpose(1, 2).reshape(batch, length, WIDTH))


class Block(nn.Module):
    """Attention and two dense layers, each behind a norm and added to what came in."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(WIDTH, EPSILON), nn.LayerNorm(WIDTH, EPSILON)
        self.attention = Attention()
        self.wide, self.narrow = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        flow = inputs + self.attention(self.first(inputs))
        return flow + self.narrow(gelu(self.wide(self.second(flow))))


class Model(nn.Module):
    """Logits (batch, n, 256) of bytes (batch, n)."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.positions = nn.Parameter(0.02 * torch.randn(WINDOW, WIDTH))
        self.blocks = nn.Sequential(*(Block() for _ in range(DEPTH)))
        self.norm, self.head = nn.LayerNorm(WIDTH, EPSILON), nn.Linear(WIDTH, VOCABULARY, bias=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.head(self.norm(self.blocks(self.embedding(tokens) + self.positions)))


def networks() -> dict[str, nn.Module]:
    """The model by the name that the spec has for it."""
    return {"model": as_keras(Model())}


def optimizer_of(model: nn.Module) -> torch.optim.Optimizer:
    """AdamW without decay of biases and gains."""
    weights = list(model.parameters())
    groups = [
        {"params": [weight for weight in weights if weight.ndim >= 2], "weight_decay": 0.1},
        {"params": [weight for weight in weights if weight.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.99), eps=1e-7)


def rate_at(step: int, steps: int = STEPS) -> float:
    """A line from nothing, then half a cosine."""
    if step < WARM_UP:
        return RATE * (step + 1) / WARM_UP
    share = min((step - WARM_UP) / (steps - WARM_UP), 1.0)
    return LAST_RATE + 0.5 * (RATE - LAST_RATE) * (1 + math.cos(math.pi * share))


def losses(
    model: nn.Module, optimizer: torch.optim.Optimizer, batches: Iterator[torch.Tensor], steps: int = STEPS
) -> Iterator[torch.Tensor]:
    """Trains on batches of windows (batch, 65), and gives the nats of each."""
    for step, windows in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, steps)
        logits = model(windows[:, :-1])
        loss = cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten(), reduction="sum") / len(windows)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        yield loss


def batches_of(windows: torch.Tensor, batch: int) -> Iterator[torch.Tensor]:
    """Batches for ever, each epoch in an order of its own."""
    while True:
        for rows in torch.randperm(len(windows)).split(batch):
            if len(rows) == batch:
                yield windows[rows]


def train(folder: Path, after_step: Callable[[], None], batch: int = 12) -> None:
    """Trains for ever; calls `after_step` after each step."""
    model = networks()["model"]
    windows = torch.from_numpy(text_windows(folder, WINDOW).astype(np.int64))
    for _ in losses(model, optimizer_of(model), batches_of(windows, batch)):
        after_step()
