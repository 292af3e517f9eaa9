"""The GAN of specs/digits_gan.gen the Keras way: a `train_step` of its own, trained by `fit`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from handwritten.data import digits
from handwritten.keras.loop import AfterBatch
from handwritten.tensorflow.digits_gan import NOISE, networks


class DigitsGAN(keras.Model):
    """A generator and a discriminator that learn in turns."""

    def __init__(self, generator: keras.Model, discriminator: keras.Model) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
        self.generator_tracker = keras.metrics.Mean(name="generator_loss")
        self.discriminator_tracker = keras.metrics.Mean(name="discriminator_loss")

    def compile(self, generator_optimizer: Any, discriminator_optimizer: Any) -> None:
        super().compile()
        self.generator_optimizer, self.discriminator_optimizer = generator_optimizer, discriminator_optimizer

    @property
    def metrics(self) -> list[Any]:
        return [self.generator_tracker, self.discriminator_tracker]

    def train_step(self, images: tf.Tensor) -> dict[str, Any]:
        batch = tf.shape(images)[0]
        generated = self.generator(tf.random.normal([batch, NOISE]), training=True)
        with tf.GradientTape() as tape:
            real = self.discriminator(images, training=True)
            fake = self.discriminator(generated, training=True)
            loss = self.cross_entropy(tf.ones_like(real), real) + self.cross_entropy(tf.zeros_like(fake), fake)
        weights = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(loss, weights), weights)
        self.discriminator_tracker.update_state(loss)

        with tf.GradientTape() as tape:
            generated = self.generator(tf.random.normal([batch, NOISE]), training=True)
            fake = self.discriminator(generated, training=True)
            loss = self.cross_entropy(tf.ones_like(fake), fake)
        weights = self.generator.trainable_variables
        self.generator_optimizer.apply(tape.gradient(loss, weights), weights)
        self.generator_tracker.update_state(loss)
        return {metric.name: metric.result() for metric in self.metrics}


def train(folder: Path, after_step: Callable[[], None], batch: int = 64) -> None:
    """Trains for ever; calls `after_step` after each step."""
    images = digits(folder)
    dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).batch(batch, drop_remainder=True)
    model = DigitsGAN(**networks())
    model.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.Adam(1e-3, beta_1=0.5))
    model.fit(dataset, epochs=1_000_000, callbacks=[AfterBatch(after_step)], verbose=2)
