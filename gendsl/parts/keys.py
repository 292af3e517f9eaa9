"""A place in the spec and a moment of the run in, random numbers out: every draw is a function of (seed, step, site).

Inside `drawing(key)` each layer that draws asks `key_of(its own name)`; outside, a draw is an error of ours, so that
nothing can fall back on hidden state. A part of a batch draws its part of what the whole batch would draw, so that the
numbers do not depend on how a batch is laid over replicas.
"""

import hashlib
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

_STRIDE = -7046029254386353131  # 2^64 divided by the golden ratio, made odd, as a signed number


@dataclass(frozen=True, slots=True)
class Share:
    """Which of so many equal parts of the batch is at hand: part `index`, a number or a tensor, of `of` in order."""

    index: Any = 0
    of: int = 1

    def part(self, index: Any, of: int) -> "Share":
        """A part of this part."""
        return Share(self.index * of + index, self.of * of)

    def of_rows(self, whole: Any, axis: int = 0) -> Any:
        """The rows of a whole batch's tensor that are this part's."""
        if self.of == 1:
            return whole
        rows = _length(whole, axis) // self.of
        first = tf.cast(self.index, tf.int32) * rows
        shape = [size if size is not None else tf.shape(whole)[at] for at, size in enumerate(whole.shape)]
        start: list[Any] = [0] * len(shape)
        shape[axis], start[axis] = rows, first
        static = [size if isinstance(size, int) else None for size in shape]
        return tf.ensure_shape(tf.slice(whole, start, shape), static)


WHOLE = Share()


@dataclass(frozen=True, slots=True)
class Key:
    """Where a draw stands (`path`, fixed when the graph is built) and when it happens (`moment`, an int64 scalar).

    `turns` counts the turns of a loop in graph."""

    seed: int
    path: str
    moment: Any
    share: Share = WHOLE
    turns: Any = None

    def at(self, site: str) -> "Key":
        """The key of a place inside this one."""
        return replace(self, path=f"{self.path}/{site}")

    def turn(self, number: Any) -> "Key":
        """The key of a turn of a loop at this place; `number` is a whole scalar."""
        return replace(self, turns=tf.cast(number, tf.int64) + 1)

    def pair(self) -> tf.Tensor:
        """The seed (2,) int64 of a stateless draw, `tf.random.stateless_*(…, alg="philox")`."""
        digest = hashlib.blake2b(f"{self.seed}:{self.path}".encode(), digest_size=8).digest()
        place = int.from_bytes(digest, "little", signed=True)
        first = tf.constant(place, tf.int64)
        if self.turns is not None:
            first += self.turns * _STRIDE  # wraps: an odd number leads each turn to another seed
        return tf.stack([first, tf.cast(self.moment, tf.int64)])

    def uniform(self, shape: Any, *, maxval: int | None = None) -> tf.Tensor:
        """Numbers (rows, …) in [0, 1) float32, or whole ones below `maxval` int64; `shape` is that of this share."""
        options = {} if maxval is None else {"maxval": maxval, "dtype": tf.int64}
        return self._drawn(tf.random.stateless_uniform, shape, options)

    def normal(self, shape: Any) -> tf.Tensor:
        """Standard normal numbers (rows, …) float32; `shape` is that of this share."""
        return self._drawn(tf.random.stateless_normal, shape, {})

    def words(self, shape: Any) -> tf.Tensor:
        """Whole numbers (rows, …) from 0 to 65,535, uint16, two of 32 bits drawn; sizes but the rows are ints."""
        inner = [int(size) for size in shape[1:]]
        many = math.prod(inner)
        rows = tf.convert_to_tensor(shape[0], tf.int32)
        options = {"minval": None, "maxval": None, "dtype": tf.uint32}
        drawn = self._drawn(tf.random.stateless_uniform, tf.stack([rows, -(-many // 2)]), options)
        halves = tf.reshape(tf.bitcast(drawn, tf.uint16), [rows, many + many % 2])
        return tf.reshape(halves[:, :many] if many % 2 else halves, [rows, *inner])

    def _drawn(self, draw: Any, shape: Any, options: dict[str, Any]) -> tf.Tensor:
        if self.share.of > 1:
            shape = tf.convert_to_tensor(shape, tf.int32)
            shape = tf.concat([shape[:1] * self.share.of, shape[1:]], 0)
        return self.share.of_rows(draw(shape, self.pair(), alg="philox", **options))


class _Keys(threading.local):
    """The keys in force: each replica of a mirrored strategy is traced by a thread of its own."""

    def __init__(self) -> None:
        self.stack: list[Key] = []


_keys = _Keys()


@contextmanager
def drawing(key: Key) -> Iterator[None]:
    """Layers called inside draw from this key."""
    _keys.stack.append(key)
    try:
        yield
    finally:
        _keys.stack.pop()


def has_key() -> bool:
    """Whether a key is in force."""
    return bool(_keys.stack)


def key_of(site: str) -> Key:
    """The key for a draw at a site (a layer's own name) under the key in force."""
    if not _keys.stack:
        raise RuntimeError(f"{site} draws outside `drawing(key)`: pass training=False, or open a key")
    return _keys.stack[-1].at(site)


def _length(value: Any, axis: int) -> Any:
    static = value.shape[axis]
    return tf.shape(value)[axis] if static is None else static
