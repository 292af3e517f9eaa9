"""The Fréchet distance against NumPy, SciPy, TF-GAN and the closed form."""

import numpy as np
import pytest
import scipy.linalg

from gendsl.evaluate.estimate import Estimate
from gendsl.evaluate.gaussian import FrechetResampler, Gaussian, Moments, frechet_distance, gaussian_of


def features(count: int, width: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.maximum(random.normal(size=(count, width)) @ random.normal(size=(width, width)) + 3, 0).astype(np.float32)


def by_scipy(one: np.ndarray, other: np.ndarray) -> float:
    """Heusel et al. 2017, equation 6, as it stands there."""
    a, b = np.cov(one.astype(float), rowvar=False), np.cov(other.astype(float), rowvar=False)
    root = scipy.linalg.sqrtm(a @ b).real
    apart = one.astype(float).mean(axis=0) - other.astype(float).mean(axis=0)
    return float(apart @ apart + np.trace(a + b - 2 * root))


def test_moments_block_by_block_are_numpys_of_all() -> None:
    rows = features(1_000, 24, 0) + 1e4  # a large mean must cost no digits
    moments = Moments(24)
    for start in range(0, 1_000, 77):
        moments.add(rows[start : start + 77])
    moments.add(rows[:0])
    found = moments.gaussian()
    exact = rows.astype(np.float64)
    assert found.count == 1_000
    np.testing.assert_allclose(found.mean, exact.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(exact, rowvar=False), rtol=1e-8, atol=1e-8)


def test_the_distance_agrees_with_scipy_and_tfgan() -> None:
    from gendsl.lower import tfgan

    one, other = features(900, 40, 1), features(800, 40, 2)
    found = frechet_distance(gaussian_of(one), gaussian_of(other))
    assert found == pytest.approx(by_scipy(one, other), rel=1e-6)
    metrics = tfgan.module("eval.classifier_metrics")
    theirs = float(metrics.frechet_classifier_distance_from_activations(other, one))
    assert found == pytest.approx(theirs, rel=1e-4)


def test_the_closed_form_of_known_gaussians() -> None:
    # Of diagonal covariances the distance is |m1 - m2|^2 + sum (s1 - s2)^2.
    m1, m2, s1, s2 = np.array([1.0, -2, 0]), np.array([0.0, 2, 3]), np.array([1.0, 2, 0.5]), np.array([3.0, 1, 0.5])
    one, other = Gaussian(m1, np.diag(s1**2), 10), Gaussian(m2, np.diag(s2**2), 10)
    expected = float(np.square(m1 - m2).sum() + np.square(s1 - s2).sum())
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-12)
    # And rotated by one and the same rotation.
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    turned = [Gaussian(rotation @ g.mean, rotation @ g.covariance @ rotation.T, 10) for g in (one, other)]
    assert frechet_distance(*turned) == pytest.approx(expected, rel=1e-9)


def test_samples_of_known_gaussians_come_near_the_closed_form() -> None:
    random = np.random.default_rng(0)
    one = random.normal(0, 1, (100_000, 4))
    other = random.normal(1, 2, (100_000, 4))
    assert frechet_distance(gaussian_of(one), gaussian_of(other)) == pytest.approx(4 * (1 + 1), rel=0.02)


def test_singular_covariances() -> None:
    few = features(10, 40, 3)  # of rank 9
    constant = np.ones((50, 40), np.float32)
    many = features(500, 40, 4)
    assert frechet_distance(gaussian_of(few), gaussian_of(many)) == pytest.approx(by_scipy(few, many), rel=1e-4)
    assert frechet_distance(gaussian_of(many), gaussian_of(few)) == pytest.approx(by_scipy(few, many), rel=1e-4)
    spread = np.trace(np.cov(many.astype(float), rowvar=False)) + np.square(many.astype(float).mean(axis=0) - 1).sum()
    assert frechet_distance(gaussian_of(constant), gaussian_of(many)) == pytest.approx(spread, rel=1e-6)
    assert frechet_distance(gaussian_of(constant), gaussian_of(constant)) == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="two examples"):
        gaussian_of(many[:1])


@pytest.mark.parametrize("count", (30, 400))
def test_a_resample_is_the_distance_of_the_drawn_rows(count: int) -> None:
    rows, other = features(count, 40, 5), gaussian_of(features(500, 40, 6))
    drawn = np.random.default_rng(7).integers(0, count, count)
    expected = frechet_distance(gaussian_of(rows[drawn]), other)
    assert FrechetResampler.of(rows, other)(np.random.default_rng(7)) == pytest.approx(expected, rel=1e-6)


def test_the_interval_holds_the_value_of_other_samples() -> None:
    other = gaussian_of(features(2_000, 8, 8))
    held = 0
    for seed in range(40):
        rows = np.random.default_rng(seed).normal(2, 1, (300, 8))
        resampler = FrechetResampler.of(rows, other)
        low, high = Estimate(frechet_distance(gaussian_of(rows), other), resampler, times=100).interval() or (0, 0)
        again = frechet_distance(gaussian_of(np.random.default_rng(1_000).normal(2, 1, (100_000, 8))), other)
        held += low <= again <= high
    assert held >= 34  # of 40 intervals of 95 %
