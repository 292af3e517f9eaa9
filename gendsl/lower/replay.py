"""A batch of generated examples in, a batch of newer and older ones out: the pool of `replay`.

Shrivastava et al. 2017 (https://arxiv.org/abs/1612.07828), by the rule of CycleGAN's code: the first `size` examples
are kept and given back; from then on each is given back with probability one half, else it takes a random place in the
pool and what was there is given. Examples of a batch follow one another, as if they came alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf

from gendsl.parts.collectives import gathered
from gendsl.parts.keys import WHOLE, Key


class Replay:
    """One pool: `size` examples of a shape, and how many have been seen."""

    def __init__(self, size: int, shape: Sequence[int]) -> None:
        self.size = size
        self.pool = tf.Variable(tf.zeros([size, *shape]), trainable=False, name="pool")
        self.seen = tf.Variable(tf.zeros((), tf.int64), trainable=False, name="seen")

    @property
    def state(self) -> Mapping[str, Any]:
        """Its variables by name."""
        return {"pool": self.pool, "seen": self.seen}

    def __call__(self, fresh: Any, key: Key) -> Any:
        """Examples of the shape (batch, …) for those given, float32, without a gradient."""
        share, key = key.share, replace(key, share=WHOLE)
        own = tf.stop_gradient(fresh)
        fresh = gathered(own)  # each replica keeps the pool of the whole batch
        batch = tf.shape(fresh, out_type=tf.int64)[0]
        order = tf.range(batch)
        filling = self.seen + order < self.size
        swap = key.at("swap").uniform([batch]) < 0.5
        place = key.at("place").uniform([batch], maxval=self.size)
        place = tf.where(filling, self.seen + order, place)
        writes = filling | swap
        # What an example finds at its place: the last earlier one of the batch that was put there, else the pool's.
        earlier = (place[:, None] == place[None, :]) & writes[None, :] & (order[None, :] < order[:, None])
        last = tf.reduce_max(tf.where(earlier, order[None, :], -1), axis=1)
        found = tf.where(_like(last >= 0, fresh), tf.gather(fresh, tf.maximum(last, 0)), tf.gather(self.pool, place))
        given = tf.where(_like(swap & ~filling, fresh), found, fresh)
        # What is left at each place: the last of the batch that was put there, else what was there.
        writer = tf.math.unsorted_segment_max(tf.where(writes, order, -1), place, self.size)
        left = tf.where(_like(writer >= 0, fresh), tf.gather(fresh, tf.maximum(writer, 0)), self.pool)
        self.pool.assign(left)
        self.seen.assign_add(batch)
        return tf.ensure_shape(share.of_rows(given), own.shape)


def _like(mask: Any, values: Any) -> Any:
    """A mask (n) with axes of size 1 behind it, as many as the values have."""
    return tf.reshape(mask, tf.concat([tf.shape(mask), [1] * (values.shape.rank - 1)], 0))
