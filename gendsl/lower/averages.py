"""A network's weights after each step in, their exponential moving average out, moving statistics included."""

from typing import Any

import tensorflow as tf

from gendsl.parts.fade import Fade
from gendsl.parts.spectral_norm import SpectralNorm, layers_of


class Average:
    """The average of one network's weights; it equals them until `start`, a step of the loop.

    From there average -= (1 - d) * (average - weights) once a step, d = min(decay, (1 + t) / (10 + t)) in step t.
    Vectors of spectral norm are copied, since their mean would not have length 1; and so are the shares of `fade`.
    """

    def __init__(self, network: Any, *, decay: float, start: int) -> None:
        self.decay = decay
        self.start = start
        self._copied = {
            id(value)
            for layer in layers_of(network)
            if isinstance(layer, SpectralNorm | Fade)
            for value in _state_of(layer)
        }
        self._pairs = [
            (variable, tf.Variable(variable.value, trainable=False, name=f"average/{variable.path}"))
            for variable in network.variables
        ]

    @property
    def values(self) -> list[tuple[Any, Any]]:
        """Each variable of the network with the variable that averages it."""
        return self._pairs

    def follow(self, step: Any) -> None:
        """Takes in the weights as they are after a step, int64 ()."""
        moment = tf.cast(step, tf.float32)
        decay = tf.minimum(tf.constant(self.decay, tf.float32), (1.0 + moment) / (10.0 + moment))
        for variable, average in self._pairs:
            new = tf.convert_to_tensor(variable.value)
            if not average.dtype.is_floating or id(variable) in self._copied:
                average.assign(new)
                continue
            share = tf.cast(1.0 - decay, average.dtype)
            if self.start == 0:
                # average -= share * (average - new), by one kernel
                tf.raw_ops.ResourceApplyGradientDescent(var=average.handle, alpha=share, delta=average - new)
            else:
                # `where` keeps the weights' own bits before the start, and NaN of an old average out.
                average.assign(tf.where(step < self.start, new, average - share * (average - new)))


def _state_of(layer: Any) -> list[Any]:
    return list(layer.non_trainable_variables)
