"""A seed and a step in, the examples of its batches out: permutations of the epochs laid end to end, never replayed."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from gendsl.lower.data.draws import permutation, stream_key


@dataclass
class Order:
    """The order of `count` examples: position p is the (p mod count)-th of epoch p // count.

    Epoch e is `np.argsort(np.random.Philox(key=[seed, e]).random_raw(count), kind="stable")`, or the order of the files
    with `shuffle` off. `place` names a further source, whose order is its own.
    """

    count: int
    seed: int
    shuffle: bool = True
    place: str = ""
    _epochs: dict[int, np.ndarray] = field(default_factory=dict)

    def at(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The epochs and the indexes, both (count,) int64, of the positions from `first` on."""
        positions = np.arange(first, first + count, dtype=np.int64)
        epochs = positions // self.count
        within = positions - epochs * self.count
        if not self.shuffle or not count:
            return epochs, within
        indexes = np.empty(count, np.int64)
        bounds = np.searchsorted(epochs, np.arange(epochs[0], epochs[-1] + 2))
        for number, (start, end) in enumerate(pairwise(bounds)):
            indexes[start:end] = self._epoch(int(epochs[0]) + number)[within[start:end]]
        return epochs, indexes

    def _epoch(self, number: int) -> np.ndarray:
        if number not in self._epochs:
            while len(self._epochs) >= 2:  # a chunk of steps seldom spans more
                del self._epochs[next(iter(self._epochs))]
            self._epochs[number] = permutation(stream_key(self.seed, self.place), number, self.count)
        return self._epochs[number]
