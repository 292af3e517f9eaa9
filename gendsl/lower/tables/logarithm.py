"""Numbers in, their logarithms in -1..1 out."""

from dataclasses import dataclass

import numpy as np

from gendsl.lower.tables.encoding import Codes
from gendsl.lower.tables.scaled import Scaled, minmax_of


@dataclass(frozen=True)
class Logarithm:
    """x becomes log(1 + x - low), scaled to -1..1; `low` is the least x of the file, so no row is below it."""

    low: float
    scaled: Scaled

    @property
    def width(self) -> int:
        return 1

    def encode(self, codes: Codes, uniform: Codes) -> Codes:
        return self.scaled.encode(np.log1p(codes - self.low), uniform)

    def decode(self, values: Codes) -> Codes:
        with np.errstate(over="ignore"):  # a network may give anything; cells are kept within those of the file
            return self.low + np.expm1(self.scaled.decode(values))


def logarithm_of(codes: Codes, low: float) -> Logarithm:
    """Fitted to codes (n,)."""
    return Logarithm(low, minmax_of(np.log1p(codes - low)))
