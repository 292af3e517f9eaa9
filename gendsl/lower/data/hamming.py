"""64-bit hashes in, which of them lie within so many bits of one before out: multi-index hashing, which is exact.

Hashes that differ in at most w bits agree in all bits of one of any w + 1 groups (the pigeonhole principle), so only
those that share a group are compared.
Source: Norouzi, Punjani & Fleet 2012, Fast Search in Hamming Space with Multi-Index Hashing.
"""

from array import array

import numpy as np

_MOST_GROUPS = 16  # beyond, a group of less than 4 bits parts hardly anything: all are compared with all


def repeats_of(hashes: np.ndarray, within: int) -> np.ndarray:
    """For each hash (n,) uint64 the position (n,) int64 of the first before it within so many bits; -1 for none.

    Only those that repeat nothing themselves are repeated: a chain of small changes does not join its ends.
    """
    values, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    keys = _keys(values, within)
    tables: list[dict[int, _Bucket]] = [{} for _ in keys]
    found = first.astype(np.int64)
    for number in np.argsort(first).tolist():  # equal hashes have one fate, that of the first
        value, position = values[number], int(first[number])
        own = [int(column[number]) for column in keys]
        buckets = [table[key] for table, key in zip(tables, own, strict=True) if key in table]
        near = min((bucket.first(value, within, position) for bucket in buckets), default=position)
        found[number] = near
        if near == position:
            for table, key in zip(tables, own, strict=True):
                table.setdefault(key, _Bucket()).add(int(value), position)
    out = found[inverse.reshape(-1)]
    return np.where(out == np.arange(len(hashes)), -1, out)


class _Bucket:
    """Hashes that share the bits of a group, in the order of their positions."""

    def __init__(self) -> None:
        self._values, self._positions = array("Q"), array("q")

    def add(self, value: int, position: int) -> None:
        self._values.append(value)
        self._positions.append(position)

    def first(self, value: np.uint64, within: int, otherwise: int) -> int:
        """The first position within so many bits of a value."""
        near = np.bitwise_count(np.frombuffer(self._values, np.uint64) ^ value) <= within
        place = int(near.argmax())
        return self._positions[place] if near[place] else otherwise


def _keys(values: np.ndarray, within: int) -> list[np.ndarray]:
    """The bits of each group (n,) uint64. Bits that tell most are dealt out first, so that no group is of idle ones."""
    if within >= _MOST_GROUPS:
        return [np.zeros(len(values), np.uint64)]
    bits = np.unpackbits(values.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    order = np.argsort(np.abs(bits.mean(axis=0) - 0.5), kind="stable") if len(values) else np.arange(64)
    groups = (order[start :: within + 1] for start in range(within + 1))
    return [bits[:, group] @ (np.uint64(1) << np.arange(len(group), dtype=np.uint64)) for group in groups]
