"""Two values of one shape in, their mixture out: the layer of networks that grow (Karras et al. 2018)."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="gendsl")
class Fade(keras.layers.Layer):
    """(1 - share) * other + share * x, float or half.

    `share` is a variable that no optimizer trains: whoever trains sets it to what its schedule says in a step. Where
    `known` says that it is 0 or 1 throughout, only the one value is given, and a graph leaves out what makes the other.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.known: float | None = None

    def build(self, x_shape: Any, other_shape: Any) -> None:
        """Makes the share, which is 1 before anybody sets it."""
        self.share = self.add_weight(name="share", shape=(), initializer="ones", trainable=False, dtype="float32")
        self.built = True

    def call(self, x: Any, other: Any) -> Any:
        """The mixture, of the shape of both."""
        if self.known == 0.0:
            return other
        if self.known == 1.0:
            return x
        share = tf.cast(self.share, x.dtype)
        return other + share * (x - other)

    def compute_output_shape(self, x_shape: Any, other_shape: Any) -> Any:
        """That of both."""
        return x_shape
