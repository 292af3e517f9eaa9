"""The transformer of specs/text_transformer.gen by hand: a loop as in TensorFlow's tutorial on text generation."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from handwritten.data import VOCABULARY, text_windows
from keras import layers

WINDOW, DEPTH, WIDTH, HEADS = 64, 4, 128, 4
STEPS, WARM_UP, RATE, LAST_RATE = 2_000, 100, 1e-3, 1e-4


class Positions(layers.Layer):
    """Adds a learned vector to each place."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.table = self.add_weight(shape=shape[1:], initializer=keras.initializers.RandomNormal(stddev=0.02))

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs + self.table


def networks() -> dict[str, keras.Model]:
    """The model by the name that the spec has for it: logits (batch, 64, 256) of bytes (batch, 64)."""
    tokens = keras.Input((WINDOW,), dtype="int32")
    flow = Positions()(layers.Embedding(VOCABULARY, WIDTH)(tokens))
    for _ in range(DEPTH):
        normed = layers.LayerNormalization()(flow)
        flow = flow + layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(normed, normed, use_causal_mask=True)
        normed = layers.LayerNormalization()(flow)
        flow = flow + layers.Dense(WIDTH)(layers.Dense(4 * WIDTH, activation="gelu")(normed))
    logits = layers.Dense(VOCABULARY, use_bias=False)(layers.LayerNormalization()(flow))
    return {"model": keras.Model(tokens, logits, name="model")}


def optimizer_of(model: keras.Model) -> keras.optimizers.Optimizer:
    """AdamW along a cosine with warm-up, without decay of biases and gains, gradients clipped by their global norm."""
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, STEPS - WARM_UP, alpha=LAST_RATE / RATE, warmup_target=RATE, warmup_steps=WARM_UP
    )
    optimizer = keras.optimizers.AdamW(schedule, beta_2=0.99, weight_decay=0.1, global_clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_list=[v for v in model.trainable_variables if len(v.shape) < 2])
    return optimizer


def loss_of(model: keras.Model, windows: tf.Tensor) -> tf.Tensor:
    """The nats of a window's last 64 bytes given those before, averaged over the batch."""
    logits = model(windows[:, :-1], training=True)
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=windows[:, 1:], logits=logits)
    return tf.reduce_mean(tf.reduce_sum(each, axis=1))


def batches_of(folder: Path, batch: int) -> tf.data.Dataset:
    """Windows (batch, 65) int32, in an order of chance."""
    windows = text_windows(folder, WINDOW).astype(np.int32)
    return tf.data.Dataset.from_tensor_slices(windows).shuffle(len(windows)).batch(batch, drop_remainder=True)


def train(folder: Path, after_step: Callable[[], None], batch: int = 12) -> None:
    """Trains for ever; calls `after_step` after each step."""
    model = networks()["model"]
    optimizer = optimizer_of(model)
    weights = model.trainable_variables
    dataset = batches_of(folder, batch).prefetch(2)

    @tf.function
    def train_step(windows: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            loss = loss_of(model, windows)
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))

    while True:
        for windows in dataset:
            train_step(windows)
            after_step()
