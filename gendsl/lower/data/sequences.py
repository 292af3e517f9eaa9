"""Files, a spec's shares, window and stride in, what each split is of out: spans of files, and windows of their tokens.

Data is split before it is cut: a window lies within one file and one split.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gendsl.check.headers import split_sizes
from gendsl.lower.data.draws import permutation, stream_key
from gendsl.lower.data.loaded import LeftOut
from gendsl.lower.data.windows import Windows, smallest
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Data


@dataclass(frozen=True)
class Span:
    """The bytes of a file from `start` to `end`."""

    file: int
    start: int
    end: int


def spans_of(
    files: Sequence[bytes], shares: Mapping[str, float] | None, seed: int, place: str
) -> dict[str, list[Span]]:
    """The spans of each split, in the order of the files.

    The files, in an order drawn by the seed, are laid end to end and cut at the shares of their bytes. So of one file
    each split is a span; of many it is whole files, but for those at the cuts. No character of UTF-8 is cut.
    """
    if shares is None:
        return {"train": [Span(number, 0, len(data)) for number, data in enumerate(files)]}
    order = permutation(stream_key(seed, f"split/{place}" if place else "split"), 0, len(files))
    ends = np.cumsum([0, *(len(files[number]) for number in order)])
    found: dict[str, list[Span]] = {}
    bound = 0
    for split, size in split_sizes(int(ends[-1]), shares).items():
        first, bound = bound, bound + size
        spans = []
        for rank, number in enumerate(order):
            data, before = files[number], int(ends[rank])
            start, end = (_whole(data, min(max(cut - before, 0), len(data))) for cut in (first, bound))
            if start < end:
                spans.append(Span(int(number), start, end))
        found[split] = sorted(spans, key=lambda span: span.file)
    return found


def _whole(data: bytes, cut: int) -> int:
    """The first place from `cut` on where a character of UTF-8 begins, at most three further."""
    if cut == 0:
        return 0  # a file begins where it does, whatever its first byte is
    for place in range(cut, min(cut + 4, len(data))):
        if data[place] & 0xC0 != 0x80:
            return place
    return cut if cut + 4 <= len(data) else len(data)


def files_by_split(count: int, shares: Mapping[str, float] | None, seed: int, place: str) -> dict[str, np.ndarray]:
    """The numbers of the files of each split, in their order: whole files, drawn by the seed."""
    if shares is None:
        return {"train": np.arange(count)}
    order = permutation(stream_key(seed, f"split/{place}" if place else "split"), 0, count)
    found, start = {}, 0
    for split, size in split_sizes(count, shares).items():
        found[split] = np.sort(order[start : start + size])
        start += size
    return found


@dataclass(frozen=True)
class Cut:
    """The windows of all splits, the rows of each among them, and the sequences that are too short for one."""

    windows: Windows
    rows: Mapping[str, np.ndarray]
    left_out: tuple[LeftOut, ...]


def cut(sequences: Mapping[str, Sequence[Sequence[np.ndarray]]], data: Data, *, vocabulary: int, plain: int = 0) -> Cut:
    """Windows of the sequences of each split, each of which is given in all its variants (of which `plain` is read
    outside training). DataError where a split has none.

    They start every `stride` tokens, and n + 1 tokens are there from each start: the last targets of a next token too.
    """
    assert data.window is not None
    length, stride = data.window, data.stride or data.window
    tokens: list[np.ndarray] = []
    starts: list[np.ndarray] = []
    short: list[LeftOut] = []
    rows, base, number = {}, 0, 0
    for split, every in sequences.items():
        first = number
        for place, variants in enumerate(every):
            offsets = np.arange(0, len(variants[plain]) - length, stride)
            bases = base + np.cumsum([0, *map(len, variants)])
            places = np.empty((len(variants), len(offsets)), np.int64)
            for variant, sequence in enumerate(variants):
                fits = len(sequence) > length  # else the variant has too few tokens, and the plain one stands for it
                last = len(sequence) - length - 1
                places[variant] = bases[variant] + np.minimum(offsets, last) if fits else bases[plain] + offsets
            tokens += [smallest(sequence, vocabulary) for sequence in variants]
            starts.append(places)
            if not len(offsets):
                short.append(LeftOut(f"{split}/{place}", "shorter than a window"))
            number += len(offsets)
            base = int(bases[-1])
        if number == first:
            _refuse_empty(split, [len(variants[plain]) for variants in every], length)
        rows[split] = np.arange(first, number)
    windows = Windows(np.concatenate(tokens), np.concatenate(starts, axis=1), length, plain)
    return Cut(windows, rows, tuple(short))


def _refuse_empty(split: str, lengths: Sequence[int], length: int) -> None:
    longest = max(lengths, default=0)
    raise DataError(
        f"`{split}` has no window of {length:,} tokens and the one behind: "
        + (f"the longest of its {len(lengths):,} sequences has {longest:,}" if lengths else "it holds no text"),
        f"write a shorter `window`{'' if split == 'train' else f', or give `{split}` a larger share'}",
    )
