"""Labelled pictures in, the extractor that a small classifier of them is out: trained once, deterministic, kept.

The network is three convolutions of 3x3 and a dense layer of 128, whose activations are the features; it is trained for
some hundred steps of Adam on the training split. A score with it tells how alike samples and data are to an eye that
knows the data's own classes; it is no FID.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from gendsl.evaluate.cache import digest_of, keep_arrays, read_arrays
from gendsl.evaluate.extractor import Extractor, Features

_WIDTH = 128
_RECIPE = "conv 32, conv 64 /2, conv 128 /2, relu, dense 128; adam 1e-3 to 0, batch 64; 1"
_BATCH = 64
_STEPS = 600


def classifier(
    pictures: NDArray[np.uint8], labels: NDArray[np.int32], classes: int, *, tell: Callable[[str], None]
) -> Extractor:
    """The extractor of pictures (n, h, w, c) with labels (n) among `classes`; trained where it is not kept already."""
    shape = pictures.shape[1:]
    key = digest_of(_RECIPE, _STEPS, classes, pictures, labels)
    model = _network(shape, classes)
    kept: Mapping[str, NDArray[Any]] | None = read_arrays("classifier", key)
    if kept is None or [value.shape for value in kept.values()] != [value.shape for value in model.get_weights()]:
        tell("training the classifier that the scores are taken with, once…")
        trained(model, pictures, labels, steps=_STEPS)
        own = {f"w{number}": value for number, value in enumerate(model.get_weights())}
        kept = keep_arrays("classifier", key, own)
    weights = [kept[f"w{number}"] for number in range(len(kept))]
    model.set_weights(weights)

    def judged(values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        features, logits = model(_scaled(values), training=False)
        return features, tf.nn.softmax(logits)

    graph = tf.function(judged, reduce_retracing=True)

    def compute(values: NDArray[Any]) -> Features:
        features, chances = graph(tf.constant(values))
        return features.numpy(), chances.numpy()

    return Extractor("classifier", digest_of(*weights), _WIDTH, compute, "none", "bytes to -1..1", classes=classes)


def _scaled(pictures: Any) -> Any:
    return tf.cast(pictures, tf.float32) / 127.5 - 1.0


def _network(shape: tuple[int, ...], classes: int) -> keras.Model:
    """[features (n, 128), logits (n, classes)] of pictures in -1..1, its weights drawn by fixed seeds."""
    inputs = keras.Input(shape, dtype="float32")
    x = inputs
    for number, (channels, stride) in enumerate(((32, 1), (64, 2), (128, 2))):
        start = keras.initializers.HeNormal(seed=number)
        x = keras.layers.Conv2D(
            channels, 3, stride, padding="same", activation="relu", kernel_initializer=start, dtype="float32"
        )(x)
    x = keras.layers.GlobalAveragePooling2D(dtype="float32")(x) if min(shape[:2]) > 32 else _flat(x)
    start = keras.initializers.HeNormal(seed=3)
    features = keras.layers.Dense(_WIDTH, "relu", kernel_initializer=start, dtype="float32")(x)
    start = keras.initializers.GlorotUniform(seed=4)
    logits = keras.layers.Dense(classes, kernel_initializer=start, dtype="float32")(features)
    return keras.Model(inputs, [features, logits], name="classifier")


def _flat(x: Any) -> Any:
    return keras.layers.Flatten(dtype="float32")(x)


def trained(model: Any, pictures: NDArray[np.uint8], labels: NDArray[np.int32], *, steps: int, seed: int = 0) -> None:
    """Trains a model of [features, logits]: batches in an order drawn by the seed, over and over."""
    optimizer = keras.optimizers.Adam(1e-3)
    weights = model.trainable_variables
    optimizer.build(weights)

    def step_of(values: tf.Tensor, classes: tf.Tensor, rate: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            _, logits = model(_scaled(values), training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits))
        optimizer.learning_rate = rate
        optimizer.apply(tape.gradient(loss, weights), weights)

    step = tf.function(step_of, reduce_retracing=True, autograph=False)
    random = np.random.Generator(np.random.Philox(key=seed))
    batch = min(_BATCH, len(pictures))
    order = random.permutation(len(pictures))
    start = 0
    for number in range(steps):
        if start + batch > len(order):
            order, start = random.permutation(len(pictures)), 0
        chosen = np.sort(order[start : start + batch])
        start += batch
        rate = np.float32(1e-3 * (1 - number / steps))
        step(tf.constant(pictures[chosen]), tf.constant(labels[chosen]), tf.constant(rate))


def accuracy_of(
    pictures: NDArray[np.uint8],
    labels: NDArray[np.int32],
    real: NDArray[np.uint8],
    real_labels: NDArray[np.int32],
    classes: int,
    *,
    epochs: int,
) -> NDArray[np.bool_]:
    """Which real pictures (m, …) a classifier gets right that was trained on other pictures for some epochs (m)."""
    model = _network(pictures.shape[1:], classes)
    steps = max(1, epochs * len(pictures) // min(_BATCH, len(pictures)))
    trained(model, pictures, labels, steps=steps)
    graph = tf.function(lambda values: tf.argmax(model(_scaled(values), training=False)[1], axis=-1))
    found = [graph(tf.constant(real[start : start + 256])).numpy() for start in range(0, len(real), 256)]
    right: NDArray[np.bool_] = np.concatenate(found) == real_labels
    return right
