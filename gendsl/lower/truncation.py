"""Draws from a normal prior and a limit in, the same within the limit out: the truncation trick of BigGAN."""

from typing import Any

import tensorflow as tf

from gendsl.lower.distributions import TruncatedNormal
from gendsl.parts.keys import Key


def truncated(values: Any, limit: Any, key: Key) -> Any:
    """Standard normal numbers (batch, …), those beyond -limit..limit drawn again within; `limit` is a scalar.

    Numbers within stay as they are, so that a sample changes little by little as the limit does. Drawing again until a
    number is within comes to one draw from the normal distribution cut at the limit, which is made by the inverse of
    its cumulative function: no loop, the same for the same key. Source: Brock et al. 2019,
    https://arxiv.org/abs/1809.11096, section 3.1."""
    limits = tf.fill(tf.shape(values), tf.cast(limit, tf.float32))
    again = TruncatedNormal(tf.ensure_shape(limits, values.shape)).draw(key.at("truncated"))
    return tf.where(tf.abs(values) <= limits, values, again)
