"""Categories in, one-hot numbers out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.tables.encoding import Codes, best, one_hot


@dataclass(frozen=True)
class OneHot:
    """A category's number becomes a 1 at its place of `width`; with `missing` the last place is that of missing cells.

    `known` counts the categories that there are: further places are kept free, and never read from a network's.
    """

    width: int
    known: int
    missing: bool

    def encode(self, codes: Codes, uniform: Codes) -> Codes:
        return one_hot(self.places(codes), self.width)

    def places(self, codes: Codes) -> NDArray[np.int64]:
        """Where (n,) the 1 of each code stands."""
        return np.where(np.isnan(codes), self.width - 1, np.nan_to_num(codes)).astype(np.int64)

    def decode(self, values: Codes) -> Codes:
        allowed = np.arange(self.width) < self.known
        allowed[-1] |= self.missing
        place = best(values, allowed).astype(np.float64)
        return np.where(place == self.width - 1, np.nan, place) if self.missing else place
