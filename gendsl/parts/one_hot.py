"""Whole numbers in, vectors of zeros with a one at the number's place out."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="gendsl")
class OneHot(keras.layers.Layer):
    """(batch, …, classes) from integers (batch, …)."""

    def __init__(self, classes: int, **options: Any) -> None:
        super().__init__(**options)
        self.classes = classes

    def call(self, inputs: Any) -> Any:
        return keras.ops.one_hot(keras.ops.cast(inputs, "int32"), self.classes, dtype=self.compute_dtype)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return (*inputs_shape, self.classes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "classes": self.classes}
