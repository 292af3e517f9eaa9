"""Tokens laid end to end and the places where windows start in, windows of tokens out: gathered when they are read."""

import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf


def following(field: str) -> str:
    """The entry of a batch that holds, for each token of a field's window, the token that follows it.

    A window of n tokens and the one behind it are the n + 1 that a model of the next token reads: what it is given, and
    what it is to say. A field's name holds no dot.
    """
    return f"{field}.next"


@dataclass(frozen=True)
class Windows:
    """Windows (n, length) of `tokens` (m,), which are kept once however much they overlap.

    `starts` (variants, n) int64 says where each begins; what has several variants, such as music in several keys, is
    drawn among them in training, and read in the variant `plain` outside. A token stands behind each window too.
    """

    tokens: np.ndarray
    starts: np.ndarray
    length: int
    plain: int = 0

    def __len__(self) -> int:
        return int(self.starts.shape[1])

    @property
    def shape(self) -> tuple[int, int]:
        """(n, length)."""
        return len(self), self.length

    @property
    def nbytes(self) -> int:
        """The bytes that they take."""
        return self.tokens.nbytes + self.starts.nbytes

    def __getitem__(self, rows: Any) -> "Windows":
        """Those at a slice, or at indexes (m,)."""
        return replace(self, starts=self.starts[:, rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """All of them as they are outside training, int32 (n, length) if no type is asked for."""
        place = self.starts[self.plain][:, None] + np.arange(self.length)
        return np.asarray(self.tokens[place], np.int32 if dtype is None else dtype)

    def followed(self) -> "Windows":
        """The windows one token further: what follows each token."""
        return replace(self, starts=self.starts + 1)


class HeldWindows:
    """Windows as tensors of the host, to be read in graph."""

    def __init__(self, windows: Windows) -> None:
        self._tokens, self._starts = tf.constant(windows.tokens), tf.constant(windows.starts)
        self._length, self.variants, self._plain = windows.length, len(windows.starts), windows.plain

    def as_written(self) -> "HeldWindows":
        """The same in the plain variant alone."""
        found = copy.copy(self)
        found._starts, found.variants, found._plain = self._starts[self._plain : self._plain + 1], 1, 0
        return found

    def at(self, index: Any, variant: Any = None) -> Any:
        """int32 (k, length + 1): the windows at indexes (k,) int64 with the token behind each, in variants (k,)."""
        place = tf.zeros_like(index) if variant is None else tf.cast(variant, tf.int64)
        starts = tf.gather_nd(self._starts, tf.stack([place, index], axis=-1))
        tokens = tf.gather(self._tokens, starts[:, None] + tf.range(self._length + 1, dtype=tf.int64)[None, :])
        return tf.cast(tokens, tf.int32)


def smallest(tokens: np.ndarray, vocabulary: int) -> np.ndarray:
    """Tokens in the smallest type that holds a vocabulary: a byte each of 256."""
    kind = np.uint8 if vocabulary <= 1 << 8 else np.uint16 if vocabulary <= 1 << 16 else np.int32
    return tokens.astype(kind)
