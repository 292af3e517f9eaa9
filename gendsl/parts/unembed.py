"""A sequence of vectors and what an embedding gave in, a logit for each vector of its table out: tied weights."""

from typing import Any

import keras
from keras import KerasTensor, ops

from gendsl.parts.xla_cpu import linear


@keras.saving.register_keras_serializable(package="gendsl")
class Unembed(keras.layers.Layer):
    """(…, vocabulary) of (…, width): the inner products with the rows of the table of the embedding whose result is the
    second input; Press & Wolf 2017, equation 2. The embedding is found where the layer is first called on what it made.
    """

    def __call__(self, inputs: Any, embedded: Any, **options: Any) -> Any:
        if isinstance(embedded, KerasTensor) and not hasattr(self, "embedding"):
            # A layer of this one, too: then who asks for its weights, to go back through it, has the table. One that is
            # read from a file is built by now, and closed.
            self._tracker.unlock()
            self.embedding = embedded._keras_history.operation
            self._tracker.lock()
        return super().__call__(inputs, embedded, **options)

    def build(self, inputs_shape: Any, embedded_shape: Any = None) -> None:
        self.built = True

    def call(self, inputs: Any, embedded: Any) -> Any:
        table = ops.convert_to_tensor(self.embedding.embeddings, dtype=inputs.dtype)
        return linear(inputs, ops.transpose(table))

    def compute_output_shape(self, inputs_shape: Any, embedded_shape: Any = None) -> Any:
        return (*inputs_shape[:-1], self.embedding.input_dim)
