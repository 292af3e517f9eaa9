"""Numbers in, the same moved and stretched out: to mean 0 and variance 1, or to -1..1."""

from dataclasses import dataclass

import numpy as np

from gendsl.lower.tables.encoding import Codes


@dataclass(frozen=True)
class Scaled:
    """x becomes (x - shift) / scale."""

    shift: float
    scale: float

    @property
    def width(self) -> int:
        return 1

    def encode(self, codes: Codes, uniform: Codes) -> Codes:
        return ((codes - self.shift) / self.scale)[:, None]

    def decode(self, values: Codes) -> Codes:
        out: Codes = values[:, 0] * self.scale + self.shift
        return out


def standard_of(codes: Codes) -> Scaled:
    """To mean 0 and variance 1 over codes (n,)."""
    if not len(codes):
        return Scaled(0.0, 1.0)
    return Scaled(float(codes.mean()), float(codes.std()) or 1.0)


def minmax_of(codes: Codes) -> Scaled:
    """To -1..1 over codes (n,)."""
    if not len(codes):
        return Scaled(0.0, 1.0)
    low, high = float(np.min(codes)), float(np.max(codes))
    return Scaled((low + high) / 2, (high - low) / 2 or 1.0)
