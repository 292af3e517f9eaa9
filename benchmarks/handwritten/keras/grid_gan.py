"""The GAN of specs/grid_gan.gen the Keras way: a `train_step` of its own and `fit`, on points drawn by tf.data."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from handwritten.keras.loop import AfterBatch
from handwritten.tensorflow.grid_gan import CENTRES, DECAY, STEPS, networks


class GridGAN(keras.Model):
    """A generator, its average, and a discriminator with R1."""

    def __init__(self, generator: keras.Model, discriminator: keras.Model) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.averaged = [tf.Variable(weight, trainable=False) for weight in generator.trainable_variables]
        self.generator_tracker = keras.metrics.Mean(name="generator_loss")
        self.discriminator_tracker = keras.metrics.Mean(name="discriminator_loss")

    def compile(self, generator_optimizer: Any, discriminator_optimizer: Any) -> None:
        super().compile()
        self.generator_optimizer, self.discriminator_optimizer = generator_optimizer, discriminator_optimizer

    @property
    def metrics(self) -> list[Any]:
        return [self.generator_tracker, self.discriminator_tracker]

    def train_step(self, real: tf.Tensor) -> dict[str, Any]:
        noise = [tf.shape(real)[0], 2]
        fake = self.generator(tf.random.normal(noise), training=True)
        with tf.GradientTape() as tape:
            with tf.GradientTape() as penalty_tape:
                penalty_tape.watch(real)
                real_output = self.discriminator(real, training=True)
            slope = penalty_tape.gradient(real_output, real)
            penalty = tf.reduce_mean(tf.reduce_sum(tf.square(slope), axis=1))
            fake_output = self.discriminator(fake, training=True)
            loss = tf.reduce_mean(tf.nn.softplus(-real_output)) + tf.reduce_mean(tf.nn.softplus(fake_output))
            loss += 0.05 * penalty
        weights = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(loss, weights), weights)
        self.discriminator_tracker.update_state(loss)

        with tf.GradientTape() as tape:
            fake_output = self.discriminator(self.generator(tf.random.normal(noise), training=True), training=True)
            loss = tf.reduce_mean(tf.nn.softplus(-fake_output))
        weights = self.generator.trainable_variables
        self.generator_optimizer.apply(tape.gradient(loss, weights), weights)
        self.generator_tracker.update_state(loss)

        done = tf.cast(self.generator_optimizer.iterations, tf.float32)
        decay = tf.minimum(DECAY, done / (9.0 + done))
        for average, weight in zip(self.averaged, weights, strict=True):
            average.assign_sub((1.0 - decay) * (average - weight))
        return {metric.name: metric.result() for metric in self.metrics}


def train(folder: Path, after_step: Callable[[], None], batch: int = 512) -> None:
    """Trains for ever; calls `after_step` after each step."""

    def points(_: tf.Tensor) -> tf.Tensor:
        which = tf.random.uniform([batch], maxval=len(CENTRES), dtype=tf.int32)
        return tf.gather(CENTRES, which) + 0.05 * tf.random.normal([batch, 2])

    dataset = tf.data.Dataset.counter().map(points)
    pace = keras.optimizers.schedules.CosineDecay(1e-3, STEPS, alpha=1e-2)
    model = GridGAN(**networks())
    model.compile(keras.optimizers.Adam(pace, beta_1=0.0), keras.optimizers.Adam(pace, beta_1=0.0))
    model.fit(dataset, epochs=1_000_000, steps_per_epoch=1_000, callbacks=[AfterBatch(after_step)], verbose=2)
