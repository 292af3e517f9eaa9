"""Numbers in, in training the same with a share of them zero out: keyed by the seed, the step and the layer."""

from typing import Any

import keras
import tensorflow as tf

from gendsl.parts.keys import Key, key_of

_LEVELS = 2**16


def dropped(inputs: Any, rate: float, key: Key) -> Any:
    """(rows, …), all sizes but the rows known: each number zero with probability `rate`, else x / (1 - rate)."""
    draws = key.words([tf.shape(inputs)[0], *inputs.shape[1:]])
    lost = round(rate * _LEVELS)
    # One factor for each number: its product is all that the forward and the backward pass then compute.
    kept = tf.constant(_LEVELS / (_LEVELS - lost) if lost < _LEVELS else 0.0, inputs.dtype)
    factors = tf.where(draws >= tf.constant(min(lost, _LEVELS - 1), tf.uint16), kept, tf.zeros((), inputs.dtype))
    return inputs * tf.ensure_shape(factors, inputs.shape)


@keras.saving.register_keras_serializable(package="gendsl")
class Dropout(keras.layers.Layer):
    """Zero with probability `rate`, else x / (1 - rate); Srivastava et al. 2014. One key gives one mask.

    A number takes 16 random bits, so the rate is rounded to a whole number of 65,536ths, and so is the factor.

    Keras's own draws from a state that its savers lose, so that a resumed run would go another way.
    """

    def __init__(self, rate: float = 0.5, **options: Any) -> None:
        super().__init__(**options)
        self.rate = rate

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training or self.rate == 0:
            return inputs
        return dropped(inputs, self.rate, key_of(self.name))

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}
