"""Sequences, images or volumes in, the sum of each channel over all places out."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gendsl")
class GlobalSumPool(keras.layers.Layer):
    """(batch, channels) from (batch, …, channels), summed in float32; Miyato and Koyama 2018, figure 14."""

    def call(self, inputs: Any) -> Any:
        total = ops.sum(ops.cast(inputs, "float32"), axis=list(range(1, len(inputs.shape) - 1)))
        return ops.cast(total, self.compute_dtype)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return (inputs_shape[0], inputs_shape[-1])
