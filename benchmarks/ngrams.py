"""Sequences of tokens in, how well their n-grams say held-out ones out: interpolated Kneser-Ney, modified.

Source: Chen & Goodman 1999, An Empirical Study of Smoothing Techniques for Language Modeling, section 3, equations 23
to 26: each order takes a discount from grams that were seen once, twice or more often, and hands what it took to the
next lower order, whose counts are of how many different tokens stand before a gram. The lowest is mixed with an even
distribution.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.integer]
Codes = NDArray[np.int64]  # of grams: their tokens as the digits of a number
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Order:
    """The grams of a length: `grams` (m,), ascending, with `kept` (m,), their counts less the discounts; and the
    `contexts` (k,), ascending, of all tokens but the last, with the `total` (k,) of each, and what it hands on (k,)."""

    grams: Codes
    kept: Numbers
    contexts: Codes
    total: Numbers
    handed: Numbers


class KneserNey:
    """A model of the next token given the `order - 1` before it, among `vocabulary`, learned from sequences."""

    def __init__(self, sequences: Sequence[Tokens], *, order: int, vocabulary: int) -> None:
        if vocabulary**order >= 1 << 63:
            raise ValueError(f"{order}-grams of {vocabulary} tokens are too many for 64 bits")
        self._vocabulary = vocabulary
        parts = [self._codes(sequence, order) for sequence in sequences if len(sequence) >= order]
        grams, counts = np.unique(np.concatenate(parts), return_counts=True)
        orders = [self._order(grams, counts)]
        for length in range(order - 1, 0, -1):
            # Each gram that is one longer stands for one token before its end.
            grams, counts = np.unique(grams % vocabulary**length, return_counts=True)
            orders.append(self._order(grams, counts))
        self._orders = orders[::-1]

    def _codes(self, sequence: Tokens, length: int) -> Codes:
        """The grams of a length that end at each place from `length - 1` on."""
        places = len(sequence) - length + 1
        found = np.zeros(places, np.int64)
        for offset in range(length):
            found = found * self._vocabulary + sequence[offset : offset + places]
        return found

    def _order(self, grams: Codes, counts: NDArray[np.int64]) -> Order:
        discounts = _discounts(counts)[np.minimum(counts, 3)]
        contexts, which = np.unique(grams // self._vocabulary, return_inverse=True)
        total = np.bincount(which, counts)
        return Order(grams, counts - discounts, contexts, total, np.bincount(which, discounts) / total)

    def chances(self, sequence: Tokens) -> Numbers:
        """The probability (n,) of each token of a sequence given those before it."""
        found = np.full(len(sequence), 1 / self._vocabulary)
        for length, order in enumerate(self._orders, 1):
            if len(sequence) < length:
                break
            grams = self._codes(sequence, length)
            at, seen = _found(order.contexts, grams // self._vocabulary)
            place, there = _found(order.grams, grams)
            own = np.where(there, order.kept[place], 0.0) / order.total[at]
            lower = found[length - 1 :]
            found[length - 1 :] = np.where(seen, own + order.handed[at] * lower, lower)
        return found

    def nats(self, sequences: Sequence[Tokens]) -> float:
        """The mean of -log p over all tokens of sequences."""
        logs = [np.log(self.chances(sequence)) for sequence in sequences if len(sequence)]
        return -float(np.concatenate(logs).mean())


def _found(sorted_codes: Codes, wanted: Codes) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where codes stand among ascending ones, and whether they do."""
    place = np.minimum(np.searchsorted(sorted_codes, wanted), len(sorted_codes) - 1)
    return place, sorted_codes[place] == wanted


def _discounts(counts: NDArray[np.int64]) -> Numbers:
    """What is taken from counts of 0, 1, 2 and more, by how many grams have each (equation 26)."""
    some = [max(int((counts == number).sum()), 1) for number in (1, 2, 3, 4)]
    share = some[0] / (some[0] + 2 * some[1])
    found = [number - (number + 1) * share * some[number] / some[number - 1] for number in (1, 2, 3)]
    return np.array([0.0, *(min(max(value, 0.1), number) for number, value in enumerate(found, 1))])
