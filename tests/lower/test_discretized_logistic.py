"""Discretised logistics against SciPy: masses of levels, tails, scales, draws, and a VAE of them."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from gendsl.lower.discretized_logistic import DiscretizedLogistic
from gendsl.lower.networks import declared_shape
from gendsl.parts.keys import Key
from gendsl.vocabulary import types
from tests.check.specs import codes, plan_of, spec
from tests.lower.test_specs import made, step

RANDOM = np.random.default_rng(0)


LOCATION = RANDOM.normal(size=(6, 3)).astype("float32")


LOG_SCALE = RANDOM.normal(-2, 1, (6, 3)).astype("float32")


def levels(low: float, high: float, count: int) -> np.ndarray:
    return np.linspace(low, high, count)


def masses(location: Any, log_scale: Any, low: float, high: float, count: int) -> np.ndarray:
    """The probability of every level (…, count), by SciPy's logistic distribution."""
    grid, half = levels(low, high, count), (high - low) / (count - 1) / 2
    law = scipy.stats.logistic(np.float64(location)[..., None], np.exp(np.float64(log_scale))[..., None])
    above, below = grid + half, grid - half
    above[-1], below[0] = math.inf, -math.inf
    right = above + below > 2 * np.float64(location)[..., None]  # what is small there is told by the other tail
    found: np.ndarray = np.where(right, law.sf(below) - law.sf(above), law.cdf(above) - law.cdf(below))
    return found


@pytest.mark.parametrize(("low", "high", "count"), [(-1.0, 1.0, 256), (0.0, 1.0, 17), (0.0, 255.0, 256)])
def test_a_discretised_logistic_is_the_mass_of_intervals(low: float, high: float, count: int) -> None:
    scale = (high - low) / 2
    location, log_scale = LOCATION * scale + (low + high) / 2, LOG_SCALE + math.log(scale)
    expected = masses(location, log_scale, low, high, count)
    law = DiscretizedLogistic(tf.constant(location), tf.constant(log_scale), count, low, high)
    for place in (0, 1, count // 2, count - 2, count - 1):
        value = np.full_like(location, levels(low, high, count)[place])
        logs = np.log(expected[..., place])
        np.testing.assert_allclose(law.log_probs(tf.constant(value)), logs, rtol=2e-4, atol=2e-4)
        np.testing.assert_allclose(law.log_prob(tf.constant(value)), logs.sum(1), rtol=2e-4, atol=2e-4)
        nudged = value + 0.4 * (high - low) / (count - 1) * (1 if place < count - 1 else -1)
        np.testing.assert_array_equal(law.log_prob(tf.constant(nudged.astype("float32"))), law.log_prob(value))


def test_levels_far_from_the_location_keep_their_log_probability_and_gradient() -> None:
    location = tf.Variable([[0.9]])
    with tf.GradientTape() as tape:
        law = DiscretizedLogistic(location, tf.constant([[-6.0]]), 256, -1.0, 1.0)
        found = law.log_prob(tf.constant([[-0.5]]))
    half, scale = 1 / 255, math.exp(-6.0)
    # Deep in the tail F is an exponential: the log of e^(a/s) - e^(b/s).
    upper, lower = (-0.502 + half - 0.9) / scale, (-0.502 - half - 0.9) / scale
    place = -1 + round(0.5 * 255 / 2) * 2 / 255
    upper, lower = (place + half - 0.9) / scale, (place - half - 0.9) / scale
    assert float(found[0]) == pytest.approx(upper + math.log1p(-math.exp(lower - upper)), rel=1e-4)
    assert float(tape.gradient(found, location)[0, 0]) == pytest.approx(-1 / scale, rel=1e-4)


def test_scales_are_bounded_below() -> None:
    narrow, least = (
        DiscretizedLogistic(tf.constant([[0.1]]), tf.constant([[log]]), 256, 0.0, 1.0)
        for log in (-200.0, -7.0 + math.log(0.5))
    )
    np.testing.assert_array_equal(narrow.log_prob([[0.5]]), least.log_prob([[0.5]]))


def test_expectation_mode_and_draws_of_a_discretised_logistic() -> None:
    low, high, count = 0.0, 1.0, 17
    rows = 40_000
    law = DiscretizedLogistic(tf.constant(LOCATION), tf.constant(LOG_SCALE), count, low, high)
    expected = masses(LOCATION, LOG_SCALE, low, high, count)
    grid = levels(low, high, count)
    half = 0.5 / (count - 1)
    assert np.abs(np.asarray(law.mean) - expected @ grid).max() < half
    wide = math.log(half) < LOG_SCALE  # where the midpoint rule is good, so is the expectation
    assert wide.any() and np.abs(np.asarray(law.mean) - expected @ grid)[wide].max() < 1e-3
    np.testing.assert_allclose(law.mode(), grid[expected.argmax(-1)], atol=1e-6)
    many = DiscretizedLogistic(
        tf.repeat(LOCATION[:1], rows, 0), tf.repeat(LOG_SCALE[:1], rows, 0), count, low, high
    ).draw(Key(0, "test", 0))
    seen = np.stack([(np.abs(np.asarray(many)[..., None] - grid) < 1e-6).mean(0)])[0]
    np.testing.assert_allclose(seen.sum(-1), 1)
    np.testing.assert_allclose(seen, expected[0], atol=0.012)


def test_its_levels_span_the_fields_range() -> None:
    decoder = "network decoder(z: normal(4)) -> discretized_logistic({}) {{ dense 128 | reshape 8, 8, 2 }}"
    encoder = "network encoder(x: image) -> normal(4) { flatten | dense 8 }"
    train = (
        "train { update encoder, decoder { q = encoder(image); z ~ q; "
        "minimize nll(decoder(z), image) + kl(q, normal(4)) }; optimizer adam(1e-3); steps 10 }"
    )
    rest = {"generator": encoder, "train": train}
    sample = "sample { image = mean(decoder()) }"
    plan = plan_of(spec(sample, discriminator=decoder.format("image"), **rest))
    type = plan.network("decoder").outputs[0].type
    assert isinstance(type, types.Distribution) and (type.bounds, type.classes) == ((-1, 1), 256)
    assert declared_shape(type) == (8, 8, 2)
    plan = plan_of(spec(sample, discriminator=decoder.format("image, levels: 17, range: 0..1"), **rest))
    type = plan.network("decoder").outputs[0].type
    assert isinstance(type, types.Distribution) and (type.bounds, type.classes) == ((0, 1), 17)
    assert codes(spec(sample, discriminator=decoder.format("8x8x1"), **rest)) == ["bad_result"]


def test_a_vae_of_levels_trains() -> None:
    networks = """
      network encoder(x: image) -> normal(2) { flatten | dense 4 }
      network decoder(z: normal(2)) -> discretized_logistic(image, levels: 17) { dense 128 | reshape 8, 8, 2 }
    """
    train = """
      update encoder, decoder, with: adam(1e-2) {
        q = encoder(image)
        z ~ q
        minimize nll(decoder(z), image) + free_bits(q, normal(2), nats: 0.5)
      }
      steps 20"""
    experiment = made(networks, train, "sample { image = mean(decoder()) }")
    first = step(experiment, 1)["encoder_decoder/loss"]
    assert step(experiment, 60)["encoder_decoder/loss"] < first - 5
    image = np.asarray(experiment.sample(5, 1)["image"])
    assert image.shape == (5, 8, 8, 1) and image.min() >= -1 and image.max() <= 1
