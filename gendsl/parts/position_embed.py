"""Sequences or images in, the same plus a learned vector for each place out."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="gendsl")
class PositionEmbed(keras.layers.Layer):
    """(batch, length, channels) or (batch, height, width, channels) from the same.

    A shorter input takes the first places. Vaswani et al. 2017, section 3.5, learned;
    normal(0, 0.02) at first, as in Radford et al. 2018.
    """

    def __init__(self, initializer: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.initializer = keras.initializers.get(initializer or keras.initializers.RandomNormal(stddev=0.02))

    def build(self, inputs_shape: Any) -> None:
        self.embeddings = self.add_weight(
            name="embeddings", shape=tuple(inputs_shape[1:]), initializer=self.initializer
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        table = keras.ops.convert_to_tensor(self.embeddings)
        if inputs.shape[1] != table.shape[0]:
            table = table[: keras.ops.shape(inputs)[1]]
        return inputs + table

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "initializer": keras.initializers.serialize(self.initializer)}
