"""Sequences, images or volumes in, the same with a wider border out."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="gendsl")
class Pad(keras.layers.Layer):
    """Adds `amount` places on both sides of each axis before the channels, by the mode of `tf.pad`."""

    def __init__(self, amount: Sequence[int], mode: str = "constant", **options: Any) -> None:
        super().__init__(**options)
        self.amount, self.mode = tuple(amount), mode

    def call(self, inputs: Any) -> Any:
        paddings = [[0, 0], *([amount, amount] for amount in self.amount), [0, 0]]
        return tf.pad(inputs, paddings, mode=self.mode.upper())

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        space = (size + 2 * amount for size, amount in zip(inputs_shape[1:-1], self.amount, strict=True))
        return (inputs_shape[0], *space, inputs_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amount": list(self.amount), "mode": self.mode}
