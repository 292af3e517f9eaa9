"""Images and a style in, images out by a convolution whose kernel is scaled anew for each example by its style."""

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops

_BLUR = 4  # taps of the filter behind an upsampling, binomial: (1, 3, 3, 1)


@keras.saving.register_keras_serializable(package="gendsl")
class ModulatedConv(keras.layers.Layer):
    """(batch, upsample·h, upsample·w, filters) from (batch, h, w, c) and a style (batch, n); Karras et al. 2020, eq. 1
    and 3.

    The style becomes one scale an input channel, s = 1 + A·style + b. With `demodulate` each filter's scaled kernel is
    then divided by its length. The scales are put before and behind one shared convolution, which comes to the same.
    With `upsample` 2 the convolution is transposed, and a blur by (1, 3, 3, 1)/4 along each axis follows.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        upsample: int = 1,
        demodulate: bool = True,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.filters, self.kernel_size, self.upsample = filters, kernel_size, upsample
        self.demodulate, self.use_bias = demodulate, use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, inputs_shape: Any, style_shape: Any) -> None:
        channels, size = inputs_shape[-1], self.kernel_size
        config = keras.initializers.serialize(self.kernel_initializer)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(size, size, channels, self.filters),
            initializer=keras.initializers.deserialize(config),
        )
        self.style_kernel = self.add_weight(
            name="style_kernel",
            shape=(style_shape[-1], channels),
            initializer=keras.initializers.deserialize(config),
        )
        self.style_bias = self.add_weight(name="style_bias", shape=(channels,), initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros") if self.use_bias else None
        self.built = True

    def call(self, inputs: Any, style: Any) -> Any:
        scale = 1 + ops.matmul(style, self.style_kernel) + self.style_bias
        kernel = tf.convert_to_tensor(self.kernel)
        value = inputs * scale[:, None, None, :]
        value = self._upsampled(value, kernel) if self.upsample > 1 else tf.nn.conv2d(value, kernel, 1, "SAME")
        if self.demodulate:
            # In float32: squares of small kernels vanish in float16.
            squares = tf.reduce_sum(tf.square(tf.cast(kernel, tf.float32)), axis=(0, 1))
            lengths = tf.matmul(tf.square(tf.cast(scale, tf.float32)), squares)
            value *= tf.cast(tf.math.rsqrt(lengths + 1e-8), value.dtype)[:, None, None, :]
        return value if self.bias is None else value + self.bias

    def _upsampled(self, value: Any, kernel: Any) -> Any:
        """The transposed convolution and its blur: twice the height and width."""
        batch, (height, width) = tf.shape(value)[0], value.shape[1:3]
        reach = self.kernel_size - 2
        sizes = [batch, 2 * height + reach, 2 * width + reach, self.filters]
        flipped = tf.reverse(kernel, [0, 1])
        grown = tf.nn.conv2d_transpose(value, tf.transpose(flipped, [0, 1, 3, 2]), sizes, 2, "VALID")
        taps = [2 * math.comb(_BLUR - 1, tap) / 2 ** (_BLUR - 1) for tap in range(_BLUR)]
        line = tf.constant(taps, grown.dtype)
        window = tf.tile((line[:, None] * line)[:, :, None, None], (1, 1, self.filters, 1))
        # Behind: height + reach + before + after - 3 = height
        both = _BLUR - 1 - reach
        before, behind = both - both // 2, both // 2
        if both < 0:  # a kernel that reaches further than the blur does: the edges are cut
            grown = grown[:, -before : 2 * height + reach + behind, -before : 2 * width + reach + behind]
        else:
            grown = tf.pad(grown, [[0, 0], [before, behind], [before, behind], [0, 0]])
        grown = tf.nn.depthwise_conv2d(grown, window, (1, 1, 1, 1), "VALID")
        return tf.ensure_shape(grown, [value.shape[0], 2 * height, 2 * width, self.filters])

    def compute_output_shape(self, inputs_shape: Any, style_shape: Any) -> Any:
        batch, height, width, _ = inputs_shape
        return (batch, self.upsample * height, self.upsample * width, self.filters)

    def get_config(self) -> dict[str, Any]:
        own = {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "upsample": self.upsample,
            "demodulate": self.demodulate,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
        return {**super().get_config(), **own}
