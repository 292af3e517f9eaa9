"""Numbers in, a table's row of them out: tanh for numbers, Gumbel softmax for what stands as one-hot."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from gendsl.parts.keys import Key, has_key, key_of

_TINY = 1e-20


def gumbel(key: Key, shape: Any) -> Any:
    """Gumbel noise (rows, …) float32: the argument of the greatest of logits plus this is a draw from their softmax."""
    chance = key.uniform(shape)
    return -tf.math.log(-tf.math.log(chance + _TINY) + _TINY)


@keras.saving.register_keras_serializable(package="gendsl")
class RowActivation(keras.layers.Layer):
    """A row (batch, width): tanh of bounded numbers, others as they are, the sigmoid of indicators, and
    softmax((x + g) / temperature) of each one-hot, g Gumbel noise: in training and in sampling.

    `layout` lists the stretches of the row in order, (kind, width, bounded). One key gives one noise; outside training
    and without a key there is none, as where Keras writes each layer out on its own for a SavedModel.

    Source: Xu et al. 2019, section 4.4; Jang et al. 2016, https://arxiv.org/abs/1611.01144, equation 2.
    """

    def __init__(self, temperature: float, layout: Sequence[Sequence[Any]], **options: Any) -> None:
        super().__init__(**options)
        self.temperature = temperature
        self.layout = [(str(kind), int(width), bool(bounded)) for kind, width, bounded in layout]

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        noisy = inputs
        if training or has_key():
            drawn = tf.ensure_shape(gumbel(key_of(self.name), tf.shape(inputs)), inputs.shape)
            noisy = inputs + tf.cast(drawn, inputs.dtype)
        found, start = [], 0
        for kind, width, bounded in self.layout:
            part = inputs[:, start : start + width]
            if kind == "one_hot":
                found.append(tf.nn.softmax(noisy[:, start : start + width] / self.temperature))
            elif kind == "indicator":
                found.append(tf.sigmoid(part))
            else:
                found.append(tf.tanh(part) if bounded else part)
            start += width
        return tf.concat(found, axis=1)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature, "layout": self.layout}
