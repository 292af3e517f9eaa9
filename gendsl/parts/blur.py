"""Images in, images without their finest detail out: a binomial filter, with a stride an anti-aliased shrinking."""

import math
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="gendsl")
class Blur(keras.layers.Layer):
    """(batch, ceil(h/stride), ceil(w/stride), c) from (batch, h, w, c); Zhang 2019, section 3.2.

    The `kernel` taps are binomial coefficients over their sum: 3 is (1, 2, 1)/4 along each axis. The border is
    reflected.
    """

    def __init__(self, kernel: int = 3, stride: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.kernel, self.stride = kernel, stride

    def call(self, inputs: Any) -> Any:
        taps = [math.comb(self.kernel - 1, tap) / 2 ** (self.kernel - 1) for tap in range(self.kernel)]
        channels = inputs.shape[-1]
        line = tf.constant(taps, inputs.dtype)
        window = tf.tile((line[:, None] * line)[:, :, None, None], (1, 1, channels, 1))
        before, after = (self.kernel - 1) // 2, self.kernel // 2
        padded = tf.pad(inputs, [[0, 0], [before, after], [before, after], [0, 0]], mode="REFLECT")
        return tf.nn.depthwise_conv2d(padded, window, (1, self.stride, self.stride, 1), "VALID")

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        batch, height, width, channels = inputs_shape
        return (batch, -(-height // self.stride), -(-width // self.stride), channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kernel": self.kernel, "stride": self.stride}
