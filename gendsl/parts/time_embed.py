"""Times in, sines and cosines of them at geometrically spaced frequencies out."""

import math
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gendsl")
class TimeEmbed(keras.layers.Layer):
    """(batch, width) from times (batch,): sines, then cosines; Ho et al. 2020, appendix B.

    The i-th of n frequencies is period^(-i/(n-1)). All in float32: a bfloat16 time of 1,000 steps would be off by two.
    """

    def __init__(self, width: int, period: float = 10_000, **options: Any) -> None:
        super().__init__(autocast=False, **options)
        self.width, self.period = width, period

    def call(self, inputs: Any) -> Any:
        half = self.width // 2
        steps = ops.arange(half, dtype="float32") / (half - 1)
        angles = ops.cast(inputs, "float32")[:, None] * ops.exp(-math.log(self.period) * steps)
        return ops.cast(ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1), self.compute_dtype)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return (inputs_shape[0], self.width)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "width": self.width, "period": self.period}
