"""The tutorial's DCGAN the Keras way: a `keras.Model` with a `train_step` of its own, trained by `fit`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from handwritten.data import fashion_mnist
from handwritten.keras.loop import AfterBatch
from handwritten.tensorflow.dcgan import NOISE, networks


class DCGAN(keras.Model):
    """A generator and a discriminator that learn from one forward pass."""

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
        noise = tf.random.normal([tf.shape(images)[0], NOISE])
        with tf.GradientTape() as generator_tape, tf.GradientTape() as discriminator_tape:
            generated = self.generator(noise, training=True)
            real = self.discriminator(images, training=True)
            fake = self.discriminator(generated, training=True)
            generator_loss = self.cross_entropy(tf.ones_like(fake), fake)
            discriminator_loss = self.cross_entropy(tf.ones_like(real), real)
            discriminator_loss += self.cross_entropy(tf.zeros_like(fake), fake)
        weights = self.generator.trainable_variables
        self.generator_optimizer.apply(generator_tape.gradient(generator_loss, weights), weights)
        weights = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(discriminator_tape.gradient(discriminator_loss, weights), weights)
        self.generator_tracker.update_state(generator_loss)
        self.discriminator_tracker.update_state(discriminator_loss)
        return {metric.name: metric.result() for metric in self.metrics}


def train(folder: Path, after_step: Callable[[], None], batch: int = 128) -> None:
    """Trains for ever; calls `after_step` after each step."""
    images = fashion_mnist(folder)
    dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).batch(batch, drop_remainder=True)
    model = DCGAN(**networks())
    model.compile(keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-4))
    model.fit(dataset, epochs=1_000_000, callbacks=[AfterBatch(after_step)], verbose=2)
