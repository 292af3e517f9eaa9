"""Channels in, some neighbouring ones of them out."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="gendsl")
class Slice(keras.layers.Layer):
    """(batch, …, width) from (batch, …, channels): the channels from `start` on."""

    def __init__(self, width: int, start: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.width, self.start = width, start

    def call(self, inputs: Any) -> Any:
        return inputs[..., self.start : self.start + self.width]

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return (*inputs_shape[:-1], self.width)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "width": self.width, "start": self.start}
