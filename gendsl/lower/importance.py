"""Values in, each as often as it is drawn for out, and the log of the mean weight: importance-weighted bounds.

All draws of an example are computed at once, beside each other in the batch; what draws nothing is computed once and
repeated (see `plan.redrawn`), so the encoder of an autoencoder sees its batch once.
"""

import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from gendsl.lower.distributions import Distribution


def repeated(values: Mapping[int, Any], times: int) -> dict[int, Any]:
    """Values (batch, …), each example's row as often as it is drawn for, (batch · times, …); scalars as they are."""
    return {number: _repeated(value, times) for number, value in values.items()}


def log_mean(weights: Any, times: int) -> Any:
    """log of the mean of exp(weights) over the draws, (batch) from (batch · times).

    Source: Burda et al. 2016, https://arxiv.org/abs/1509.00519, equation 8; its gradient is that of equation 14."""
    return tf.reduce_logsumexp(tf.reshape(weights, [-1, times]), axis=1) - math.log(times)


def _repeated(value: Any, times: int) -> Any:
    if isinstance(value, Distribution):
        held = {name: getattr(value, name) for name in value.__slots__}
        return type(value)(**{name: _repeated(one, times) for name, one in held.items()})
    if isinstance(value, list | tuple):
        return [_repeated(one, times) for one in value]
    if not tf.is_tensor(value) or value.shape.rank == 0:
        return value
    return tf.repeat(value, times, axis=0)
