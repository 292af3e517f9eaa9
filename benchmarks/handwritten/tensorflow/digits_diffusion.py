"""The diffusion of specs/digits_diffusion.gen by hand: a functional U-Net, a loop, and an average of its weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from handwritten.data import digits
from tensorflow.keras import layers

STEPS, DECAY = 1000, 0.999


class TimeEmbedding(layers.Layer):
    """Sines and cosines (batch, 64) of times (batch,)."""

    def call(self, times: tf.Tensor) -> tf.Tensor:
        frequencies = tf.exp(-np.log(10_000.0) * tf.range(32, dtype=tf.float32) / 31.0)
        angles = times[:, None] * frequencies[None, :]
        return tf.concat([tf.sin(angles), tf.cos(angles)], axis=-1)


def _residual(x: Any, when: Any, filters: int) -> Any:
    hidden = layers.Conv2D(filters, 3, padding="same")(layers.Activation("swish")(_norm(x)))
    both = layers.Reshape((1, 1, 2 * filters))(layers.Dense(2 * filters)(when))
    hidden = _norm(hidden * (1 + both[..., :filters]) + both[..., filters:])
    hidden = layers.Conv2D(filters, 3, padding="same")(layers.Activation("swish")(hidden))
    return layers.Add()([hidden, layers.Conv2D(filters, 1)(x)])


def _norm(x: Any) -> Any:
    return layers.GroupNormalization(8)(x)


def denoiser() -> tf.keras.Model:
    """The noise (batch, 8, 8, 1) in noisy digits of that shape at times (batch,)."""
    x, times = layers.Input((8, 8, 1)), layers.Input(())
    when = layers.Dense(256, activation="swish")(TimeEmbedding()(times))
    high = _residual(layers.Conv2D(64, 3, padding="same")(x), when, 64)
    low = layers.Conv2D(64, 3, strides=2, padding="same")(high)
    low = _residual(low, when, 128)
    pixels = layers.Reshape((16, 128))(_norm(low))
    low = layers.Add()([low, layers.Reshape((4, 4, 128))(layers.MultiHeadAttention(4, 32)(pixels, pixels))])
    low = _residual(low, when, 128)
    out = layers.Conv2D(64, 3, padding="same")(layers.UpSampling2D(2)(low))
    out = _residual(layers.Concatenate()([out, high]), when, 64)
    out = layers.Conv2D(1, 3, padding="same")(layers.Activation("swish")(_norm(out)))
    return tf.keras.Model([x, times], out, name="denoiser")


def networks() -> dict[str, tf.keras.Model]:
    """The models by the names that the spec has for them."""
    return {"denoiser": denoiser()}


def kept() -> np.ndarray:
    """The share (1000,) of the data's variance that the cosine schedule leaves, float32."""
    places = np.arange(STEPS + 1) / STEPS
    left = np.cos((places + 0.008) / 1.008 * np.pi / 2) ** 2
    return np.cumprod(1 - np.minimum(1 - left[1:] / left[:-1], 0.999)).astype(np.float32)


def train(folder: Path, after_step: Callable[[], None], batch: int = 128) -> None:
    """Trains for ever; calls `after_step` after each step."""
    (model,) = networks().values()
    averaged = [tf.Variable(weight.value, trainable=False) for weight in model.trainable_variables]
    optimizer = tf.keras.optimizers.Adam(2e-4)
    levels = tf.constant(kept())
    images = digits(folder)
    dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).batch(batch, drop_remainder=True)

    @tf.function
    def train_step(images: tf.Tensor) -> None:
        times = tf.random.uniform([batch], 0, STEPS, tf.int32)
        left = tf.gather(levels, times)[:, None, None, None]
        noise = tf.random.normal(images.shape)
        noisy = tf.sqrt(left) * images + tf.sqrt(1 - left) * noise
        with tf.GradientTape() as tape:
            found = model([noisy, tf.cast(times, tf.float32)], training=True)
            loss = tf.reduce_mean(tf.square(found - noise))
        weights = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        for mean, weight in zip(averaged, weights, strict=True):
            mean.assign(DECAY * mean + (1 - DECAY) * weight)

    while True:
        for image_batch in dataset:
            train_step(image_batch)
            after_step()
