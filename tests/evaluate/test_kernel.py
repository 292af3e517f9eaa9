"""The kernel distance against its definition and TF-GAN."""

import numpy as np
import pytest

from gendsl.evaluate.kernel import kernel_distance


def features(count: int, seed: int, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, (count, 12)).astype(np.float32)


def by_definition(x: np.ndarray, y: np.ndarray) -> float:
    """Gretton et al. 2012, equation 3, term by term."""

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / len(a) + 1) ** 3)

    x, y = x.astype(float), y.astype(float)
    same = [k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j]
    theirs = [k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j]
    return float(np.mean(same) + np.mean(theirs) - 2 * np.mean([k(a, b) for a in x for b in y]))


def test_it_is_its_definition() -> None:
    x, y = features(40, 0), features(50, 1, 0.5)
    found = kernel_distance(x, y, subsets=100, subset_size=1_000)
    assert found.value == pytest.approx(by_definition(x, y), abs=1e-9)


def test_it_agrees_with_tfgan() -> None:
    import tensorflow as tf

    from gendsl.lower import tfgan

    x, y = features(64, 2), features(64, 3, 0.5)
    metrics = tfgan.module("eval.classifier_metrics")
    theirs = float(metrics.kernel_classifier_distance_from_activations(tf.constant(y), tf.constant(x)))
    assert kernel_distance(x, y, subsets=1, subset_size=1_000).value == pytest.approx(theirs, abs=1e-4)


def test_it_is_unbiased_with_few_samples() -> None:
    found = [
        kernel_distance(features(20, seed), features(20, 500 + seed), subsets=1, subset_size=20).value
        for seed in range(300)
    ]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(300)
    assert min(found) < 0  # no distance is cut off at zero, which would bias


def test_subsets_of_many_estimate_the_same() -> None:
    x, y = features(600, 4), features(700, 5, 0.5)
    whole = kernel_distance(x, y, subsets=1, subset_size=1_000).value
    assert kernel_distance(x, y, subsets=100, subset_size=100).value == pytest.approx(whole, rel=0.1)


def test_the_interval_and_too_few() -> None:
    x, y = features(300, 6), features(300, 7, 0.3)
    found = kernel_distance(x, y, subsets=1, subset_size=1_000)
    low, high = found.interval() or (0, 0)
    assert low < found.value < high
    others = [
        kernel_distance(features(300, s), features(300, 50 + s, 0.3), subsets=1, subset_size=1_000).value
        for s in range(20, 40)
    ]
    assert np.std(others) == pytest.approx((high - low) / 3.92, rel=0.6)
    assert np.isnan(kernel_distance(x[:1], y, subsets=1, subset_size=9).value)
