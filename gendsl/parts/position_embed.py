"""Sequences or images in, the same plus a vector for each place out: a learned one, or sines and cosines."""

from typing import Any

import keras
import tensorflow as tf


def sinusoids(places: Any, width: int, base: float = 10_000.0) -> Any:
    """(places, width) float32 for places (n,): Vaswani et al. 2017, section 3.5, a sine then a cosine of each."""
    pairs = -(-width // 2)
    frequencies = tf.constant([base ** (-2 * pair / width) for pair in range(pairs)], tf.float32)
    angles = tf.cast(places, tf.float32)[:, None] * frequencies
    both = tf.stack([tf.sin(angles), tf.cos(angles)], -1)
    return tf.reshape(both, (-1, 2 * pairs))[:, :width]


@keras.saving.register_keras_serializable(package="gendsl")
class PositionEmbed(keras.layers.Layer):
    """(batch, length, channels) or (batch, height, width, channels) from the same.

    A shorter input takes the first places. Vaswani et al. 2017, section 3.5, learned: normal(0, 0.02) at first, as in
    Radford et al. 2018; or `sinusoidal`, of sequences alone.
    """

    def __init__(self, kind: str = "learned", initializer: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.kind = kind
        self.initializer = keras.initializers.get(initializer or keras.initializers.RandomNormal(stddev=0.02))

    def build(self, inputs_shape: Any) -> None:
        if self.kind == "learned":
            self.embeddings = self.add_weight(
                name="embeddings", shape=tuple(inputs_shape[1:]), initializer=self.initializer
            )
        self.built = True

    def placed(self, inputs: Any, first: Any = 0) -> Any:
        """A sequence (batch, length, channels) whose places count from `first`, with its vectors."""
        length = inputs.shape[1] or tf.shape(inputs)[1]
        if self.kind == "sinusoidal":
            return inputs + tf.cast(sinusoids(first + tf.range(length), inputs.shape[-1]), inputs.dtype)
        table = keras.ops.convert_to_tensor(self.embeddings)
        whole = isinstance(first, int) and first == 0 and length == table.shape[0]
        return inputs + (table if whole else table[first : first + length])

    def call(self, inputs: Any) -> Any:
        return self.placed(inputs)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        own = {"kind": self.kind, "initializer": keras.initializers.serialize(self.initializer)}
        return {**super().get_config(), **own}
