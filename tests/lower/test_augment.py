"""Transforms of pictures against plain NumPy, gradients against finite differences, draws for uniformity."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.transform import Rotation

from gendsl.lower.augment import both_of, transformed
from gendsl.lower.augment.numbers import normal
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
    Call("rotate90", {"mode": "reflect", "probability": 1.0}),
    Call("zoom", {"std": 0.2, "mode": "reflect", "probability": 1.0}),
    Call("stretch", {"std": 0.2, "mode": "constant", "probability": 0.6}),
    Call("shift", {"std": 0.1, "mode": "constant", "probability": 1.0}),
    Call("translate", {"share": 0.2, "mode": "reflect", "probability": 1.0}),
    Call("brightness", {"std": 0.2, "probability": 1.0}),
    Call("contrast", {"std": 0.5, "probability": 1.0}),
    Call("luma_flip", {"probability": 0.5}),
    Call("hue", {"angle": Quantity(180, "degrees"), "probability": 1.0}),
    Call("saturation", {"std": 1.0, "probability": 1.0}),
)


def images_of(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def key(moment: int = 0) -> Key:
    return Key(3, "test", tf.constant(moment, tf.int64))


def several(calls: tuple[Call, ...], images: np.ndarray, *uniform: tuple[float, ...]) -> np.ndarray:
    """Transforms with the same uniform numbers, filled up with zeros, for every example."""
    draws = np.array([[*numbers, *([0.0] * (4 - len(numbers)))] for numbers in uniform], np.float32)
    given = tf.constant(np.broadcast_to(draws, (len(images), *draws.shape)))
    made = transformed(calls, tf.constant(images), given, lambda number, x: tf.zeros(x.shape), span=(-1.0, 1.0))
    result: np.ndarray = made.numpy()
    return result


def one(call: Call, images: np.ndarray, *uniform: float) -> np.ndarray:
    return several((call,), images, uniform)


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


@pytest.mark.parametrize("quarters", range(4))
def test_rotate90_is_exact(quarters: int) -> None:
    images = images_of(1, 6, 6, 2)
    turned = one(Call("rotate90", {"probability": 1.0}), images, quarters / 4)
    np.testing.assert_array_equal(turned, np.rot90(images, quarters, (1, 2)))


def test_maps_that_follow_one_another_sample_once() -> None:
    """There and back again is the picture itself, where sampling twice would blur it."""
    images = images_of(2, 9, 12, 3)
    there = Call("rotate", {"angle": Quantity(30, "degrees"), "mode": "reflect", "probability": 1.0})
    zoom = Call("zoom", {"std": 0.5, "mode": "reflect", "probability": 1.0})
    # The second uniform number turns the normal one round: half a turn gives it the other sign.
    back = several((there, zoom, zoom, there), images, (1.0,), (0.6, 0.1), (0.6, 0.6), (0.0,))
    np.testing.assert_allclose(back, images, atol=1e-4)


def test_the_first_map_is_done_first() -> None:
    images = images_of(1, 11, 11, 1)
    turn, shift = Call("rotate90", {"probability": 1.0}), Call("shift", {"std": 1 / 11, "probability": 1.0})
    draws = (1 - math.exp(-0.5), 0.0)  # a radius of 1: down by one pixel, not across
    np.testing.assert_allclose(
        several((turn, shift), images, (0.25,), draws),
        one(shift, np.ascontiguousarray(np.rot90(images, 1, (1, 2))), *draws),
        atol=1e-5,
    )


@pytest.mark.parametrize(("word", "down", "across"), [("zoom", -1, -1), ("stretch", 1, -1)])
def test_zoom_and_stretch_go_by_powers_of_two(word: str, down: int, across: int) -> None:
    places = np.stack(np.meshgrid(np.arange(9) - 4.0, np.arange(9) - 4.0, indexing="ij"), -1).astype(np.float32)[None]
    draws = (1 - math.exp(-0.5), 0.0)  # the normal number is 1
    seen = one(Call(word, {"std": 0.5, "probability": 1.0}), places, *draws)
    middle = np.s_[:, 3:6, 3:6]
    factors = np.array([2.0 ** (0.5 * down), 2.0 ** (0.5 * across)])
    np.testing.assert_allclose(seen[middle], places[middle] * factors, atol=1e-5)


def test_reflect_brings_the_mirror_image_in() -> None:
    rows = np.broadcast_to(np.arange(4, dtype=np.float32)[None, :, None, None], (1, 4, 4, 1))
    far = Call("translate", {"share": 1.0, "mode": "reflect", "probability": 1.0})
    assert list(one(far, rows, 0.99, 0.5)[0, :, 0, 0]) == [2, 1, 0, 1], "four rows down, over the mirror's edge"
    single = one(far, np.full((1, 1, 1, 1), 7.0, np.float32), 0.99, 0.99)
    assert single == 7


GREY = np.ones(3) / math.sqrt(3)


@pytest.mark.parametrize(
    ("call", "matrix", "constant"),
    [
        (Call("brightness", {"std": 0.3, "probability": 1.0}), np.eye(3), 0.3),
        (Call("contrast", {"std": 0.5, "probability": 1.0}), np.eye(3) * 2**0.5, 0.0),
        (Call("luma_flip", {"probability": 1.0}), np.eye(3) - 2 * np.outer(GREY, GREY), 0.0),
        (
            Call("saturation", {"std": 1.0, "probability": 1.0}),
            2 * np.eye(3) - np.outer(GREY, GREY),
            0.0,
        ),
    ],
    ids=lambda value: value.word if isinstance(value, Call) else "",
)
@pytest.mark.parametrize("span", [(-1.0, 1.0), (0.0, 255.0)], ids=str)
def test_colors_are_the_papers_matrices(
    call: Call, matrix: np.ndarray, constant: float, span: tuple[float, float]
) -> None:
    """Karras et al. 2020, appendix B: maps of the colors about mid-grey, here with the normal number 1."""
    half, middle = (span[1] - span[0]) / 2, (span[0] + span[1]) / 2
    images = images_of(2, 4, 5, 3) * half + middle
    uniform = tf.constant([[[1 - math.exp(-0.5), 0.0, 0.0, 0.0]]] * 2, tf.float32)
    made = transformed((call,), tf.constant(images), uniform, lambda number, x: x, span=span).numpy()
    expected = ((images - middle) / half @ matrix.T + constant) * half + middle
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-4 * half)


def test_hue_turns_about_the_grey_axis() -> None:
    images = images_of(2, 4, 5, 3)
    turned = one(Call("hue", {"angle": Quantity(120, "degrees"), "probability": 1.0}), images, 0.75)
    np.testing.assert_allclose(turned, images @ Rotation.from_rotvec(GREY * math.pi / 3).as_matrix().T, atol=1e-5)
    whole = one(Call("hue", {"angle": Quantity(120, "degrees"), "probability": 1.0}), images, 1.0)
    np.testing.assert_allclose(whole, np.roll(images, 1, 3), atol=1e-5)


def test_grey_pictures_have_no_hue() -> None:
    grey = images_of(2, 4, 4, 1)
    np.testing.assert_array_equal(one(CALLS[-2], grey, 0.9), grey)
    np.testing.assert_allclose(one(CALLS[-1], grey, 0.9, 0.3), grey, atol=1e-6)
    np.testing.assert_allclose(one(Call("luma_flip", {}), grey), -grey, atol=1e-6)
    with_alpha = images_of(2, 4, 4, 2)
    flipped = one(Call("luma_flip", {}), with_alpha)
    np.testing.assert_allclose(flipped[..., 0], -with_alpha[..., 0], atol=1e-6)
    np.testing.assert_array_equal(flipped[..., 1], with_alpha[..., 1])


def test_normal_numbers_are_normal() -> None:
    pair = np.stack(normal(key().uniform([20_000, 4])))
    assert np.abs(pair.mean(1)).max() < 0.03 and np.abs(pair.std(1) - 1).max() < 0.03
    assert abs(np.corrcoef(pair)[0, 1]) < 0.03
    assert abs((np.abs(pair) > 1.959964).mean() - 0.05) < 0.005


def test_a_chance_decides_for_each_transform_and_example() -> None:
    images = np.broadcast_to(np.array([[0.0, 1.0], [2.0, 3.0]], np.float32)[None, :, :, None], (4000, 2, 2, 1))
    flips = tuple(Call("flip", {"axis": axis, "probability": 0.8}) for axis in ("horizontal", "vertical"))
    corner = both_of(flips)(tf.constant(images), key(), chance=tf.constant(0.5)).numpy()[:, 0, 0, 0]
    shares = np.bincount(corner.astype(int), minlength=4) / 4000
    np.testing.assert_allclose(shares, [0.36, 0.24, 0.24, 0.16], atol=0.03)


def test_a_chance_of_none_and_of_all() -> None:
    images = tf.constant(images_of(4, 8, 8, 3))
    transform = both_of(CALLS)
    np.testing.assert_array_equal(transform(images, key(), chance=tf.constant(0.0)), images)
    np.testing.assert_array_equal(transform(images, key(), chance=tf.constant(1.0)), transform(images, key()))


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


@pytest.mark.parametrize(
    "calls", [*((call,) for call in CALLS), CALLS], ids=lambda calls: f"{len(calls)}-{calls[0].word}"
)
def test_gradients_by_finite_differences(calls: tuple[Call, ...]) -> None:
    """Both the gradient by the images and the gradient of its squared norm, as R1 takes it."""
    images, weight = images_of(3, 7, 6, 3, seed=1).astype(np.float64), images_of(3, 7, 6, 3, seed=2).astype(np.float64)
    transform = both_of(calls)

    def score(x: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(tf.sin(transform(x, key(), chance=tf.constant(0.8))) * weight)

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
