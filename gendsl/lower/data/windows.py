"""Tokens laid end to end and the places where windows start in, windows of tokens out: gathered when they are read."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import tensorflow as tf

from gendsl.lower.data.store import let_go

_AROUND = 1 << 16  # bytes that the system maps around a place of a file
_MOST_MAPPED = 1 << 25  # bytes of a file that are mapped before they are let go


@dataclass(frozen=True)
class Windows:
    """Windows (n, length) of `tokens` (m,), which are kept once however much they overlap.

    `starts` (variants, n) int64 says where each begins; what has several variants, such as music in several keys, is
    drawn among them in training, and read in the variant `plain` outside. A token stands behind each window too.
    `sequences` are the bounds (k, 2) of each split's sequences among the tokens, in that variant; `in_all` in all.
    """

    tokens: np.ndarray
    starts: np.ndarray
    length: int
    plain: int = 0
    sequences: Mapping[str, np.ndarray] = field(default_factory=dict)
    in_all: Mapping[str, np.ndarray] = field(default_factory=dict)

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

    @property
    def on_disk(self) -> bool:
        """Whether the tokens lie in a scratch file."""
        return isinstance(self.tokens, np.memmap)

    def __getitem__(self, rows: Any) -> "Windows":
        """Those at a slice, or at indexes (m,)."""
        return replace(self, starts=self.starts[:, rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """All of them as they are outside training, int32 (n, length) if no type is asked for."""
        place = self.starts[self.plain][:, None] + np.arange(self.length)
        found = np.asarray(self.tokens[place], np.int32 if dtype is None else dtype)
        let_go(self.tokens)
        return found

    def first_tokens(self, vocabulary: int) -> np.ndarray:
        """How often each token of a vocabulary begins a window, (vocabulary,), in all variants."""
        found = np.bincount(self.tokens[self.starts.ravel()], minlength=vocabulary)
        let_go(self.tokens)
        return found

    def followed(self) -> "Windows":
        """The windows one token further: what follows each token."""
        return replace(self, starts=self.starts + 1)


class HeldWindows:
    """Windows as tensors of the host, or where they lie in a scratch file, read from it; to be read in graph."""

    def __init__(self, windows: Windows) -> None:
        self._length, self.variants, self._plain = windows.length, len(windows.starts), windows.plain
        self._starts = tf.constant(windows.starts)
        self._read = _from_file(windows) if windows.on_disk else _from_memory(windows)

    def as_written(self) -> "HeldWindows":
        """The same in the plain variant alone."""
        found = copy.copy(self)
        found._starts, found.variants, found._plain = self._starts[self._plain : self._plain + 1], 1, 0
        return found

    def at(self, index: Any, variant: Any = None) -> Any:
        """int32 (k, length + 1): the windows at indexes (k,) int64 with the token behind each, in variants (k,)."""
        place = tf.zeros_like(index) if variant is None else tf.cast(variant, tf.int64)
        found = self._read(tf.gather_nd(self._starts, tf.stack([place, index], axis=-1)))
        return tf.cast(tf.ensure_shape(found, (index.shape[0], self._length + 1)), tf.int32)


def _from_memory(windows: Windows) -> Callable[[Any], Any]:
    held, behind = tf.constant(windows.tokens), tf.range(windows.length + 1, dtype=tf.int64)

    def read(starts: Any) -> Any:
        return tf.gather(held, starts[:, None] + behind[None, :])

    return read


def _from_file(windows: Windows) -> Callable[[Any], Any]:
    tokens, behind = windows.tokens, np.arange(windows.length + 1)
    each = (windows.length + 1) * tokens.itemsize + _AROUND
    mapped = 0

    def gathered(starts: np.ndarray) -> np.ndarray:
        nonlocal mapped
        found = np.asarray(tokens[starts[:, None] + behind])
        mapped += each * len(starts)
        if mapped > _MOST_MAPPED:
            let_go(tokens)
            mapped = 0
        return found

    def read(starts: Any) -> Any:
        with tf.device("cpu"):
            return tf.numpy_function(gathered, [starts], tokens.dtype, stateful=False)

    return read


def kind_of(vocabulary: int) -> type[np.integer]:
    """The smallest type that holds the tokens of a vocabulary: a byte each of 256."""
    return np.uint8 if vocabulary <= 1 << 8 else np.uint16 if vocabulary <= 1 << 16 else np.int32
