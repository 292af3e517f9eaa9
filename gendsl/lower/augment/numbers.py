"""Uniform numbers in [0, 1) in, whole ones and normal ones out: what the transforms make of their draws."""

import math
from typing import Any

import tensorflow as tf


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
    radius = tf.sqrt(-2.0 * tf.math.log(1.0 - uniform[:, 0]))  # 1 - u lies in (0, 1]
    angle = (2 * math.pi) * uniform[:, 1]
    return radius * tf.cos(angle), radius * tf.sin(angle)
