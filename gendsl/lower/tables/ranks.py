"""Ordered categories in, their places in the order as numbers evenly in -1..1 out."""

from dataclasses import dataclass

import numpy as np

from gendsl.lower.tables.encoding import Codes


@dataclass(frozen=True)
class Ranks:
    """The k-th of n categories, from 0, becomes 2k / (n - 1) - 1; a number comes back as the nearest category."""

    count: int

    @property
    def width(self) -> int:
        return 1

    def encode(self, codes: Codes, uniform: Codes) -> Codes:
        return (2 * codes / max(1, self.count - 1) - 1)[:, None]

    def decode(self, values: Codes) -> Codes:
        place = (np.nan_to_num(values[:, 0], nan=-1.0) + 1) * max(1, self.count - 1) / 2
        out: Codes = np.rint(place).clip(0, self.count - 1)
        return out
