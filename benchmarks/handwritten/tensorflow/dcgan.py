"""TensorFlow's DCGAN tutorial (tensorflow.org/tutorials/generative/dcgan): its models, losses and training loop."""

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from handwritten.data import fashion_mnist
from tensorflow.keras import layers

NOISE = 100


def generator() -> tf.keras.Model:
    """Pictures (batch, 28, 28, 1) from noise (batch, 100)."""
    model = tf.keras.Sequential(name="generator")
    model.add(layers.Input((NOISE,)))
    model.add(layers.Dense(7 * 7 * 256, use_bias=False))
    model.add(layers.BatchNormalization())
    model.add(layers.LeakyReLU())
    model.add(layers.Reshape((7, 7, 256)))
    model.add(layers.Conv2DTranspose(128, (5, 5), strides=(1, 1), padding="same", use_bias=False))
    model.add(layers.BatchNormalization())
    model.add(layers.LeakyReLU())
    model.add(layers.Conv2DTranspose(64, (5, 5), strides=(2, 2), padding="same", use_bias=False))
    model.add(layers.BatchNormalization())
    model.add(layers.LeakyReLU())
    model.add(layers.Conv2DTranspose(1, (5, 5), strides=(2, 2), padding="same", use_bias=False, activation="tanh"))
    return model


def discriminator() -> tf.keras.Model:
    """Logits (batch, 1) of pictures."""
    model = tf.keras.Sequential(name="discriminator")
    model.add(layers.Input((28, 28, 1)))
    model.add(layers.Conv2D(64, (5, 5), strides=(2, 2), padding="same"))
    model.add(layers.LeakyReLU())
    model.add(layers.Dropout(0.3))
    model.add(layers.Conv2D(128, (5, 5), strides=(2, 2), padding="same"))
    model.add(layers.LeakyReLU())
    model.add(layers.Dropout(0.3))
    model.add(layers.Flatten())
    model.add(layers.Dense(1))
    return model


def networks() -> dict[str, tf.keras.Model]:
    """The models by the names that the spec has for them."""
    return {"generator": generator(), "discriminator": discriminator()}


def train(folder: Path, after_step: Callable[[], None], batch: int = 128) -> None:
    """Trains for ever; calls `after_step` after each step."""
    models = networks()
    generator, discriminator = models["generator"], models["discriminator"]
    cross_entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    generator_optimizer = tf.keras.optimizers.Adam(1e-4)
    discriminator_optimizer = tf.keras.optimizers.Adam(1e-4)

    images = fashion_mnist(folder)
    dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).batch(batch, drop_remainder=True)

    @tf.function
    def train_step(images: tf.Tensor) -> None:
        noise = tf.random.normal([batch, NOISE])
        with tf.GradientTape() as generator_tape, tf.GradientTape() as discriminator_tape:
            generated = generator(noise, training=True)
            real_output = discriminator(images, training=True)
            fake_output = discriminator(generated, training=True)
            generator_loss = cross_entropy(tf.ones_like(fake_output), fake_output)
            real_loss = cross_entropy(tf.ones_like(real_output), real_output)
            fake_loss = cross_entropy(tf.zeros_like(fake_output), fake_output)
            discriminator_loss = real_loss + fake_loss
        generator_gradients = generator_tape.gradient(generator_loss, generator.trainable_variables)
        discriminator_gradients = discriminator_tape.gradient(discriminator_loss, discriminator.trainable_variables)
        generator_optimizer.apply_gradients(zip(generator_gradients, generator.trainable_variables, strict=True))
        discriminator_optimizer.apply_gradients(
            zip(discriminator_gradients, discriminator.trainable_variables, strict=True)
        )

    while True:
        for image_batch in dataset:
            train_step(image_batch)
            after_step()
