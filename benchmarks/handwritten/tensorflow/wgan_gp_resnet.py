"""The residual WGAN-GP of specs/wgan_gp_resnet.gen by hand, as the tutorials write it: one graph call a step of five
critic updates and one generator update.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf
from handwritten.data import pictures
from tensorflow.keras import layers

NOISE, WIDTH, CRITIC_STEPS, STEPS = 128, 32, 5, 100_000


def _conv(filters: int, kernel: int) -> layers.Layer:
    return layers.Conv2D(filters, kernel, padding="same")


def _up(x: Any) -> Any:
    deep = layers.ReLU()(layers.BatchNormalization()(x))
    deep = _conv(WIDTH, 3)(layers.UpSampling2D()(deep))
    deep = _conv(WIDTH, 3)(layers.ReLU()(layers.BatchNormalization()(deep)))
    return layers.add([deep, _conv(WIDTH, 1)(layers.UpSampling2D()(x))])


def generator() -> tf.keras.Model:
    """Pictures (batch, 32, 32, 3) from noise (batch, 128)."""
    noise = layers.Input((NOISE,))
    x = layers.Reshape((4, 4, WIDTH))(layers.Dense(4 * 4 * WIDTH)(noise))
    for _ in range(3):
        x = _up(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return tf.keras.Model(noise, layers.Activation("tanh")(_conv(3, 3)(x)), name="generator")


def critic() -> tf.keras.Model:
    """Scores (batch, 1) of pictures."""
    picture = layers.Input((32, 32, 3))
    deep = _conv(WIDTH, 3)(layers.ReLU()(_conv(WIDTH, 3)(picture)))
    shortcut = _conv(WIDTH, 1)(layers.AveragePooling2D(2)(picture))
    x = layers.add([layers.AveragePooling2D(2)(deep), shortcut])
    deep = _conv(WIDTH, 3)(layers.ReLU()(_conv(WIDTH, 3)(layers.ReLU()(x))))
    x = layers.add([layers.AveragePooling2D(2)(deep), layers.AveragePooling2D(2)(_conv(WIDTH, 1)(x))])
    for _ in range(2):
        deep = _conv(WIDTH, 3)(layers.ReLU()(_conv(WIDTH, 3)(layers.ReLU()(x))))
        x = layers.add([x, deep])
    x = tf.keras.ops.sum(layers.ReLU()(x), axis=(1, 2))
    return tf.keras.Model(picture, layers.Dense(1)(x), name="critic")


def networks() -> dict[str, tf.keras.Model]:
    """The models by the names that the spec has for them."""
    return {"generator": generator(), "critic": critic()}


def train(folder: Path, after_step: Callable[[], None], batch: int = 64) -> None:
    """Trains for ever; calls `after_step` after each step."""
    models = networks()
    generator, critic = models["generator"], models["critic"]
    # A Keras schedule counts applications: the critic's come five times as often.
    decay = tf.keras.optimizers.schedules.PolynomialDecay
    critic_optimizer = tf.keras.optimizers.Adam(decay(2e-4, CRITIC_STEPS * STEPS, 0.0), beta_1=0.0, beta_2=0.9)
    generator_optimizer = tf.keras.optimizers.Adam(decay(2e-4, STEPS, 0.0), beta_1=0.0, beta_2=0.9)

    images = pictures(folder)
    dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).batch(batch, drop_remainder=True)
    dataset = dataset.map(tf.image.random_flip_left_right).batch(CRITIC_STEPS, drop_remainder=True)

    def gradient_penalty(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        between = real + tf.random.uniform([batch, 1, 1, 1]) * (fake - real)
        with tf.GradientTape() as tape:
            tape.watch(between)
            scores = critic(between, training=True)
        slope = tape.gradient(scores, between)
        norm = tf.sqrt(tf.reduce_sum(tf.square(slope), axis=[1, 2, 3]) + 1e-12)
        return tf.reduce_mean(tf.square(norm - 1.0))

    @tf.function
    def train_step(batches: tf.Tensor) -> None:
        for number in range(CRITIC_STEPS):
            real, fake = batches[number], generator(tf.random.normal([batch, NOISE]), training=True)
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(critic(fake, training=True)) - tf.reduce_mean(critic(real, training=True))
                loss += 10.0 * gradient_penalty(real, fake)
            gradients = tape.gradient(loss, critic.trainable_variables)
            critic_optimizer.apply_gradients(zip(gradients, critic.trainable_variables, strict=True))

        with tf.GradientTape() as tape:
            fake = generator(tf.random.normal([batch, NOISE]), training=True)
            loss = -tf.reduce_mean(critic(fake, training=True))
        gradients = tape.gradient(loss, generator.trainable_variables)
        generator_optimizer.apply_gradients(zip(gradients, generator.trainable_variables, strict=True))

    while True:
        for batches in dataset:
            train_step(batches)
            after_step()
