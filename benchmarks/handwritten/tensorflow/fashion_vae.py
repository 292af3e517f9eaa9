"""The VAE of specs/fashion_vae.gen by hand: a loop as in TensorFlow's tutorial on convolutional VAEs."""

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from handwritten.data import fashion_mnist
from tensorflow.keras import layers

LATENT, WARM_UP = 16, 2_000


def encoder() -> tf.keras.Model:
    """Means and log-variances (batch, 32) of the code of pictures (batch, 28, 28, 1)."""
    return tf.keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(32, 4, strides=2, padding="same", activation="relu"),
            layers.Conv2D(64, 4, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dense(2 * LATENT),
        ],
        name="encoder",
    )


def decoder() -> tf.keras.Model:
    """Logits (batch, 28, 28, 1) of the pixels from codes (batch, 16)."""
    return tf.keras.Sequential(
        [
            layers.Input((LATENT,)),
            layers.Dense(7 * 7 * 64, activation="relu"),
            layers.Reshape((7, 7, 64)),
            layers.Conv2DTranspose(64, 4, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same", activation="relu"),
            layers.Conv2D(1, 3, padding="same"),
        ],
        name="decoder",
    )


def networks() -> dict[str, tf.keras.Model]:
    """The models by the names that the spec has for them."""
    return {"encoder": encoder(), "decoder": decoder()}


def loss_of(encoder: tf.keras.Model, decoder: tf.keras.Model, images: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    """Minus the evidence lower bound in nats, its divergence times beta, averaged over the batch."""
    mean, log_variance = tf.split(encoder(images, training=True), 2, axis=1)
    code = mean + tf.exp(0.5 * log_variance) * tf.random.normal(tf.shape(mean))
    logits = decoder(code, training=True)
    crossed = tf.nn.sigmoid_cross_entropy_with_logits(labels=images, logits=logits)
    likelihood = tf.reduce_sum(crossed, axis=[1, 2, 3])
    divergence = 0.5 * tf.reduce_sum(tf.square(mean) + tf.exp(log_variance) - 1.0 - log_variance, axis=1)
    return tf.reduce_mean(likelihood + beta * divergence)


def train(folder: Path, after_step: Callable[[], None], batch: int = 128) -> None:
    """Trains for ever; calls `after_step` after each step."""
    models = networks()
    encoder, decoder = models["encoder"], models["decoder"]
    optimizer = tf.keras.optimizers.Adam(1e-3)
    weights = encoder.trainable_variables + decoder.trainable_variables
    images = 0.5 * fashion_mnist(folder) + 0.5
    dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).batch(batch, drop_remainder=True)

    @tf.function
    def train_step(images: tf.Tensor) -> None:
        beta = tf.minimum(tf.cast(optimizer.iterations, tf.float32) / WARM_UP, 1.0)
        with tf.GradientTape() as tape:
            loss = loss_of(encoder, decoder, images, beta)
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))

    while True:
        for image_batch in dataset:
            train_step(image_batch)
            after_step()
