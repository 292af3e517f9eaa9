"""Images in, the same out plus one normal number a place times a learned strength: in training and in sampling."""

from typing import Any

import keras
import tensorflow as tf

from gendsl.parts.keys import has_key, key_of


@keras.saving.register_keras_serializable(package="gendsl")
class InjectNoise(keras.layers.Layer):
    """x + strength · e, e standard normal (batch, …, 1) and strength one number; Karras et al. 2020, figure 2.

    The strength begins at 0. One key gives one noise; outside training and without a key there is none, as where Keras
    writes each layer out on its own for a SavedModel.
    """

    def build(self, inputs_shape: Any) -> None:
        self.strength = self.add_weight(name="strength", shape=(), initializer="zeros")
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training and not has_key():
            return inputs
        noise = key_of(self.name).normal(tf.concat([tf.shape(inputs)[:-1], [1]], 0))
        return inputs + self.strength * tf.cast(noise, inputs.dtype)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return inputs_shape
