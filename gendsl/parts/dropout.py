"""Numbers in, in training the same with a share of them zero out: keyed by the seed, the step and the layer."""

from typing import Any

import keras
import tensorflow as tf

from gendsl.parts.keys import key_of


@keras.saving.register_keras_serializable(package="gendsl")
class Dropout(keras.layers.Layer):
    """Zero with probability `rate`, else x / (1 - rate); Srivastava et al. 2014. One key gives one mask.

    Keras's own draws from a state that its savers lose, so that a resumed run would go another way.
    """

    def __init__(self, rate: float = 0.5, **options: Any) -> None:
        super().__init__(**options)
        self.rate = rate

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training or self.rate == 0:
            return inputs
        draws = key_of(self.name).uniform(tf.shape(inputs))
        # One factor for each number: its product is all that the forward and the backward pass then compute.
        factors = tf.where(
            draws >= self.rate, tf.constant(1 / (1 - self.rate), inputs.dtype), tf.zeros((), inputs.dtype)
        )
        return inputs * tf.ensure_shape(factors, inputs.shape)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}
