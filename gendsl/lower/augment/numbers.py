"""Uniform numbers in [0, 1) in, whole ones and normal ones out: what the transforms make of their draws."""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

_LANES = 16  # numbers that a processor computes at once, at most


def steadily(function: Callable[[Any], Any], values: Any) -> Any:
    """A function of each of values (n,), to the same bits whatever n is: the last of a tensor, too few for the lanes of
    a processor, are computed by other instructions, which round otherwise. So there is never such a rest."""
    count = tf.shape(values)[0]
    return function(tf.pad(values, [[0, -count % _LANES]]))[:count]


def two_to(exponent: Any) -> Any:
    """2 to the power of numbers (batch,)."""
    return steadily(lambda values: 2.0**values, exponent)


def whole(uniform: Any, reach: int) -> Any:
    """A whole number (batch,) int32 from -reach to reach, each as likely, of uniform numbers (batch,)."""
    return below(uniform, 2 * reach + 1) - reach


def below(uniform: Any, count: int) -> Any:
    """A whole number (batch,) int32 from 0 to count - 1, each as likely, of uniform numbers (batch,)."""
    return tf.minimum(tf.cast(uniform * count, tf.int32), count - 1)


def either_way(uniform: Any) -> Any:
    """Uniform numbers in -1..1 of those in 0..1."""
    return 2 * uniform - 1


def normal(uniform: Any) -> tuple[Any, Any]:
    """Two standard normal numbers (batch,) of two uniform ones, (batch, 2 or more), by Box and Muller's transform."""
    radius = tf.sqrt(-2.0 * steadily(tf.math.log, 1.0 - uniform[:, 0]))  # 1 - u lies in (0, 1]
    angle = (2 * math.pi) * uniform[:, 1]
    return radius * steadily(tf.cos, angle), radius * steadily(tf.sin, angle)
