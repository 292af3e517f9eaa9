"""Images in, the same images out plus a learned share of what each place sees in the others (SAGAN's block)."""

from typing import Any

import keras
import tensorflow as tf

from gendsl.parts.projections import add_projections, projected


@keras.saving.register_keras_serializable(package="gendsl")
class SelfAttention(keras.layers.Layer):
    """x + gamma · W_v(softmax(f gᵀ) h), (batch, height, width, channels) from the same; Zhang et al. 2019, section 3.

    f, g and h are 1x1 convolutions to channels / `reduce`, channels / `reduce` and channels / `values`; g and h are
    then max-pooled by `pool`, as in the authors' code. gamma is a number that begins at 0. The softmax is float32.
    """

    def __init__(
        self,
        reduce: int = 8,
        values: int = 2,
        pool: int = 2,
        use_bias: bool = False,
        kernel_initializer: Any = "glorot_uniform",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.reduce, self.values, self.pool, self.use_bias = reduce, values, pool, use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, inputs_shape: Any) -> None:
        channels = inputs_shape[-1]
        narrow, wide = channels // self.reduce, channels // self.values
        shapes = {
            "query": (channels, narrow),
            "key": (channels, narrow),
            "value": (channels, wide),
            "output": (wide, channels),
        }
        add_projections(self, shapes)
        self.gamma = self.add_weight(name="gamma", shape=(), initializer="zeros")
        self.built = True

    def _places(self, value: Any, *, pooled: bool) -> Any:
        """(batch, places, channels) of an image."""
        if pooled and self.pool > 1:
            value = tf.nn.max_pool2d(value, self.pool, self.pool, "VALID")
        return tf.reshape(value, [-1, value.shape[1] * value.shape[2], value.shape[3]])

    def call(self, inputs: Any) -> Any:
        query = self._places(projected(self, inputs, "query"), pooled=False)
        key = self._places(projected(self, inputs, "key"), pooled=True)
        value = self._places(projected(self, inputs, "value"), pooled=True)
        scores = tf.matmul(query, key, transpose_b=True)
        weights = tf.cast(tf.nn.softmax(tf.cast(scores, tf.float32)), value.dtype)
        seen = projected(self, tf.matmul(weights, value), "output")
        return inputs + self.gamma * tf.reshape(seen, tf.shape(inputs))

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        own = {
            "reduce": self.reduce,
            "values": self.values,
            "pool": self.pool,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
        return {**super().get_config(), **own}
