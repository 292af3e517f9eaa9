"""Channels in, one half of them times a gate of the other out."""

from typing import Any

import keras
from keras import ops

from gendsl.parts.activation import function_of


@keras.saving.register_keras_serializable(package="gendsl")
class Gated(keras.layers.Layer):
    """(…, n) from (…, 2n): a · gate(b) of the halves a and b; Shazeer 2020, equation 5.

    `gate` names a Keras activation; by the sigmoid it is Dauphin et al. 2017, equation 1.
    """

    def __init__(self, gate: str = "sigmoid", **options: Any) -> None:
        super().__init__(**options)
        self.gate = gate

    def call(self, inputs: Any) -> Any:
        value, other = ops.split(inputs, 2, axis=-1)
        return value * function_of(self.gate)(other)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return (*inputs_shape[:-1], inputs_shape[-1] // 2)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gate": self.gate}
