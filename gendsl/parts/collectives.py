"""What one replica has in, what all have together out: here alone the replicas of a step wait for each other.

Alone, a replica's part is the whole, and nothing is done.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from gendsl.parts.keys import WHOLE, Share


def this_share() -> Share:
    """The part of the global batch that the replica in whose code this is called works on."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return WHOLE
    return Share(context.replica_id_in_sync_group, context.num_replicas_in_sync)


def averaged(values: Sequence[Any]) -> list[Any]:
    """The means over all replicas of tensors that each has, in one collective."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1 or not values:
        return list(values)
    return list(context.all_reduce(tf.distribute.ReduceOp.MEAN, list(values)))


def averaged_parts(parts: Sequence[Any]) -> Any:
    """The mean of what the parts of a batch gave, each of one structure, over all replicas too, in one collective."""
    flat = [tf.nest.flatten(part) for part in parts]
    means = [values[0] if len(values) == 1 else tf.add_n(values) / len(values) for values in zip(*flat, strict=True)]
    return tf.nest.pack_sequence_as(parts[0], averaged(means))


def gathered(value: Any) -> Any:
    """The rows (batch, …) of all replicas, in order, from this one's."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return value
    return context.all_gather(value, axis=0)
