"""Each penalty against networks whose gradient is known: a linear and a quadratic one."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.lower.penalties import path_lengths, penalty_of, squared_norms
from gendsl.parts.keys import Key
from gendsl.plan import plan
from gendsl.plan.layers import pack_of
from gendsl.vocabulary.penalties import WORDS

KEY = Key(0, "test", 3)
WEIGHTS = np.array([[0.5], [-2.0], [1.0]], "float32")
REAL = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
FAKE = np.random.default_rng(1).normal(size=(6, 3)).astype("float32")


def linear(point: Any) -> Any:
    return tf.matmul(point, WEIGHTS)


def quadratic(point: Any) -> Any:
    """x . x / 2, whose gradient is x."""
    return 0.5 * tf.reduce_sum(tf.square(point), axis=1, keepdims=True)


def penalty(
    word: str, *tensors: np.ndarray, scores: Any = linear, pack: int = 1, key: Key = KEY, **options: Any
) -> float:
    options = {"target": 1, "one_sided": False, **options}
    return float(penalty_of(word, [tf.constant(one) for one in tensors], options, scores=scores, key=key, pack=pack))


@pytest.mark.parametrize("word", ["r1", "r2"])
def test_r1_and_r2_are_mean_squared_norms_without_a_half(word: str) -> None:
    assert penalty(word, REAL) == pytest.approx(float((WEIGHTS**2).sum()), rel=1e-6)
    assert penalty(word, REAL, scores=quadratic) == pytest.approx(float((REAL**2).sum(1).mean()), rel=1e-6)


def test_r1_sums_the_scores_of_a_patch_judge() -> None:
    def patches(point: Any) -> Any:
        return tf.concat([linear(point), 2 * linear(point)], axis=1)

    assert penalty("r1", REAL, scores=patches) == pytest.approx(float(9 * (WEIGHTS**2).sum()), rel=1e-6)


@pytest.mark.parametrize("target", [1, 2.5])
def test_gradient_penalty_of_a_linear_critic(target: float) -> None:
    norm = np.sqrt((WEIGHTS**2).sum() + 1e-12)
    assert penalty("gradient_penalty", REAL, FAKE, target=target) == pytest.approx((norm - target) ** 2, rel=1e-5)


def test_gradient_penalty_interpolates_with_one_epsilon_an_example() -> None:
    points = []

    def seen(point: Any) -> Any:
        points.append(point.numpy())
        return quadratic(point)

    found = penalty("gradient_penalty", REAL, FAKE, scores=seen)
    (point,) = points
    epsilon = (point - REAL) / (FAKE - REAL)
    np.testing.assert_allclose(epsilon, np.repeat(epsilon[:, :1], 3, 1), rtol=1e-3, atol=1e-4)
    assert len(np.unique(np.round(epsilon[:, 0], 4))) == len(REAL)
    assert epsilon.min() >= 0 and epsilon.max() <= 1
    norms = np.sqrt((point**2).sum(1) + 1e-12)
    assert found == pytest.approx(((norms - 1) ** 2).mean(), rel=1e-5)


def test_one_sided_spares_small_gradients() -> None:
    small = lambda point: 0.1 * linear(point)  # noqa: E731
    assert penalty("gradient_penalty", REAL, FAKE, scores=small, one_sided=True) == 0
    assert penalty("gradient_penalty", REAL, FAKE, scores=small) > 0.1
    assert penalty("gradient_penalty", REAL, FAKE, one_sided=True) == penalty("gradient_penalty", REAL, FAKE)


def test_gradient_of_a_flat_critic_is_finite() -> None:
    weight = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        value = penalty_of(
            "gradient_penalty",
            [tf.constant(REAL), tf.constant(FAKE)],
            {"target": 1, "one_sided": False},
            scores=lambda point: weight * linear(point),
            key=KEY,
        )
    assert np.isfinite(float(tape.gradient(value, weight)))


def test_second_order_gradient_reaches_the_weights() -> None:
    weight = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        value = penalty_of("r1", [tf.constant(REAL)], {}, scores=lambda point: weight * quadratic(point), key=KEY)
    # value = w^2 E|x|^2
    assert float(tape.gradient(value, weight)) == pytest.approx(4 * float((REAL**2).sum(1).mean()), rel=1e-5)


def test_a_pack_shares_its_epsilon_and_its_gradient() -> None:
    points = []

    def packed(point: Any) -> Any:
        points.append(point.numpy())
        return tf.reduce_sum(tf.reshape(0.5 * tf.square(point), (3, 6)), axis=1, keepdims=True)

    found = penalty("gradient_penalty", REAL, FAKE, scores=packed, pack=2)
    (point,) = points
    epsilon = ((point - REAL) / (FAKE - REAL))[:, 0]
    np.testing.assert_allclose(epsilon[::2], epsilon[1::2], rtol=1e-3, atol=1e-4)
    norms = np.sqrt((point.reshape(3, 6) ** 2).sum(1))
    assert found == pytest.approx(((norms - 1) ** 2).mean(), rel=1e-5)


def test_dragan_stays_near_real_data() -> None:
    points = []

    def seen(point: Any) -> Any:
        points.append(point.numpy())
        return quadratic(point)

    found = penalty("dragan", REAL, scores=seen)
    (point,) = points
    moved = point - REAL
    assert moved.min() >= 0 and moved.max() <= 0.5 * REAL.std() + 1e-6 and moved.std() > 0
    norms = np.sqrt((point**2).sum(1))
    assert found == pytest.approx(((norms - 1) ** 2).mean(), rel=1e-5)


def test_draws_follow_the_key() -> None:
    def at(moment: int) -> float:
        return penalty("gradient_penalty", REAL, FAKE, scores=quadratic, key=Key(0, "test", moment))

    assert at(1) == at(1) and at(1) != at(2)


def test_images_give_one_norm_an_example() -> None:
    images = np.random.default_rng(0).normal(size=(4, 3, 3, 2)).astype("float32")
    norms = squared_norms(lambda x: 0.5 * tf.reduce_sum(tf.square(x), axis=[1, 2, 3]), tf.constant(images))
    np.testing.assert_allclose(norms, (images**2).sum((1, 2, 3)), rtol=1e-5)


def test_a_gradient_too_small_for_float16_is_scaled_on_its_way() -> None:
    def half(point: Any) -> Any:
        first = tf.cast(point, tf.float16) * tf.constant(2e-4, tf.float16)
        return tf.cast(first * tf.constant(1e-4, tf.float16), tf.float32)

    point = tf.constant(REAL[:, :1])
    assert not np.asarray(squared_norms(half, point)).any(), "2e-8 is below what float16 holds"
    scaled = squared_norms(half, point, scale=tf.constant(2.0**12))
    np.testing.assert_allclose(np.sqrt(scaled), 2e-8, rtol=1e-2)


def test_pack_is_read_from_the_layers() -> None:
    layer = plan.Layer("pack", "pack", {"samples": 10}, (0,), (10,), 0, 0, 0)
    assert pack_of(plan.Network("d", (), (layer,), (), {})) == 10
    assert pack_of(plan.Network("d", (), (), (), {})) == 1


def test_path_lengths_are_those_of_the_jacobians_transpose() -> None:
    """A linear map to pictures: J^T y of each example by hand, y the key's noise over the root of the places."""
    matrix = np.random.default_rng(5).normal(size=(3, 2 * 4 * 3)).astype("float32")
    point = tf.constant(REAL)

    def pictures(latent: Any) -> Any:
        return tf.reshape(tf.matmul(latent * tf.abs(latent), matrix), [-1, 2, 4, 3])

    found = path_lengths(pictures, point, key=KEY)
    noise = KEY.at("noise").normal([6, 2, 4, 3]).numpy().reshape(6, -1) / np.sqrt(2 * 4)
    jacobians = 2 * np.abs(REAL)[:, :, None] * matrix[None]  # of x |x|, (batch, latent, pixels)
    expected = np.linalg.norm(np.einsum("bij,bj->bi", jacobians, noise), axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_every_penalty_has_a_formula_here() -> None:
    assert {word.name for word in WORDS} == {
        "gradient_penalty",
        "dragan",
        "r1",
        "r2",
        "path_length",  # above, and its average in test_gans.py
        "orthogonality",  # in test_synthesis.py
    }
