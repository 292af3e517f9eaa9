"""Images and a style in, images out whose channels have the mean and the variance that the style asks for."""

from typing import Any

import keras
from keras import ops

from gendsl.parts.film import Film


@keras.saving.register_keras_serializable(package="gendsl")
class Adain(Film):
    """Instance norm, then (1 + s)·x + b by a style (batch, n); Huang and Belongie 2017, equation 8."""

    def __init__(self, epsilon: float = 1e-5, **options: Any) -> None:
        super().__init__(**options)
        self.epsilon = epsilon

    def call(self, inputs: Any, features: Any) -> Any:
        value = ops.cast(inputs, "float32")
        mean, variance = ops.moments(value, axes=list(range(1, len(inputs.shape) - 1)), keepdims=True)
        value = (value - mean) * ops.rsqrt(variance + self.epsilon)
        return self.modulated(ops.cast(value, self.compute_dtype), features)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon}
