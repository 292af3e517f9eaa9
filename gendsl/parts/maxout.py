"""Channels in, the largest of each run of channels out."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gendsl")
class Maxout(keras.layers.Layer):
    """(batch, …, channels / pieces) from (batch, …, channels); Goodfellow et al. 2013, section 3."""

    def __init__(self, pieces: int, **options: Any) -> None:
        super().__init__(**options)
        self.pieces = pieces

    def call(self, inputs: Any) -> Any:
        shape = inputs.shape[1:]
        parted = ops.reshape(inputs, (-1, *shape[:-1], shape[-1] // self.pieces, self.pieces))
        return ops.max(parted, axis=-1)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return (*inputs_shape[:-1], inputs_shape[-1] // self.pieces)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pieces": self.pieces}
