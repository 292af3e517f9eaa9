"""Images of many channels in, larger images of fewer out."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="gendsl")
class PixelShuffle(keras.layers.Layer):
    """(batch, h·r, w·r, c) from (batch, h, w, c·r²): pixel (i, j) of each square takes channels (i·r + j)·c and on.

    Shi et al. 2016, equation 4, with the channels in TensorFlow's order.
    """

    def __init__(self, factor: int = 2, **options: Any) -> None:
        super().__init__(**options)
        self.factor = factor

    def call(self, inputs: Any) -> Any:
        # `depth_to_space` takes no block of one.
        return inputs if self.factor == 1 else tf.nn.depth_to_space(inputs, self.factor)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        batch, height, width, channels = inputs_shape
        return (batch, height * self.factor, width * self.factor, channels // self.factor**2)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}
