"""Transforms of pictures against plain NumPy, gradients against finite differences, draws for uniformity."""

import math

import numpy as np
import pytest
import tensorflow as tf

from gendsl.lower.augment import applied, both_of
from gendsl.parts.keys import Key
from gendsl.plan.plan import Call, Quantity

CALLS = (
    Call("flip", {"axis": "horizontal", "probability": 0.5}),
    Call("translate", {"share": 0.2, "probability": 1.0}),
    Call("cutout", {"share": 0.4, "probability": 1.0}),
    Call("rotate", {"angle": Quantity(30, "degrees"), "probability": 1.0}),
    Call("scale", {"share": 0.3, "probability": 1.0}),
    Call("color", {"share": 0.5, "probability": 0.7}),
    Call("crop", {"padding": 2, "probability": 1.0}),
    Call("noise", {"std": 0.1, "probability": 1.0}),
)


def images_of(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def key(moment: int = 0) -> Key:
    return Key(3, "test", tf.constant(moment, tf.int64))


def one(call: Call, images: np.ndarray, *uniform: float) -> np.ndarray:
    draws = tf.constant([[*uniform, *([0.0] * (4 - len(uniform)))]] * len(images), tf.float32)
    result: np.ndarray = applied(call, tf.constant(images), draws, lambda: tf.zeros(images.shape), 1.0).numpy()
    return result


def test_translate_shifts_and_fills_with_zeros() -> None:
    images = images_of(2, 10, 10, 3)
    down = one(CALLS[1], images, 0.99, 0.5)  # rows +2, columns 0: what was two below comes up
    np.testing.assert_array_equal(down[:, :8], images[:, 2:])
    assert not down[:, 8:].any()


def test_translate_draws_every_shift_alike() -> None:
    ramp = np.broadcast_to(np.arange(1, 26, dtype=np.float32)[None, :, None, None], (6000, 25, 25, 1))
    moved = both_of((Call("translate", {"share": 0.12, "probability": 1.0}),))(tf.constant(ramp), key()).numpy()
    shifts = moved[:, 12, 12, 0]
    shifts = shifts[shifts > 0] - 13  # a column shift cannot empty the middle
    values, counts = np.unique(shifts, return_counts=True)
    np.testing.assert_array_equal(values, np.arange(-3, 4))  # int(25 * 0.12 + 0.5) = 3
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 22.5  # chi-square, 6 degrees, p = 0.001


@pytest.mark.parametrize("place", [0.0, 0.3, 0.999])
def test_cutout_is_diffaugments(place: float) -> None:
    side, cut = 10, 4
    result = one(CALLS[2], np.ones((1, side, side, 1), np.float32), place, place)[0, :, :, 0]
    offset = int(place * (side + (1 - cut % 2)))
    masked = np.clip(np.arange(cut) + offset - cut // 2, 0, side - 1)  # as in DiffAugment_tf.py
    expected = np.ones((side, side))
    expected[np.ix_(masked, masked)] = 0
    np.testing.assert_array_equal(result, expected)


def test_color_is_diffaugments_at_one_half() -> None:
    images = images_of(2, 4, 4, 3)
    u = (0.9, 0.2, 0.7)
    x = images + (u[0] - 0.5)
    x = (x - x.mean(3, keepdims=True)) * (2 * u[1]) + x.mean(3, keepdims=True)
    x = (x - x.mean((1, 2, 3), keepdims=True)) * (u[2] + 0.5) + x.mean((1, 2, 3), keepdims=True)
    np.testing.assert_allclose(one(CALLS[5], images, *u), x, atol=1e-6)


def test_color_leaves_alpha() -> None:
    images = images_of(2, 4, 4, 4)
    np.testing.assert_array_equal(one(CALLS[5], images, 0.9, 0.2, 0.7)[..., 3], images[..., 3])


def test_rotate_by_a_quarter_turns_the_picture() -> None:
    images = images_of(1, 9, 9, 2)
    quarter = one(Call("rotate", {"angle": Quantity(90, "degrees"), "probability": 1.0}), images, 1.0)
    inner = np.s_[:, 1:-1, 1:-1]  # the edge is sampled a rounding error outside
    turned = [np.rot90(images, times, (1, 2)) for times in (1, 3)]
    assert any(np.allclose(quarter[inner], other[inner], atol=1e-5) for other in turned)


def test_rotate_keeps_distances() -> None:
    """A blob off the middle stays as far from it, for a picture that is not square."""
    rows, columns = np.mgrid[0:21, 0:31].astype(np.float32)
    blob = np.exp(-((rows - 6) ** 2 + (columns - 18) ** 2) / 4)[None, :, :, None].astype(np.float32)
    turned = one(Call("rotate", {"angle": Quantity(40, "degrees"), "probability": 1.0}), blob, 1.0)[0, :, :, 0]
    at = np.array([(turned * rows).sum(), (turned * columns).sum()]) / turned.sum() - [10, 15]
    assert math.isclose(np.hypot(*at), np.hypot(-4, 3), rel_tol=0.02)


def test_scale_zooms_about_the_middle() -> None:
    rows = np.broadcast_to(np.arange(11, dtype=np.float32)[None, :, None, None], (1, 11, 11, 1))
    zoomed = one(Call("scale", {"share": 0.5, "probability": 1.0}), rows, 1.0)[0, :, 5, 0]
    np.testing.assert_allclose(zoomed, 5 + (np.arange(11) - 5) / 1.5, atol=1e-5)


def test_crop_mirrors_at_the_edge() -> None:
    rows = np.broadcast_to(np.arange(6, dtype=np.float32)[None, :, None, None], (1, 6, 6, 1))
    np.testing.assert_array_equal(one(CALLS[6], rows, 0.0, 0.5)[0, :, 0, 0], [2, 1, 0, 1, 2, 3])
    np.testing.assert_array_equal(one(CALLS[6], rows, 0.99, 0.5)[0, :, 0, 0], [2, 3, 4, 5, 4, 3])


def test_probability_is_the_share_of_examples() -> None:
    images = np.broadcast_to(np.array([0.0, 1.0], np.float32)[None, None, :, None], (4000, 1, 2, 1))
    flipped = both_of((CALLS[0],))(tf.constant(images), key()).numpy()[:, 0, 0, 0]
    assert abs(flipped.mean() - 0.5) < 0.03


def test_a_key_and_a_moment_say_all() -> None:
    images = tf.constant(images_of(4, 12, 12, 3))
    transform = both_of(CALLS)
    first, again, other = (transform(images, key(moment)).numpy() for moment in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    in_graph = tf.function(lambda x, m: transform(x, Key(3, "test", m)))(images, tf.constant(1, tf.int64)).numpy()
    np.testing.assert_allclose(in_graph, first, atol=1e-5)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.word)
def test_gradients_by_finite_differences(call: Call) -> None:
    """Both the gradient by the images and the gradient of its squared norm, as R1 takes it."""
    images, weight = images_of(3, 7, 6, 3, seed=1).astype(np.float64), images_of(3, 7, 6, 3, seed=2).astype(np.float64)
    transform = both_of((call,))

    def score(x: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(tf.sin(transform(x, key())) * weight)

    def norm(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = score(x)
        return tf.reduce_sum(tf.square(tape.gradient(value, x)))

    for function in (score, norm):
        x = tf.constant(images)
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x)
        gradient = tf.convert_to_tensor(tape.gradient(value, x)).numpy()
        direction = images_of(3, 7, 6, 3, seed=4).astype(np.float64)
        step = 1e-5
        ahead, behind = (float(function(tf.constant(images + sign * step * direction))) for sign in (1, -1))
        assert math.isclose((ahead - behind) / (2 * step), (gradient * direction).sum(), rel_tol=1e-5, abs_tol=1e-6)


def test_half_precision_stays_half() -> None:
    images = tf.cast(images_of(2, 8, 8, 3), tf.bfloat16)
    assert both_of(CALLS)(images, key()).dtype == tf.bfloat16
