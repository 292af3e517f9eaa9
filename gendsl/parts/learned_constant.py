"""Anything in, the same learned numbers for each example out."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="gendsl")
class LearnedConstant(keras.layers.Layer):
    """(batch, *sizes) from (batch, …), one and the same for all examples; Karras et al. 2019, section 2.

    Its numbers begin as standard normal ones.
    """

    def __init__(self, sizes: Any, initializer: Any = "random_normal", **options: Any) -> None:
        super().__init__(**options)
        self.sizes = tuple(sizes)
        self.initializer = keras.initializers.get(initializer)

    def build(self, inputs_shape: Any) -> None:
        self.constant = self.add_weight(name="constant", shape=self.sizes, initializer=self.initializer)
        self.built = True

    def call(self, inputs: Any) -> Any:
        constant = tf.convert_to_tensor(self.constant)
        return tf.broadcast_to(constant, tf.concat([tf.shape(inputs)[:1], constant.shape], 0))

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return (inputs_shape[0], *self.sizes)

    def get_config(self) -> dict[str, Any]:
        own = {"sizes": self.sizes, "initializer": keras.initializers.serialize(self.initializer)}
        return {**super().get_config(), **own}
