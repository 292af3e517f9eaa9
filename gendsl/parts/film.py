"""Channels and features in, each channel scaled and shifted, or only shifted, by a linear map of the features out."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gendsl")
class Film(keras.layers.Layer):
    """(1 + s)·x + b, (batch, …, channels) from the same and features (batch, n); Perez et al. 2018, equation 2.

    Without `scale` x + b, as the time reaches the layers of Ho et al. 2020."""

    def __init__(
        self, scale: bool = True, use_bias: bool = True, kernel_initializer: Any = "glorot_uniform", **options: Any
    ) -> None:
        super().__init__(**options)
        self.scale, self.use_bias = scale, use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, inputs_shape: Any, features_shape: Any) -> None:
        width = (2 if self.scale else 1) * inputs_shape[-1]
        self.kernel = self.add_weight(
            name="kernel", shape=(features_shape[-1], width), initializer=self.kernel_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros") if self.use_bias else None
        self.built = True

    def modulated(self, inputs: Any, features: Any) -> Any:
        """The inputs, scaled and shifted."""
        both = ops.matmul(features, self.kernel)
        both = both if self.bias is None else both + self.bias
        both = ops.reshape(both, (-1, *(1,) * (len(inputs.shape) - 2), self.kernel.shape[-1]))
        if not self.scale:
            return inputs + both
        scale, shift = ops.split(both, 2, axis=-1)
        return (1 + scale) * inputs + shift

    def call(self, inputs: Any, features: Any) -> Any:
        return self.modulated(inputs, features)

    def compute_output_shape(self, inputs_shape: Any, features_shape: Any) -> Any:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        own = {
            "scale": self.scale,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
        return {**super().get_config(), **own}
