"""The layers of `parts/` against NumPy, finite differences and the papers' formulas."""

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gendsl.parts.adain import Adain
from gendsl.parts.batch_norm import BatchNorm
from gendsl.parts.blur import Blur
from gendsl.parts.clipping import clip_layer, clip_weights
from gendsl.parts.conditional_batch_norm import ConditionalBatchNorm
from gendsl.parts.dropout import Dropout
from gendsl.parts.film import Film
from gendsl.parts.gaussian_noise import GaussianNoise
from gendsl.parts.keys import Key, Share, drawing
from gendsl.parts.minibatch_stddev import MinibatchStddev
from gendsl.parts.pack import Pack
from gendsl.parts.pixel_norm import PixelNorm
from gendsl.parts.pixel_shuffle import PixelShuffle
from gendsl.parts.project import Project
from gendsl.parts.rectifier import Rectifier
from gendsl.parts.time_embed import TimeEmbed
from tests.lower.drawn import LABELS, numbers


def test_clip_weights() -> None:
    model = keras.Sequential([keras.Input((7,)), keras.layers.Dense(5), keras.layers.Dense(5)])
    clip_layer(model.layers[0], 0.01)
    clip_weights(model)
    assert np.abs(model.layers[0].get_weights()[0]).max() <= 0.01
    assert np.abs(model.layers[1].get_weights()[0]).max() > 0.01


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_conditional_batch_norm_is_batch_norm_with_an_affine_a_class(dtype: str) -> None:
    value = numbers(4, 3, 3, 2) * 3 + 1
    ours, keras_own = ConditionalBatchNorm(3, dtype=dtype), keras.layers.BatchNormalization(scale=False, center=False)
    for _ in range(2):
        plain = np.array(keras_own(value, training=True))
        found = np.array(tf.cast(ours(value, LABELS, training=True), tf.float32))
    close = {"atol": 2e-5} if dtype == "float32" else {"atol": 3e-2}
    np.testing.assert_allclose(found, plain, **close)
    np.testing.assert_allclose(ours.moving_mean, keras_own.moving_mean, atol=1e-2 if dtype != "float32" else 1e-6)
    assert [v.dtype for v in ours.variables] == ["float32"] * 4
    gain, bias = numbers(3, 2, seed=1), numbers(3, 2, seed=2)
    ours.gamma.assign(gain)
    ours.beta.assign(bias)
    plain = np.array(keras_own(value, training=False))
    expected = plain * gain[LABELS][:, None, None] + bias[LABELS][:, None, None]
    np.testing.assert_allclose(
        tf.cast(ours(value, LABELS, training=False), tf.float32), expected, atol=10 * close["atol"]
    )


def test_instance_norm_of_keras() -> None:
    """`instance_norm` is Keras's group norm with one channel a group."""
    value = numbers(2, 4, 5, 3) * 2 + 3
    found = keras.layers.GroupNormalization(groups=-1, epsilon=1e-5)(value)
    mean, variance = value.mean((1, 2), keepdims=True), value.var((1, 2), keepdims=True)
    np.testing.assert_allclose(found, (value - mean) / np.sqrt(variance + 1e-5), atol=1e-5)


def test_pixel_norm() -> None:
    value = numbers(2, 4, 4, 3)
    expected = value / np.sqrt((value**2).mean(-1, keepdims=True) + 1e-8)
    np.testing.assert_allclose(PixelNorm()(value), expected, rtol=1e-5)


@pytest.mark.parametrize(("batch", "group"), [(8, 4), (6, 4), (5, 4), (2, 4)])
def test_minibatch_stddev(batch: int, group: int) -> None:
    value = numbers(batch, 3, 3, 2)
    size = max(divisor for divisor in range(1, group + 1) if batch % divisor == 0)
    grouped = value.reshape(size, batch // size, 3, 3, 2)
    average = np.sqrt(grouped.var(0) + 1e-8).mean((1, 2, 3))  # (groups,)
    found = np.array(MinibatchStddev(group)(value))
    np.testing.assert_allclose(found[..., :2], value)
    for example in range(batch):
        np.testing.assert_allclose(found[example, :, :, 2], average[example % (batch // size)], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_blur(kernel: int, stride: int) -> None:
    value = numbers(2, 7, 6, 3)
    taps = np.array([math.comb(kernel - 1, tap) for tap in range(kernel)]) / 2 ** (kernel - 1)
    before = (kernel - 1) // 2
    padded = np.pad(value, [(0, 0), (before, kernel // 2), (before, kernel // 2), (0, 0)], mode="reflect")
    expected = sum(
        padded[:, row : row + 7, column : column + 6] * taps[row] * taps[column]
        for row in range(kernel)
        for column in range(kernel)
    )
    np.testing.assert_allclose(Blur(kernel, stride)(value), expected[:, ::stride, ::stride], atol=1e-5)
    np.testing.assert_allclose(Blur(kernel)(np.ones((1, 6, 6, 1), "float32")), 1.0, atol=1e-6)


def test_project_is_an_inner_product() -> None:
    features, layer = numbers(4, 7), Project(3)
    found = layer(features, LABELS)
    table = layer.embeddings.numpy()
    np.testing.assert_allclose(found[:, 0], (features * table[LABELS]).sum(-1), rtol=1e-5, atol=1e-6)


def test_film_and_adain() -> None:
    value, features = numbers(2, 4, 4, 3), numbers(2, 5)
    film, adain = Film(), Adain()
    found, styled = film(value, features), adain(value, features)
    for layer, result, base in (
        (film, found, value),
        (adain, styled, (value - value.mean((1, 2), keepdims=True)) / np.sqrt(value.var((1, 2), keepdims=True) + 1e-5)),
    ):
        both = features @ layer.kernel.numpy()
        scale, shift = both[:, None, None, :3], both[:, None, None, 3:]
        np.testing.assert_allclose(result, (1 + scale) * base + shift, atol=1e-4)
    moved = Film(scale=False)
    found = moved(value, features)
    assert moved.kernel.shape == (5, 3)
    np.testing.assert_allclose(found, value + (features @ moved.kernel.numpy())[:, None, None, :], atol=1e-5)


def test_time_embed() -> None:
    time = np.array([0.0, 1.0, 999.0], "float32")
    found = tf.cast(TimeEmbed(8, dtype="mixed_bfloat16")(time), tf.float32).numpy()
    angles = time[:, None] * 10_000 ** (-np.arange(4) / 3)
    np.testing.assert_allclose(found, np.concatenate([np.sin(angles), np.cos(angles)], -1), atol=5e-3)


def test_pixel_shuffle_and_pack() -> None:
    value = numbers(4, 2, 2, 8)
    found = np.array(PixelShuffle(2)(value))
    for row in range(4):
        for column in range(4):
            first = (row % 2 * 2 + column % 2) * 2
            np.testing.assert_array_equal(found[:, row, column], value[:, row // 2, column // 2, first : first + 2])
    packed = np.array(Pack(2)(value))
    np.testing.assert_array_equal(packed[0], np.concatenate([value[0], value[1]], -1))
    np.testing.assert_array_equal(packed[1], np.concatenate([value[2], value[3]], -1))


@pytest.mark.parametrize("layer", [Dropout(0.3, name="noisy"), GaussianNoise(0.5, name="noisy")])
def test_draws_are_functions_of_the_key(layer: Any) -> None:
    value = np.ones((64, 64), "float32")

    def drawn(key: Key) -> Any:
        with drawing(key):
            return np.array(layer(value, training=True))

    first = drawn(Key(1, "train", 5))
    np.testing.assert_array_equal(first, drawn(Key(1, "train", 5)))
    for other in (Key(2, "train", 5), Key(1, "sample", 5), Key(1, "train", 6)):
        assert not np.array_equal(first, drawn(other))
    np.testing.assert_array_equal(value, layer(value, training=False))
    assert first.mean() == pytest.approx(1, abs=0.05)
    with pytest.raises(RuntimeError, match="drawing"):
        layer(value, training=True)


def test_dropout_drops_its_share() -> None:
    layer = Dropout(0.3)
    with drawing(Key(0, "train", 0)):
        found = np.array(layer(np.ones((100, 100), "float32"), training=True))
    assert (found == 0).mean() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_allclose(found[found != 0], 1 / 0.7, rtol=1e-5)


@pytest.mark.parametrize(("rate", "share"), [(0.0, 0.0), (1e-9, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_dropout_at_its_ends(rate: float, share: float) -> None:
    with drawing(Key(0, "train", 0)):
        found = np.array(Dropout(rate)(np.ones((64, 5, 3), "float32"), training=True))
    assert (found == 0).mean() == pytest.approx(share, abs=0.05)
    np.testing.assert_array_equal(found[found != 0], np.full((found != 0).sum(), 1 / (1 - share) if share < 1 else 0))


def test_words_are_uniform_and_a_part_draws_its_part() -> None:
    whole = Key(3, "train", 7)
    drawn = whole.words([64, 7, 9]).numpy()
    assert drawn.dtype == np.uint16 and drawn.shape == (64, 7, 9)
    assert np.abs(np.histogram(drawn, 16, (0, 2**16))[0] / drawn.size * 16 - 1).max() < 0.2
    assert len(np.unique(drawn)) > 0.95 * len(np.unique(np.random.default_rng(0).integers(0, 2**16, drawn.size)))
    parts = [Key(3, "train", 7, Share(index, 4)).words([16, 7, 9]).numpy() for index in range(4)]
    np.testing.assert_array_equal(np.concatenate(parts), drawn)


@pytest.mark.parametrize("slope", [0.0, 0.2])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_a_rectifier_is_keras_s_to_the_second_gradient(slope: float, dtype: str) -> None:
    own = Rectifier(slope, dtype=dtype)
    other = keras.layers.LeakyReLU(slope, dtype=dtype) if slope else keras.layers.ReLU(dtype=dtype)
    point, weights = tf.constant(numbers(6, 5)), tf.Variable(numbers(5, 5, seed=1))

    def derivatives(layer: Any) -> tuple[Any, ...]:
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(point)
                value = tf.cast(layer(tf.matmul(point, weights), training=True), tf.float32)
                total = tf.reduce_sum(tf.sin(value))
            gradient = inner.gradient(total, point)
            penalty = tf.reduce_sum(tf.square(gradient))
        return value, gradient, outer.gradient(penalty, weights)

    for mine, theirs in zip(derivatives(own), derivatives(other), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("shape", [(16, 8, 8, 32), (16, 4096), (16, 8, 3), (16, 5)])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_is_keras_s_and_its_second_gradient_is_right(shape: tuple[int, ...], affine: bool) -> None:
    own = BatchNorm(scale=affine, center=affine, momentum=0.5)
    other = keras.layers.BatchNormalization(scale=affine, center=affine, momentum=0.5)
    given = tf.constant(2 * numbers(*shape) + 1)
    np.testing.assert_allclose(own(given, training=True), other(given, training=True), atol=2e-5)
    for mine, theirs in zip(own.variables, other.variables, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(own(given, training=False), other(given, training=False), atol=2e-5)

    def second(layer: Any, point: Any, direction: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(point)
            with tf.GradientTape() as inner:
                inner.watch(point)
                total = tf.reduce_sum(tf.tanh(layer(point, training=True)) * direction)
            length = tf.reduce_sum(tf.square(inner.gradient(total, point)))
        return length, outer.gradient(length, point)

    direction, along = tf.constant(numbers(*shape, seed=3)), tf.constant(numbers(*shape, seed=4))
    along /= tf.norm(along)
    step = 0.02
    ahead, behind = (second(own, given + sign * step * along, direction)[0] for sign in (1, -1))
    found = float(tf.reduce_sum(second(own, given, direction)[1] * along))
    assert found == pytest.approx(float((ahead - behind) / (2 * step)), rel=1e-2, abs=1e-2 + 4e-6 * float(ahead) / step)
