"""Channels in, the same divided by their root mean square at each place out."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gendsl")
class PixelNorm(keras.layers.Layer):
    """x / sqrt(mean(x²) + epsilon) over the last axis, in float32; Karras et al. 2018, section 4.2."""

    def __init__(self, epsilon: float = 1e-8, **options: Any) -> None:
        super().__init__(**options)
        self.epsilon = epsilon

    def call(self, inputs: Any) -> Any:
        value = ops.cast(inputs, "float32")
        power = ops.mean(ops.square(value), axis=-1, keepdims=True)
        return ops.cast(value * ops.rsqrt(power + self.epsilon), self.compute_dtype)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon}
