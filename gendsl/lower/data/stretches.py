"""Windows of tokens and their splits in, the stretches out that stand in training too, and the windows that hold them.

Language repeats itself in phrases, not in stretches of fifty tokens: what is as long was copied. Each of a split is
looked for in the training tokens by a rolling hash of 64 bits, so that the time grows with the text, not its square.
Source: Lee et al. 2022, Deduplicating Training Data Makes Language Models Better, section 4.1 (EXACTSUBSTR); Karp &
Rabin 1987, Efficient Randomized Pattern-Matching Algorithms.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gendsl.lower.data.store import let_go
from gendsl.lower.data.windows import Windows

_OF_PIECES, _OF_SIGNS = 50, 200  # tokens: a token of a learned vocabulary is some four bytes of English
_AT_ONCE = 1 << 18
_MOST_LOOKED_FOR = 1 << 21  # hashes of a split; of a larger one, each so manieth place is looked for
_BASE = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_BASE, -1, 1 << 64)


@dataclass(frozen=True)
class Shared:
    """What a split shares with training: the bounds (k, 2) of its `stretches` among the tokens, ascending and apart;
    and of its windows that hold some of them, the positions `at` (m,), whether the `whole` of each (m,) is shared, and
    where (m,) among the training windows it stands."""

    stretches: np.ndarray
    at: np.ndarray
    whole: np.ndarray
    repeats: np.ndarray

    @property
    def tokens(self) -> int:
        """How many tokens are shared."""
        return int((self.stretches[:, 1] - self.stretches[:, 0]).sum())

    @property
    def longest(self) -> np.ndarray:
        """The bounds (2,) of the longest stretch."""
        found: np.ndarray = self.stretches[int((self.stretches[:, 1] - self.stretches[:, 0]).argmax())]
        return found


def stretch_of(tokenizer: str) -> int:
    """How many tokens in a row are taken for a copy, by the word of what made them."""
    return _OF_SIGNS if tokenizer in ("bytes", "characters") else _OF_PIECES


def shared_with_training(windows: Windows, rows: Mapping[str, np.ndarray], length: int) -> dict[str, Shared]:
    """What each split but `train` shares with it, in stretches of at least `length` tokens or whole sequences that are
    shorter; those that share nothing left out. `rows` are the windows of each split."""
    found = {}
    for split, own in rows.items():
        if split == "train" or not len(own):
            continue
        starts, ends, origins = _copies(windows, split, length)
        if not len(starts):
            continue
        stretches = _joined(starts, ends, windows.sequences[split])
        first = windows.starts[windows.plain][own]
        shared = _covered(stretches, first + windows.length) - _covered(stretches, first)
        at = np.flatnonzero(shared)
        if len(at):
            copy = np.searchsorted(ends, first[at], side="right")  # the first that a window meets
            place = origins[copy] + np.maximum(first[at] - starts[copy], 0)
            training = windows.starts[windows.plain][rows["train"]]
            repeats = np.maximum(np.searchsorted(training, place, side="right") - 1, 0)
            found[split] = Shared(stretches, at, shared[at] == windows.length, repeats)
    return found


def _copies(windows: Windows, split: str, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The starts, ends and places in training, each (k,), of all that a split shares: of one length, or whole sequences
    that are shorter. They ascend, and overlap."""
    tokens, own, training = windows.tokens, windows.sequences[split], windows.sequences["train"]
    every = max(1, -(-int((own[:, 1] - own[:, 0]).sum()) // _MOST_LOOKED_FOR))
    # copies: a view would hold all of them
    wanted = [(places[::every].copy(), hashes[::every].copy()) for places, hashes in hashes_of(tokens, own, length)]
    places = np.concatenate([np.zeros(0, np.int64), *(part for part, _ in wanted)])
    hashes = np.concatenate([np.zeros(0, np.uint64), *(part for _, part in wanted)])
    values, which = np.unique(hashes, return_inverse=True)
    origins = first_of(values, tokens, training, length)[which]
    there = origins >= 0
    long = (places[there], places[there] + length, origins[there])
    short = _short_copies(tokens, own, training, length)
    starts, ends, origins = (np.concatenate(both) for both in zip(long, short, strict=True))
    order = np.argsort(starts, kind="stable")
    return starts[order], ends[order], origins[order]


def _joined(starts: np.ndarray, ends: np.ndarray, sequences: np.ndarray) -> np.ndarray:
    """The bounds (k, 2) of what these cover, which ascend; none goes over the end of a sequence."""
    sequence = np.searchsorted(sequences[:, 0], starts, side="right")
    apart = (starts[1:] > ends[:-1]) | (sequence[1:] > sequence[:-1])
    first = np.flatnonzero(np.concatenate([[True], apart]))
    return np.stack([starts[first], np.maximum.reduceat(ends, first)], axis=1)


def first_of(values: np.ndarray, tokens: np.ndarray, training: np.ndarray, length: int) -> np.ndarray:
    """The first place (n,) in training of stretches by their hashes (n,) uint64, which ascend; -1 for none."""
    found = np.full(len(values), -1, np.int64)
    if not len(values):
        return found
    bits = min(26, len(values).bit_length() + 5)
    shift = np.uint64(64 - bits)
    maybe = np.zeros(1 << bits, bool)  # most of training is told apart here, without a search
    maybe[values >> shift] = True
    for places, hashes in hashes_of(tokens, training, length):
        some = np.flatnonzero(maybe[hashes >> shift])
        where = np.minimum(np.searchsorted(values, hashes[some]), len(values) - 1)
        same = values[where] == hashes[some]
        where, some = where[same], some[same]
        fresh = found[where] < 0
        where, some = where[fresh], some[fresh]
        found[where[::-1]] = places[some[::-1]]  # of several the first
    return found


def hashes_of(tokens: np.ndarray, bounds: np.ndarray, length: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The places (k,) of all stretches of a length within sequences of these bounds (n, 2), and their hashes (k,)."""
    powers = np.cumprod(np.full(_AT_ONCE + length, _BASE, np.uint64), dtype=np.uint64)
    inverses = np.cumprod(np.full(_AT_ONCE, _INVERSE, np.uint64), dtype=np.uint64)
    for start, end in bounds:
        for first in range(start, end - length + 1, _AT_ONCE):
            part = _mixed(tokens[first : min(first + _AT_ONCE + length - 1, end)])
            let_go(tokens)
            sums = np.cumsum(part * powers[: len(part)], dtype=np.uint64)
            count = len(part) - length + 1
            sums[length:] -= sums[: count - 1].copy()
            yield np.arange(first, first + count), sums[length - 1 :] * inverses[:count]


def _mixed(tokens: np.ndarray) -> np.ndarray:
    """Tokens (n,) as numbers of 64 bits that have nothing to do with one another.

    Source: Steele et al. 2014, Fast Splittable Pseudorandom Number Generators, the mixing of SplitMix64."""
    mixed = (tokens.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _short_copies(
    tokens: np.ndarray, own: np.ndarray, training: np.ndarray, length: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The starts, ends and places in training of whole sequences that are shorter than a stretch, and stand there."""
    known: dict[bytes, int] = {}
    for start, end in training[training[:, 1] - training[:, 0] < length]:
        known.setdefault(tokens[start:end].tobytes(), int(start))
    found = []
    for start, end in own[own[:, 1] - own[:, 0] < length]:
        origin = known.get(tokens[start:end].tobytes())
        if origin is not None and end > start:
            found.append((start, end, origin))
    starts, ends, origins = np.array(found, np.int64).reshape(-1, 3).T
    return starts, ends, origins


def _covered(stretches: np.ndarray, places: np.ndarray) -> np.ndarray:
    """How many tokens (n,) of stretches (k, 2) stand before places (n,)."""
    sizes = stretches[:, 1] - stretches[:, 0]
    before = np.concatenate([[0], np.cumsum(sizes)])
    last = np.searchsorted(stretches[:, 0], places, side="right") - 1
    partly = np.clip(places - stretches[last, 0], 0, sizes[last])
    found: np.ndarray = np.where(last < 0, 0, before[last] + partly)
    return found
