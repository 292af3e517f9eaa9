"""Files, a spec's shares, window and stride in, what each split is of out: spans of files, and windows of their tokens.

Data is split before it is cut: a window lies within one file and one split.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gendsl.check.headers import split_sizes
from gendsl.lower.data.draws import DATA_SEED, permutation, stream_key
from gendsl.lower.data.loaded import LeftOut
from gendsl.lower.data.windows import Windows, kind_of
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Data


@dataclass(frozen=True)
class Span:
    """The bytes of a file from `start` to `end`."""

    file: int
    start: int
    end: int


def spans_of(
    files: Sequence[bytes] | Sequence[np.ndarray], shares: Mapping[str, float] | None, place: str
) -> dict[str, list[Span]]:
    """The spans of each split, in the order of the files.

    The files, in an order of chance, are laid end to end and cut at the shares of their bytes. So of one file
    each split is a span; of many it is whole files, but for those at the cuts. No character of UTF-8 is cut.
    """
    if shares is None:
        return {"train": [Span(number, 0, len(data)) for number, data in enumerate(files)]}
    order = permutation(stream_key(DATA_SEED, f"split/{place}" if place else "split"), 0, len(files))
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


def _whole(data: bytes | np.ndarray, cut: int) -> int:
    """The first place from `cut` on where a character of UTF-8 begins, at most three further."""
    if cut == 0:
        return 0  # a file begins where it does, whatever its first byte is
    for place in range(cut, min(cut + 4, len(data))):
        if data[place] & 0xC0 != 0x80:
            return place
    return cut if cut + 4 <= len(data) else len(data)


def files_by_split(count: int, shares: Mapping[str, float] | None, place: str) -> dict[str, np.ndarray]:
    """The numbers of the files of each split, in their order: whole files, by chance."""
    if shares is None:
        return {"train": np.arange(count)}
    order = permutation(stream_key(DATA_SEED, f"split/{place}" if place else "split"), 0, count)
    found, start = {}, 0
    for split, size in split_sizes(count, shares).items():
        found[split] = np.sort(order[start : start + size])
        start += size
    return found


@dataclass(frozen=True)
class Layout:
    """Where the windows of sequences start that are laid end to end: `starts` (variants, n) int64, the `rows` of each
    split among them, the bounds (sequences, 2) of the `plain` sequences of each, those of all variants (`in_all`), and
    what is too short for a window."""

    starts: np.ndarray
    rows: Mapping[str, np.ndarray]
    plain: Mapping[str, np.ndarray]
    in_all: Mapping[str, np.ndarray]
    left_out: tuple[LeftOut, ...]


def layout_of(lengths: Mapping[str, Sequence[Sequence[int]]], data: Data, *, plain: int = 0) -> Layout:
    """The windows of sequences of these lengths, by split: each has the lengths of all its variants, of which `plain`
    is read outside training. DataError where a split has none.

    They start every `stride` tokens, and n + 1 tokens are there from each start: the last targets of a next token too.
    """
    assert data.window is not None
    length, stride = data.window, data.stride or data.window
    starts: list[np.ndarray] = []
    short: list[LeftOut] = []
    rows, bounds, in_all, base, number = {}, {}, {}, 0, 0
    for split, every in lengths.items():
        first, own, each = number, [], [np.zeros((0, 2), np.int64)]
        for place, variants in enumerate(every):
            offsets = np.arange(0, variants[plain] - length, stride)
            bases = base + np.cumsum([0, *variants])
            places = np.empty((len(variants), len(offsets)), np.int64)
            for variant, tokens in enumerate(variants):
                fits = tokens > length  # else the variant has too few tokens, and the plain one stands for it
                last = tokens - length - 1
                places[variant] = bases[variant] + np.minimum(offsets, last) if fits else bases[plain] + offsets
            starts.append(places)
            own.append((bases[plain], bases[plain] + variants[plain]))
            each.append(np.stack([bases[:-1], bases[1:]], axis=1))
            if not len(offsets):
                short.append(LeftOut(f"{split}/{place}", "shorter than a window"))
            number += len(offsets)
            base = int(bases[-1])
        if number == first:
            _refuse_empty(split, [variants[plain] for variants in every], length)
        rows[split], bounds[split] = np.arange(first, number), np.array(own, np.int64).reshape(-1, 2)
        in_all[split] = np.concatenate(each)
    return Layout(np.concatenate(starts, axis=1), rows, bounds, in_all, tuple(short))


@dataclass(frozen=True)
class Cut:
    """The windows of all splits, the rows of each among them, and the sequences that are too short for one."""

    windows: Windows
    rows: Mapping[str, np.ndarray]
    left_out: tuple[LeftOut, ...]


def cut(sequences: Mapping[str, Sequence[Sequence[np.ndarray]]], data: Data, *, vocabulary: int, plain: int = 0) -> Cut:
    """Windows of sequences in memory, by split: see `layout_of`."""
    lengths = {split: [list(map(len, variants)) for variants in every] for split, every in sequences.items()}
    found = layout_of(lengths, data, plain=plain)
    tokens = [sequence for every in sequences.values() for variants in every for sequence in variants]
    joined = np.concatenate(tokens).astype(kind_of(vocabulary))
    assert data.window is not None
    windows = Windows(joined, found.starts, data.window, plain, found.plain, found.in_all)
    return Cut(windows, found.rows, found.left_out)


def _refuse_empty(split: str, lengths: Sequence[int], length: int) -> None:
    longest = max(lengths, default=0)
    raise DataError(
        f"`{split}` has no window of {length:,} tokens and the one behind: "
        + (f"the longest of its {len(lengths):,} sequences has {longest:,}" if lengths else "it holds no text"),
        f"write a shorter `window`{'' if split == 'train' else f', or give `{split}` a larger share'}",
    )
