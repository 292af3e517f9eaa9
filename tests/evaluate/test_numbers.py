"""The Inception Score, the sliced Wasserstein distance and intervals against what is known of them."""

import numpy as np
import pytest
import scipy.stats

from gendsl.evaluate import sliced
from gendsl.evaluate.certainty import class_balance, inception_score
from gendsl.evaluate.estimate import Estimate, mean_of
from gendsl.evaluate.sliced import most_pictures, sliced_wasserstein


def test_the_inception_score_agrees_with_tfgan() -> None:
    from gendsl.lower import tfgan

    logits = np.random.default_rng(0).normal(0, 2, (200, 10)).astype(np.float32)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    theirs = float(tfgan.module("eval.classifier_metrics").classifier_score_from_logits(logits))
    assert inception_score(chances, splits=1).value == pytest.approx(theirs, rel=1e-4)


def test_the_balance_of_classes_is_the_share_that_would_have_to_change() -> None:
    chances = np.eye(4)[[0, 0, 0, 1, 1, 2, 2, 2]]  # 3/8, 2/8, 3/8, none
    assert class_balance(chances, np.array([3, 2, 3, 0])).value == 0
    assert class_balance(chances, np.array([2, 2, 2, 2])).value == pytest.approx(0.25)
    assert class_balance(chances, np.array([0, 0, 0, 7])).value == 1
    found = class_balance(chances, np.array([1, 1, 1, 1]))
    assert found.resample is not None and 0 <= found.resample(np.random.default_rng(0)) <= 1
    assert np.isnan(class_balance(chances[:0], np.array([1, 1, 1, 1])).value)


def test_the_inception_score_of_extremes() -> None:
    sure = np.eye(10)[np.arange(1_000) % 10]
    assert inception_score(sure, splits=10).value == pytest.approx(10)
    assert inception_score(np.eye(10)[np.zeros(100, int)], splits=2).value == pytest.approx(1)
    assert inception_score(np.full((100, 10), 0.1), splits=2).value == pytest.approx(1)
    assert inception_score(sure[:3], splits=10).value == pytest.approx(1)  # parts of one sample
    assert np.isnan(inception_score(sure[:0], splits=10).value)


def pictures(count: int, seed: int, scale: float = 0.2, side: int = 32) -> np.ndarray:
    return (0.5 + scale * np.random.default_rng(seed).normal(size=(count, side, side, 3))).clip(0, 1).astype(np.float32)


def test_the_distance_along_a_direction_is_scipys() -> None:
    random = np.random.default_rng(1)
    a, b = random.normal(size=(500, 8)).astype(np.float32), random.normal(1, 2, (500, 8)).astype(np.float32)
    found = sliced._distances(a, b, 5, np.random.default_rng(2))
    directions = np.random.default_rng(2)
    for distance in found:
        along = directions.normal(size=8)
        along /= np.linalg.norm(along)
        assert distance == pytest.approx(scipy.stats.wasserstein_distance(a @ along, b @ along), rel=1e-4)


def test_the_pyramid_gives_the_picture_back() -> None:
    given = pictures(2, 3, side=64)
    fine, middle, coarse = sliced._pyramid(given)
    assert [level.shape[1] for level in (fine, middle, coarse)] == [64, 32, 16]
    whole = coarse
    for level in (middle, fine):
        larger = np.zeros_like(level)
        larger[:, ::2, ::2] = whole
        whole = level + 4 * sliced._blurred(larger)
    np.testing.assert_allclose(whole, given, atol=1e-5)


def test_sliced_wasserstein_tells_alike_from_different() -> None:
    def shades(seed: int) -> np.ndarray:
        """Pictures that run from dark to bright in some direction."""
        random = np.random.default_rng(seed)
        across, down = np.meshgrid(np.linspace(-1, 1, 32), np.linspace(-1, 1, 32))
        turn = random.uniform(0, 2 * np.pi, (100, 1, 1, 1))
        ramp = np.cos(turn) * across[..., None] + np.sin(turn) * down[..., None]
        return (0.5 + 0.3 * ramp + np.zeros(3) + random.normal(0, 0.05, (100, 1, 1, 3))).clip(0, 1).astype(np.float32)

    data, noise = shades(4), pictures(100, 5)

    def distance(samples: np.ndarray) -> float:
        return sliced_wasserstein(samples, data, patches=32, patch=7, directions=32).value

    alike = distance(shades(5))
    assert 0 < alike < distance(noise) / 3
    assert distance(data[:1]) != distance(data[:1])  # NaN: one picture is no distribution
    assert distance(np.full_like(data, 0.5)) > 3 * alike
    small = [pictures(30, seed, side=8) for seed in (6, 7)]
    assert np.isfinite(sliced_wasserstein(*small, patches=8, patch=16, directions=8).value)
    assert most_pictures(128) == 1_024


def test_the_interval_of_a_mean_holds_it() -> None:
    held = 0
    for seed in range(200):
        low, high = mean_of(np.random.default_rng(seed).exponential(1, 100)).interval() or (0, 0)
        held += low <= 1 <= high
    assert 175 <= held <= 199


def test_what_has_no_interval() -> None:
    assert Estimate(1.0).interval() is None
    assert Estimate(float("nan"), lambda random: 1.0).interval() is None
    assert np.isnan(mean_of(np.zeros(0)).value)
    assert Estimate(2.0, lambda random: float(random.normal()), times=20).interval() is not None
