"""Sequences or images in, the same out, each place a weighted mean over the others (multi-head attention)."""

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from gendsl.parts.dropout import dropped
from gendsl.parts.keys import key_of
from gendsl.parts.projections import add_projections, projected, projected_at_once
from gendsl.parts.xla_cpu import softmax

_UNSEEN = -1e30  # what is added to the scores of places that are not seen: their weight is exactly 0


def rotary(value: Any, sizes: tuple[Any, ...], base: float = 10_000.0, first: Any = 0) -> Any:
    """Turns (batch, places, heads, width) by place: each axis of `sizes` turns an equal part of the width.

    Su et al. 2021, equation 34: the pair (2i, 2i + 1) of a part of width d turns by place · base^(-2i/d). float32.
    The places of a sequence count from `first`.
    """
    part = value.shape[-1] // len(sizes)
    frequencies = tf.constant([base ** (-2 * pair / part) for pair in range(part // 2)], tf.float32)
    angles = []
    for axis, size in enumerate(sizes):
        places = tf.cast(first + tf.range(size), tf.float32)
        turned = places[:, None] * frequencies
        turned = tf.reshape(turned, [size if other == axis else 1 for other in range(len(sizes))] + [part // 2])
        angles.append(tf.broadcast_to(turned, [*sizes, part // 2]))
    angle = tf.reshape(tf.concat(angles, -1), (1, -1, 1, value.shape[-1] // 2))
    cosine, sine = tf.cos(angle), tf.sin(angle)
    wide = tf.cast(value, tf.float32)
    even, odd = wide[..., 0::2], wide[..., 1::2]
    turned = tf.stack([even * cosine - odd * sine, even * sine + odd * cosine], -1)
    return tf.cast(tf.reshape(turned, tf.shape(value)), value.dtype)


def unseen(queries: Any, keys: Any, first: Any, *, causal: bool, window: int | None) -> Any:
    """What is added to the scores (queries, keys), float32: 0 where a place sees another, else a number that leaves it
    no weight. The places of the queries count from `first`, those of the keys from 0."""
    back = (first + tf.range(queries))[:, None] - tf.range(keys)[None, :]  # how far behind the query a key lies
    seen = back >= 0 if causal else tf.ones_like(back, tf.bool)
    if window is not None:
        seen &= tf.abs(back) < window
    return tf.where(seen, 0.0, _UNSEEN)


def _places(value: Any) -> tuple[Any, tuple[Any, ...]]:
    """A sequence, or an image as the sequence of its pixels, (batch, places, channels); and the sizes of its axes."""
    dynamic = tf.shape(value)
    sizes = tuple(size or dynamic[axis + 1] for axis, size in enumerate(value.shape[1:-1]))
    return value if len(sizes) == 1 else ops.reshape(value, (-1, math.prod(sizes), value.shape[-1])), sizes


@keras.saving.register_keras_serializable(package="gendsl")
class Attention(keras.layers.Layer):
    """(batch, length, channels) or (batch, height, width, channels) from the same; Vaswani et al. 2017, section 3.2.

    With `context` queries come from the inputs, keys and values from the context. `width` is a head's; None shares the
    channels among the heads. The pixels of an image are in reading order; `causal` lets a place see itself and those
    before it, `window` only places less than so many away (Beltagy et al. 2020, section 3.1). With `groups` the heads
    share so many heads of keys and values (Ainslie et al. 2023). `dropout` is of the weights, in training.

    A call is `attend(inputs, *keys_and_values(source))`; a decoder that goes place by place keeps what
    `keys_and_values` gave of earlier places, and says with `first` which place its inputs begin at.
    """

    def __init__(
        self,
        heads: int = 1,
        width: int | None = None,
        groups: int | None = None,
        causal: bool = False,
        window: int | None = None,
        position: str = "none",
        dropout: float = 0.0,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.heads, self.width, self.causal, self.position = heads, width, causal, position
        self.groups, self.window, self.dropout = groups or heads, window, dropout
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, inputs_shape: Any, context_shape: Any = None) -> None:
        channels = inputs_shape[-1]
        source = channels if context_shape is None else context_shape[-1]
        width = self.width or channels // self.heads
        shapes = {
            "query": (channels, self.heads * width),
            "key": (source, self.groups * width),
            "value": (source, self.groups * width),
            "output": (self.heads * width, channels),
        }
        add_projections(self, shapes)
        self.built = True

    def _headed(self, linear: Any, sizes: tuple[Any, ...], heads: int, first: Any, *, turned: bool) -> Any:
        """(batch, places, heads, width) of what a linear map gives, turned by place where positions are rotary."""
        headed = ops.reshape(linear, (-1, math.prod(sizes), heads, linear.shape[-1] // heads))
        return rotary(headed, sizes, first=first) if turned and self.position == "rotary" else headed

    def keys_and_values(self, source: Any, first: Any = 0) -> tuple[Any, Any]:
        """The keys, turned by place, and the values of a source, each (batch, places, groups, width); its places count
        from `first`."""
        flat, sizes = _places(source)
        return (
            self._headed(projected(self, flat, "key"), sizes, self.groups, first, turned=True),
            self._headed(projected(self, flat, "value"), sizes, self.groups, first, turned=False),
        )

    def attend(self, inputs: Any, key: Any, value: Any, first: Any = 0, *, training: bool = False) -> Any:
        """The layer's result, shaped as the inputs, from keys and values (batch, places, groups, width) whose places
        count from 0; those of the inputs count from `first`, a number or an int32 scalar.

        With `causal` what lies behind an input's place weighs nothing: a cache may have room that is not filled."""
        flat, sizes = _places(inputs)
        query = self._headed(projected(self, flat, "query"), sizes, self.heads, first, turned=True)
        return tf.reshape(self._mixed(query, key, value, first, training=training), tf.shape(inputs))

    def _mixed(self, query: Any, key: Any, value: Any, first: Any = 0, *, training: bool) -> Any:
        """(batch, places, channels) from queries (batch, places, heads, width), and keys and values as in `attend`."""
        queries, keys, width = query.shape[1] or tf.shape(query)[1], key.shape[1] or tf.shape(key)[1], query.shape[-1]
        shared = self.heads // self.groups  # the heads of a group are as many more queries of its keys
        query = tf.transpose(query * tf.cast(width**-0.5, query.dtype), (0, 2, 1, 3))
        query = tf.reshape(query, (-1, self.groups, shared * queries, width))
        scores = tf.matmul(query, tf.transpose(key, (0, 2, 3, 1)))
        scores = tf.cast(tf.reshape(scores, (-1, self.heads, queries, keys)), tf.float32)
        if self.causal or self.window is not None:
            scores += unseen(queries, keys, first, causal=self.causal, window=self.window)
        weights = tf.cast(softmax(scores), query.dtype)
        if training and self.dropout:
            weights = dropped(weights, self.dropout, key_of(self.name))
        weights = tf.reshape(weights, (-1, self.groups, shared * queries, keys))
        mixed = tf.reshape(
            tf.matmul(weights, tf.transpose(value, (0, 2, 1, 3))), (-1, self.heads, queries, value.shape[-1])
        )
        mixed = tf.reshape(tf.transpose(mixed, (0, 2, 1, 3)), (-1, queries, self.heads * value.shape[-1]))
        return projected(self, mixed, "output")

    def call(self, inputs: Any, context: Any = None, training: bool | None = None) -> Any:
        if context is None:
            flat, sizes = _places(inputs)
            linear = projected_at_once(self, flat, ("query", "key", "value"))
            query, key, value = (
                self._headed(one, sizes, heads, 0, turned=turned)
                for one, heads, turned in zip(
                    linear, (self.heads, self.groups, self.groups), (True, True, False), strict=True
                )
            )
            found = tf.reshape(self._mixed(query, key, value, training=bool(training)), tf.shape(inputs))
        else:
            found = self.attend(inputs, *self.keys_and_values(context), training=bool(training))
        return tf.ensure_shape(found, inputs.shape)

    def compute_output_shape(self, inputs_shape: Any, context_shape: Any = None) -> Any:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        own = {
            "heads": self.heads,
            "width": self.width,
            "groups": self.groups,
            "causal": self.causal,
            "window": self.window,
            "position": self.position,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
        return {**super().get_config(), **own}
