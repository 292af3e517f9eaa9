"""The GAN of specs/digits_gan.gen by hand: the tutorial's loop, the discriminator's update before the generator's."""

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from handwritten.data import digits
from tensorflow.keras import layers

NOISE, WIDTH = 64, 32


def generator() -> tf.keras.Model:
    """Digits (batch, 8, 8, 1) from noise (batch, 64)."""
    return tf.keras.Sequential(
        [
            layers.Input((NOISE,)),
            layers.Dense(2 * 2 * 4 * WIDTH),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Reshape((2, 2, 4 * WIDTH)),
            layers.Conv2DTranspose(2 * WIDTH, 4, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2DTranspose(WIDTH, 4, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(1, 3, padding="same", activation="tanh"),
        ],
        name="generator",
    )


def discriminator() -> tf.keras.Model:
    """Logits (batch, 1) of digits."""
    return tf.keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(WIDTH, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Conv2D(2 * WIDTH, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Flatten(),
            layers.Dense(1),
        ],
        name="discriminator",
    )


def networks() -> dict[str, tf.keras.Model]:
    """The models by the names that the spec has for them."""
    return {"generator": generator(), "discriminator": discriminator()}


def train(folder: Path, after_step: Callable[[], None], batch: int = 64) -> None:
    """Trains for ever; calls `after_step` after each step."""
    models = networks()
    generator, discriminator = models["generator"], models["discriminator"]
    cross_entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    generator_optimizer = tf.keras.optimizers.Adam(1e-3, beta_1=0.5)
    discriminator_optimizer = tf.keras.optimizers.Adam(1e-3, beta_1=0.5)

    images = digits(folder)
    dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).batch(batch, drop_remainder=True)

    @tf.function
    def train_step(images: tf.Tensor) -> None:
        generated = generator(tf.random.normal([batch, NOISE]), training=True)
        with tf.GradientTape() as tape:
            real_output = discriminator(images, training=True)
            fake_output = discriminator(generated, training=True)
            real_loss = cross_entropy(tf.ones_like(real_output), real_output)
            discriminator_loss = real_loss + cross_entropy(tf.zeros_like(fake_output), fake_output)
        gradients = tape.gradient(discriminator_loss, discriminator.trainable_variables)
        discriminator_optimizer.apply_gradients(zip(gradients, discriminator.trainable_variables, strict=True))

        with tf.GradientTape() as tape:
            generated = generator(tf.random.normal([batch, NOISE]), training=True)
            fake_output = discriminator(generated, training=True)
            generator_loss = cross_entropy(tf.ones_like(fake_output), fake_output)
        gradients = tape.gradient(generator_loss, generator.trainable_variables)
        generator_optimizer.apply_gradients(zip(gradients, generator.trainable_variables, strict=True))

    while True:
        for image_batch in dataset:
            train_step(image_batch)
            after_step()
