"""Codes of which some are missing in, the numbers of those that are there and an indicator of the others out."""

from dataclasses import dataclass

import numpy as np

from gendsl.lower.tables.encoding import Codes, Encoding


@dataclass(frozen=True)
class Indicated:
    """An encoding of numbers (n, 1) and one more number: 1 where the cell is missing (the first is 0 then), else 0."""

    encoding: Encoding

    @property
    def width(self) -> int:
        return 2

    def encode(self, codes: Codes, uniform: Codes) -> Codes:
        here = ~np.isnan(codes)
        out = np.zeros((len(codes), 2))
        out[here, :1] = self.encoding.encode(codes[here], uniform[here])
        out[:, 1] = ~here
        return out

    def decode(self, values: Codes) -> Codes:
        return np.where(values[:, 1] > 0.5, np.nan, self.encoding.decode(values[:, :1]))
