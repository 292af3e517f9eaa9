"""Features and labels in, the inner product of the features with the label's embedding out."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gendsl")
class Project(keras.layers.Layer):
    """(batch, 1) from features (batch, n) and integer labels (batch,); Miyato and Koyama 2018, equation 3."""

    def __init__(self, classes: int, embeddings_initializer: Any = "glorot_uniform", **options: Any) -> None:
        super().__init__(**options)
        self.classes = classes
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)

    def build(self, features_shape: Any, label_shape: Any) -> None:
        self.embeddings = self.add_weight(
            name="embeddings", shape=(self.classes, features_shape[-1]), initializer=self.embeddings_initializer
        )
        self.built = True

    def call(self, features: Any, label: Any) -> Any:
        products = features * ops.take(self.embeddings, label, axis=0)
        return ops.cast(ops.sum(ops.cast(products, "float32"), axis=-1, keepdims=True), self.compute_dtype)

    def compute_output_shape(self, features_shape: Any, label_shape: Any) -> Any:
        return (features_shape[0], 1)

    def get_config(self) -> dict[str, Any]:
        own = {
            "classes": self.classes,
            "embeddings_initializer": keras.initializers.serialize(self.embeddings_initializer),
        }
        return {**super().get_config(), **own}
