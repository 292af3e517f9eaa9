"""The GAN of specs/grid_gan.gen by hand: points on a 5x5 grid, R1, cosine learning rates, an averaged generator."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

WIDTH, STEPS, DECAY = 128, 60_000, 0.999
CENTRES = 2.0 * np.stack(np.meshgrid(*[np.arange(5.0) - 2.0] * 2), axis=-1).reshape(25, 2).astype(np.float32)


def generator() -> tf.keras.Model:
    """Points (batch, 2) from noise (batch, 2)."""
    model = tf.keras.Sequential([layers.Input((2,))], name="generator")
    for _ in range(3):
        model.add(layers.Dense(WIDTH, activation="relu"))
    model.add(layers.Dense(2))
    return model


def discriminator() -> tf.keras.Model:
    """Logits (batch, 1) of points."""
    model = tf.keras.Sequential([layers.Input((2,))], name="discriminator")
    for _ in range(3):
        model.add(layers.Dense(WIDTH))
        model.add(layers.LeakyReLU(0.2))
    model.add(layers.Dense(1))
    return model


def networks() -> dict[str, tf.keras.Model]:
    """The models by the names that the spec has for them."""
    return {"generator": generator(), "discriminator": discriminator()}


def train(folder: Path, after_step: Callable[[], None], batch: int = 512) -> None:
    """Trains for ever; calls `after_step` after each step."""
    models = networks()
    generator, discriminator = models["generator"], models["discriminator"]
    averaged = [tf.Variable(weight, trainable=False) for weight in generator.trainable_variables]
    pace = tf.keras.optimizers.schedules.CosineDecay(1e-3, STEPS, alpha=1e-2)
    generator_optimizer = tf.keras.optimizers.Adam(pace, beta_1=0.0, beta_2=0.999)
    discriminator_optimizer = tf.keras.optimizers.Adam(pace, beta_1=0.0, beta_2=0.999)
    centres = tf.constant(CENTRES)

    def points() -> tf.Tensor:
        which = tf.random.uniform([batch], maxval=len(CENTRES), dtype=tf.int32)
        return tf.gather(centres, which) + 0.05 * tf.random.normal([batch, 2])

    @tf.function
    def train_step() -> None:
        real, fake = points(), generator(tf.random.normal([batch, 2]), training=True)
        with tf.GradientTape() as tape:
            with tf.GradientTape() as penalty_tape:
                penalty_tape.watch(real)
                real_output = discriminator(real, training=True)
            slope = penalty_tape.gradient(real_output, real)
            penalty = tf.reduce_mean(tf.reduce_sum(tf.square(slope), axis=1))
            fake_output = discriminator(fake, training=True)
            loss = tf.reduce_mean(tf.nn.softplus(-real_output)) + tf.reduce_mean(tf.nn.softplus(fake_output))
            loss += 0.05 * penalty
        gradients = tape.gradient(loss, discriminator.trainable_variables)
        discriminator_optimizer.apply_gradients(zip(gradients, discriminator.trainable_variables, strict=True))

        with tf.GradientTape() as tape:
            fake_output = discriminator(generator(tf.random.normal([batch, 2]), training=True), training=True)
            loss = tf.reduce_mean(tf.nn.softplus(-fake_output))
        gradients = tape.gradient(loss, generator.trainable_variables)
        generator_optimizer.apply_gradients(zip(gradients, generator.trainable_variables, strict=True))

        done = tf.cast(generator_optimizer.iterations, tf.float32)
        decay = tf.minimum(DECAY, done / (9.0 + done))
        for average, weight in zip(averaged, generator.trainable_variables, strict=True):
            average.assign_sub((1.0 - decay) * (average - weight))

    while True:
        train_step()
        after_step()
