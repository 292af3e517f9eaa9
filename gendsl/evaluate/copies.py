"""Sequences of tokens and training text in, how much of them stands there word for word, or is repeated, out.

A stretch is known by a rolling hash of 64 bits (see `lower/data/stretches.py`): it is the sequences that are kept in
memory, and the training text that is gone through, however large it is.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.data.stretches import first_of, hashes_of


def covered(
    sequences: Sequence[NDArray[np.integer]], tokens: NDArray[np.integer], training: NDArray[np.int64], length: int
) -> NDArray[np.int64]:
    """How many tokens (n,) of sequences lie in stretches of at least `length` that stand in training: in `tokens` (m,),
    within one of the bounds (k, 2).

    Source: Lee et al. 2022, https://arxiv.org/abs/2107.06499."""
    joined, bounds = _joined(sequences)
    found = [(places.copy(), hashes.copy()) for places, hashes in hashes_of(joined, bounds, length)]
    if not found:
        return np.zeros(len(sequences), np.int64)
    places, hashes = (np.concatenate(parts) for parts in zip(*found, strict=True))
    values, which = np.unique(hashes, return_inverse=True)
    starts = places[first_of(values, tokens, training, length)[which] >= 0]
    steps = np.zeros(len(joined) + 1, np.int64)
    np.add.at(steps, starts, 1)
    np.add.at(steps, starts + length, -1)
    before = np.concatenate([[0], np.cumsum(np.cumsum(steps[:-1]) > 0)])
    return np.asarray(before[bounds[:, 1]] - before[bounds[:, 0]], np.int64)


def distinct(sequences: Sequence[NDArray[np.integer]], length: int) -> float:
    """The share of different n-grams of a length among all of them; NaN where there are none.

    Source: Li et al. 2016, https://arxiv.org/abs/1510.03055, by n-grams rather than by words."""
    joined, bounds = _joined(sequences)
    hashes = [hashes.copy() for _, hashes in hashes_of(joined, bounds, length)]
    every = np.concatenate([np.zeros(0, np.uint64), *hashes])
    return len(np.unique(every)) / len(every) if len(every) else float("nan")


def _joined(sequences: Sequence[NDArray[np.integer]]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Sequences laid end to end, and the bounds (n, 2) of each."""
    ends = np.cumsum([0, *map(len, sequences)]).astype(np.int64)
    joined = np.concatenate([np.zeros(0, np.int32), *sequences]).astype(np.int32)
    return joined, np.stack([ends[:-1], ends[1:]], axis=1)
