"""Sequences or images in, the same out, each place a weighted mean over the others (multi-head attention)."""

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from gendsl.parts.projections import add_projections, projected


def rotary(value: Any, sizes: tuple[Any, ...], base: float = 10_000.0) -> Any:
    """Turns (batch, places, heads, width) by place: each axis of `sizes` turns an equal part of the width.

    Su et al. 2021, equation 34: the pair (2i, 2i + 1) of a part of width d turns by place · base^(-2i/d). float32.
    """
    part = value.shape[-1] // len(sizes)
    frequencies = tf.constant([base ** (-2 * pair / part) for pair in range(part // 2)], tf.float32)
    angles = []
    for axis, size in enumerate(sizes):
        places = tf.cast(tf.range(size), tf.float32)
        turned = places[:, None] * frequencies
        turned = tf.reshape(turned, [size if other == axis else 1 for other in range(len(sizes))] + [part // 2])
        angles.append(tf.broadcast_to(turned, [*sizes, part // 2]))
    angle = tf.reshape(tf.concat(angles, -1), (1, -1, 1, value.shape[-1] // 2))
    cosine, sine = tf.cos(angle), tf.sin(angle)
    wide = tf.cast(value, tf.float32)
    even, odd = wide[..., 0::2], wide[..., 1::2]
    turned = tf.stack([even * cosine - odd * sine, even * sine + odd * cosine], -1)
    return tf.cast(tf.reshape(turned, tf.shape(value)), value.dtype)


@keras.saving.register_keras_serializable(package="gendsl")
class Attention(keras.layers.Layer):
    """(batch, length, channels) or (batch, height, width, channels) from the same; Vaswani et al. 2017, section 3.2.

    With `context` queries come from the inputs, keys and values from the context. `width` is a head's; None shares the
    channels among the heads. The pixels of an image are in reading order; `causal` lets a place see itself and those
    before it.
    """

    def __init__(
        self,
        heads: int = 1,
        width: int | None = None,
        causal: bool = False,
        position: str = "none",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.heads, self.width, self.causal, self.position = heads, width, causal, position
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, inputs_shape: Any, context_shape: Any = None) -> None:
        channels = inputs_shape[-1]
        source = channels if context_shape is None else context_shape[-1]
        inner = self.heads * (self.width or channels // self.heads)
        shapes = {
            "query": (channels, inner),
            "key": (source, inner),
            "value": (source, inner),
            "output": (inner, channels),
        }
        add_projections(self, shapes)
        self.built = True

    def _headed(self, value: Any, name: str) -> tuple[Any, tuple[Any, ...]]:
        """(batch, places, heads, width) of a linear map, and the sizes of the places."""
        dynamic = tf.shape(value)
        sizes = tuple(size or dynamic[axis + 1] for axis, size in enumerate(value.shape[1:-1]))
        flat = ops.reshape(value, (-1, math.prod(sizes), value.shape[-1]))
        linear = projected(self, flat, name)
        return ops.reshape(linear, (-1, math.prod(sizes), self.heads, linear.shape[-1] // self.heads)), sizes

    def call(self, inputs: Any, context: Any = None) -> Any:
        source = inputs if context is None else context
        query, sizes = self._headed(inputs, "query")
        key, _ = self._headed(source, "key")
        value, _ = self._headed(source, "value")
        if self.position == "rotary":
            query, key = rotary(query, sizes), rotary(key, sizes)
        mixed = ops.dot_product_attention(query, key, value, is_causal=self.causal)
        places = math.prod(sizes)
        mixed = ops.reshape(mixed, (-1, places, self.heads * mixed.shape[-1]))
        return ops.reshape(projected(self, mixed, "output"), (-1, *sizes, inputs.shape[-1]))

    def compute_output_shape(self, inputs_shape: Any, context_shape: Any = None) -> Any:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        own = {
            "heads": self.heads,
            "width": self.width,
            "causal": self.causal,
            "position": self.position,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
        return {**super().get_config(), **own}
