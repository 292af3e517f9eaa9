"""The residual WGAN-GP of specs/wgan_gp_resnet.gen the Keras way: a `train_step` of its own, trained by `fit`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from handwritten.data import pictures
from handwritten.keras.loop import AfterBatch
from handwritten.tensorflow.wgan_gp_resnet import CRITIC_STEPS, NOISE, STEPS, networks


class WGAN(keras.Model):
    """A generator and its critic, which learns five times a step."""

    def __init__(self, generator: keras.Model, critic: keras.Model) -> None:
        super().__init__()
        self.generator, self.critic = generator, critic
        self.generator_tracker = keras.metrics.Mean(name="generator_loss")
        self.critic_tracker = keras.metrics.Mean(name="critic_loss")

    def compile(self, generator_optimizer: Any, critic_optimizer: Any) -> None:
        super().compile()
        self.generator_optimizer, self.critic_optimizer = generator_optimizer, critic_optimizer

    @property
    def metrics(self) -> list[Any]:
        return [self.generator_tracker, self.critic_tracker]

    def gradient_penalty(self, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        between = real + tf.random.uniform([tf.shape(real)[0], 1, 1, 1]) * (fake - real)
        with tf.GradientTape() as tape:
            tape.watch(between)
            scores = self.critic(between, training=True)
        slope = tape.gradient(scores, between)
        norm = tf.sqrt(tf.reduce_sum(tf.square(slope), axis=[1, 2, 3]) + 1e-12)
        return tf.reduce_mean(tf.square(norm - 1.0))

    def train_step(self, batches: tf.Tensor) -> dict[str, Any]:
        noise = [tf.shape(batches)[1], NOISE]
        weights = self.critic.trainable_variables
        for number in range(CRITIC_STEPS):
            real, fake = batches[number], self.generator(tf.random.normal(noise), training=True)
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(self.critic(fake, training=True))
                loss -= tf.reduce_mean(self.critic(real, training=True))
                loss += 10.0 * self.gradient_penalty(real, fake)
            self.critic_optimizer.apply(tape.gradient(loss, weights), weights)
            self.critic_tracker.update_state(loss)

        weights = self.generator.trainable_variables
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal(noise), training=True)
            loss = -tf.reduce_mean(self.critic(fake, training=True))
        self.generator_optimizer.apply(tape.gradient(loss, weights), weights)
        self.generator_tracker.update_state(loss)
        return {metric.name: metric.result() for metric in self.metrics}


def train(folder: Path, after_step: Callable[[], None], batch: int = 64) -> None:
    """Trains for ever; calls `after_step` after each step."""
    images = pictures(folder)
    dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).batch(batch, drop_remainder=True)
    dataset = dataset.map(tf.image.random_flip_left_right).batch(CRITIC_STEPS, drop_remainder=True)
    decay = keras.optimizers.schedules.PolynomialDecay
    model = WGAN(**networks())
    model.compile(
        keras.optimizers.Adam(decay(2e-4, STEPS, 0.0), beta_1=0.0, beta_2=0.9),
        keras.optimizers.Adam(decay(2e-4, CRITIC_STEPS * STEPS, 0.0), beta_1=0.0, beta_2=0.9),
    )
    model.fit(dataset, epochs=1_000_000, callbacks=[AfterBatch(after_step)], verbose=2)
