"""A place in the spec and a moment of the run in, a seed out: every random draw is a function of (seed, step, site).

Inside `drawing(key)` each layer that draws asks `seed_of(its own name)`; outside, a draw is an error of ours, so that
nothing can fall back on hidden state. Seeds are int64 pairs for `tf.random.stateless_*(…, alg="philox")`.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import tensorflow as tf


@dataclass(frozen=True, slots=True)
class Key:
    """Where a draw stands (`path`, fixed when the graph is built) and when it happens (`moment`, an int64 scalar)."""

    seed: int
    path: str
    moment: Any

    def at(self, site: str) -> "Key":
        """The key of a place inside this one."""
        return Key(self.seed, f"{self.path}/{site}", self.moment)

    def pair(self) -> tf.Tensor:
        """The seed (2,) int64 of a stateless draw."""
        digest = hashlib.blake2b(f"{self.seed}:{self.path}".encode(), digest_size=8).digest()
        place = int.from_bytes(digest, "little", signed=True)
        return tf.stack([tf.constant(place, tf.int64), tf.cast(self.moment, tf.int64)])


_keys: list[Key] = []


@contextmanager
def drawing(key: Key) -> Iterator[None]:
    """Layers called inside draw from this key."""
    _keys.append(key)
    try:
        yield
    finally:
        _keys.pop()


def seed_of(site: str) -> tf.Tensor:
    """The seed (2,) int64 for a draw at a site (a layer's own name) under the key in force."""
    if not _keys:
        raise RuntimeError(f"{site} draws outside `drawing(key)`: pass training=False, or open a key")
    return _keys[-1].at(site).pair()
