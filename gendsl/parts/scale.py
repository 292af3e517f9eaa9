"""Numbers in, the same times one constant out."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="gendsl")
class Scale(keras.layers.Layer):
    """factor · x, of the inputs' shape."""

    def __init__(self, factor: float, **options: Any) -> None:
        super().__init__(**options)
        self.factor = factor

    def call(self, inputs: Any) -> Any:
        return inputs * keras.ops.cast(self.factor, inputs.dtype)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}
