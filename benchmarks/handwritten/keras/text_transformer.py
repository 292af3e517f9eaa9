"""The transformer of specs/text_transformer.gen the Keras way: a `train_step` of its own, trained by `fit`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from handwritten.keras.loop import AfterBatch
from handwritten.tensorflow.text_transformer import batches_of, loss_of, networks, optimizer_of


class LanguageModel(keras.Model):
    """A network that learns to say the next byte."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self.model = model
        self.loss_tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self) -> list[Any]:
        return [self.loss_tracker]

    def train_step(self, windows: tf.Tensor) -> dict[str, Any]:
        with tf.GradientTape() as tape:
            loss = loss_of(self.model, windows)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}


def train(folder: Path, after_step: Callable[[], None], batch: int = 12) -> None:
    """Trains for ever; calls `after_step` after each step."""
    model = networks()["model"]
    language_model = LanguageModel(model)
    language_model.compile(optimizer=optimizer_of(model))
    callbacks = [AfterBatch(after_step)]
    language_model.fit(batches_of(folder, batch).prefetch(2), epochs=1_000_000, callbacks=callbacks, verbose=2)
