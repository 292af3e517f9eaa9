"""Numbers in, ReLU or leaky ReLU of them out, with a gradient whose own gradient costs nothing that is zero anyway."""

from typing import Any

import keras
import tensorflow as tf


def rectified(inputs: Any, slope: float) -> Any:
    """max(x, 0) for a slope of 0, else max(x, slope * x).

    The second derivative by x is zero, but TensorFlow hands it on as a tensor of zeros, which under a gradient penalty
    goes back through the whole network. Here it ends; and the result is kept for the gradient, not the input as well.
    """

    def function(numbers: Any) -> Any:
        result = tf.nn.leaky_relu(numbers, slope) if slope else tf.nn.relu(numbers)
        kept = tf.stop_gradient(result)  # it has the sign of the input

        def gradient(upstream: Any) -> Any:
            if slope:
                return tf.raw_ops.LeakyReluGrad(gradients=upstream, features=kept, alpha=slope)
            return tf.raw_ops.ReluGrad(gradients=upstream, features=kept)

        return result, gradient

    return tf.custom_gradient(function)(inputs)


@keras.saving.register_keras_serializable(package="gendsl")
class Rectifier(keras.layers.Layer):
    """ReLU (Nair & Hinton 2010) for a slope of 0, else leaky ReLU (Maas et al. 2013); any shape."""

    def __init__(self, slope: float = 0.0, **options: Any) -> None:
        super().__init__(**options)
        self.slope = float(slope)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if training:
            return rectified(inputs, self.slope)
        return tf.nn.leaky_relu(inputs, self.slope) if self.slope else tf.nn.relu(inputs)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "slope": self.slope}
