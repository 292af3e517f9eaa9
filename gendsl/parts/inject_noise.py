"""Images in, the same out plus one normal number a place times a learned strength: in training and in sampling."""

from typing import Any

import keras
import tensorflow as tf

from gendsl.parts.keys import key_of


@keras.saving.register_keras_serializable(package="gendsl")
class InjectNoise(keras.layers.Layer):
    """x + strength · e, e standard normal (batch, …, 1) and strength one number; Karras et al. 2020, figure 2.

    The strength begins at 0. One key gives one noise.
    """

    def build(self, inputs_shape: Any) -> None:
        self.strength = self.add_weight(name="strength", shape=(), initializer="zeros")
        self.built = True

    def call(self, inputs: Any) -> Any:
        noise = key_of(self.name).normal(tf.concat([tf.shape(inputs)[:-1], [1]], 0))
        return inputs + self.strength * tf.cast(noise, inputs.dtype)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return inputs_shape
