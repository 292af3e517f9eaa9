"""Examples in, packs of examples out: their channels laid side by side."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="gendsl")
class Pack(keras.layers.Layer):
    """(batch / n, …, n·channels) from (batch, …, channels), n in a row to a pack; Lin et al. 2018, section 2."""

    def __init__(self, samples: int, **options: Any) -> None:
        super().__init__(**options)
        self.samples = samples

    def call(self, inputs: Any) -> Any:
        shape = inputs.shape[1:]
        packs = tf.reshape(inputs, [-1, self.samples, *shape])
        packs = tf.transpose(packs, [0, *range(2, len(shape) + 1), 1, len(shape) + 1])
        return tf.reshape(packs, [-1, *shape[:-1], self.samples * shape[-1]])

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        batch = inputs_shape[0]
        return (batch and batch // self.samples, *inputs_shape[1:-1], self.samples * inputs_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "samples": self.samples}
