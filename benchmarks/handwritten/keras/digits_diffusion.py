"""The diffusion of specs/digits_diffusion.gen the Keras way: a `train_step` of its own, trained by `fit`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from handwritten.data import digits
from handwritten.keras.loop import AfterBatch
from handwritten.tensorflow.digits_diffusion import DECAY, STEPS, kept, networks


class Diffusion(keras.Model):
    """A denoiser that learns the noise; its optimizer keeps the average of its weights."""

    def __init__(self, denoiser: keras.Model) -> None:
        super().__init__()
        self.denoiser = denoiser
        self.levels = tf.constant(kept())
        self.tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self) -> list[Any]:
        return [self.tracker]

    def train_step(self, images: tf.Tensor) -> dict[str, Any]:
        times = tf.random.uniform([tf.shape(images)[0]], 0, STEPS, tf.int32)
        left = tf.gather(self.levels, times)[:, None, None, None]
        noise = tf.random.normal(tf.shape(images))
        noisy = tf.sqrt(left) * images + tf.sqrt(1 - left) * noise
        with tf.GradientTape() as tape:
            found = self.denoiser([noisy, tf.cast(times, tf.float32)], training=True)
            loss = tf.reduce_mean(tf.square(found - noise))
        weights = self.denoiser.trainable_variables
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        self.tracker.update_state(loss)
        return {metric.name: metric.result() for metric in self.metrics}


def train(folder: Path, after_step: Callable[[], None], batch: int = 128) -> None:
    """Trains for ever; calls `after_step` after each step."""
    images = digits(folder)
    dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).batch(batch, drop_remainder=True)
    model = Diffusion(**networks())
    model.compile(keras.optimizers.Adam(2e-4, use_ema=True, ema_momentum=DECAY))
    model.fit(dataset, epochs=1_000_000, callbacks=[AfterBatch(after_step)], verbose=2)
