"""Numbers in, a Keras activation of them out, for those with parameters or a shape of their own."""

from collections.abc import Mapping
from typing import Any

import keras

from gendsl.parts.xla_cpu import gelu


def function_of(name: str) -> Any:
    """`keras.activations.<name>`."""
    return gelu if name == "gelu" else keras.activations.get(name)


@keras.saving.register_keras_serializable(package="gendsl")
class Function(keras.layers.Layer):
    """`keras.activations.<function>(x, **arguments)`."""

    def __init__(self, function: str, arguments: Mapping[str, Any], **options: Any) -> None:
        super().__init__(**options)
        self.function, self.arguments = function, dict(arguments)

    def call(self, inputs: Any) -> Any:
        return function_of(self.function)(inputs, **self.arguments)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "function": self.function, "arguments": self.arguments}
