"""Numbers in, in training the same plus normal noise out: keyed by the seed, the step and the layer."""

from typing import Any

import keras
import tensorflow as tf

from gendsl.parts.keys import key_of


@keras.saving.register_keras_serializable(package="gendsl")
class GaussianNoise(keras.layers.Layer):
    """x + std·e with e standard normal, in training; Sønderby et al. 2016, section 3.2. One key gives one noise."""

    def __init__(self, std: float, **options: Any) -> None:
        super().__init__(**options)
        self.std = std

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training or self.std == 0:
            return inputs
        noise = key_of(self.name).normal(tf.shape(inputs))
        return inputs + tf.cast(self.std * noise, inputs.dtype)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "std": self.std}
