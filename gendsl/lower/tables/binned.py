"""Many categories in, one-hot numbers of the most frequent ones and of all others together out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.tables.encoding import Codes, best, one_hot


@dataclass(frozen=True)
class Binned:
    """The most frequent categories have a place each, in the order of `own`; those of `rest` share the next one.

    `shares` are how often each of `rest` is met among them. With `missing` the last place is that of missing cells.
    Places beyond the categories that there are are kept free, and never read from a network's.
    """

    width: int
    own: tuple[int, ...]
    rest: tuple[int, ...]
    shares: tuple[float, ...]
    missing: bool

    def encode(self, codes: Codes, uniform: Codes) -> Codes:
        places = np.full(max((*self.own, *self.rest), default=0) + 1, len(self.own))
        places[list(self.own)] = np.arange(len(self.own))
        known = places[np.nan_to_num(codes).astype(np.int64)]
        return one_hot(np.where(np.isnan(codes), self.width - 1, known), self.width)

    def decode(self, values: Codes) -> Codes:
        """Codes of the places; of those of the shared one the most frequent, which `spread` makes several of."""
        count = len(self.own) + bool(self.rest)
        allowed = np.arange(self.width) < count
        allowed[-1] |= self.missing
        place = best(values, allowed)
        names = np.array([*self.own, *self.rest[:1]], np.float64)
        codes = names[np.minimum(place, count - 1)]
        return np.where(place == self.width - 1, np.nan, codes) if self.missing else codes

    def spread(self, codes: Codes, uniform: Codes) -> Codes:
        """Decoded codes (n,), those of `rest` drawn by uniform numbers (n,), each as often as it is met."""
        if len(self.rest) < 2:
            return codes
        bounds = np.cumsum(self.shares)
        drawn = np.searchsorted(bounds / bounds[-1], uniform, side="right").clip(0, len(self.rest) - 1)
        return np.where(codes == self.rest[0], np.array(self.rest, np.float64)[drawn], codes)


def binned_of(codes: Codes, categories: int, buckets: int, missing: bool) -> Binned:
    """Fitted to codes (n,) without missing ones, of so many categories; those that no row has are the last."""
    counts = np.bincount(codes.astype(np.int64), minlength=categories)
    order = np.argsort(-counts, kind="stable")
    alone = categories if categories <= buckets else buckets - 1
    rest = order[alone:]
    return Binned(
        width=buckets + missing,
        own=tuple(map(int, order[:alone])),
        rest=tuple(map(int, rest)),
        shares=tuple(float(count) for count in np.maximum(counts[rest], 1e-9)),
        missing=missing,
    )


def uniform_of(rows: NDArray[np.float32]) -> Codes:
    """A number in [0, 1) of each row (n, width) that depends on all of its bits: the same row gives the same number."""
    words = np.ascontiguousarray(rows, np.float32).view(np.uint32).astype(np.uint64)
    odd = np.random.Generator(np.random.Philox(key=0)).integers(0, 1 << 63, words.shape[1], np.uint64) * 2 + 1
    mixed = (words * odd).sum(axis=1, dtype=np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # as splitmix64 ends
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    found: Codes = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return found
