"""Sequences of tokens by split in, what a person wants to know of them out: plain data for data.json and reports."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gendsl.lower.data.store import let_go

_MOST_FREQUENT = 20
_AT_ONCE = 1 << 20


def statistics_of(
    sequences: Mapping[str, Sequence[np.ndarray]], *, vocabulary: int, unknown: int | None = None
) -> dict[str, Any]:
    """Of each split, as plain data: its tokens and sequences, their lengths, how many tokens are unknown and how many
    of the vocabulary occur, the entropy of a token by its frequency in bits, and the most frequent with their counts.
    """
    told = {}
    for split, every in sequences.items():
        counts = np.zeros(vocabulary, np.int64)
        for sequence in every:
            for start in range(0, len(sequence), _AT_ONCE):
                counts += np.bincount(sequence[start : start + _AT_ONCE], minlength=vocabulary)
                let_go(sequence)
        lengths = np.sort([len(sequence) for sequence in every])
        total = int(counts.sum())
        share = counts[counts > 0] / max(total, 1)
        frequent = np.argsort(-counts, kind="stable")[:_MOST_FREQUENT]
        told[split] = {
            "tokens": total,
            "sequences": len(every),
            "shortest": int(lengths[0]) if len(lengths) else 0,
            "median": int(lengths[len(lengths) // 2]) if len(lengths) else 0,
            "longest": int(lengths[-1]) if len(lengths) else 0,
            "unknown": int(counts[unknown]) if unknown is not None else 0,
            "different": int((counts > 0).sum()),
            "bits_per_token": float(-(share * np.log2(share)).sum()),
            "most_frequent": [[int(token), int(counts[token])] for token in frequent if counts[token]],
        }
    return told
