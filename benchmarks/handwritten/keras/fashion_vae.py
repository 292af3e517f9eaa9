"""The VAE of specs/fashion_vae.gen the Keras way: a `train_step` of its own, trained by `fit`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from handwritten.data import fashion_mnist
from handwritten.keras.loop import AfterBatch
from handwritten.tensorflow.fashion_vae import WARM_UP, loss_of, networks


class FashionVAE(keras.Model):
    """An encoder and a decoder that learn together."""

    def __init__(self, encoder: keras.Model, decoder: keras.Model) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.loss_tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self) -> list[Any]:
        return [self.loss_tracker]

    def train_step(self, images: tf.Tensor) -> dict[str, Any]:
        beta = tf.minimum(tf.cast(self.optimizer.iterations, tf.float32) / WARM_UP, 1.0)
        with tf.GradientTape() as tape:
            loss = loss_of(self.encoder, self.decoder, images, beta)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}


def train(folder: Path, after_step: Callable[[], None], batch: int = 128) -> None:
    """Trains for ever; calls `after_step` after each step."""
    images = 0.5 * fashion_mnist(folder) + 0.5
    dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).batch(batch, drop_remainder=True)
    model = FashionVAE(**networks())
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    model.fit(dataset, epochs=1_000_000, callbacks=[AfterBatch(after_step)], verbose=2)
