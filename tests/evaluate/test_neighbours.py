"""Precision, recall, density, coverage and memorization against their definitions."""

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

from gendsl.evaluate import neighbours
from gendsl.evaluate.neighbours import density_coverage, memorized, nearest, precision_recall, radii_of


def features(count: int, seed: int, scale: float = 1.0) -> np.ndarray:
    return (scale * np.random.default_rng(seed).normal(size=(count, 6))).astype(np.float32)


@pytest.fixture(params=(1 << 24, 1_000), ids=("one block", "many blocks"))
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_NUMBERS", request.param)
    monkeypatch.setattr(neighbours, "_COLUMNS", 4096 if request.param > 1_000 else 64)


def radii(rows: np.ndarray, k: int) -> np.ndarray:
    found, _ = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(rows).kneighbors(rows)
    return found[:, k]


@pytest.mark.usefixtures("blocks")
def test_precision_and_recall_are_their_definition() -> None:
    samples, data = features(150, 0, 0.9), features(200, 1)
    apart = pairwise_distances(samples.astype(float), data.astype(float))
    found = precision_recall(samples, data, neighbours=3)
    expected = (apart <= radii(data.astype(float), 3)).any(axis=1).mean()
    assert found["precision"].value == pytest.approx(expected, abs=1e-4)
    expected = (apart <= radii(samples.astype(float), 3)[:, None]).any(axis=0).mean()
    assert found["recall"].value == pytest.approx(expected, abs=1e-4)
    assert 0 < found["recall"].value < 1


@pytest.mark.usefixtures("blocks")
def test_density_and_coverage_are_their_definition() -> None:
    samples, data = features(150, 2, 0.9), features(200, 3)
    within = pairwise_distances(samples.astype(float), data.astype(float)) <= radii(data.astype(float), 5)
    found = density_coverage(samples, data, neighbours=5)
    assert found["density"].value == pytest.approx(within.sum() / (5 * 150), abs=1e-4)
    assert found["coverage"].value == pytest.approx(within.any(axis=0).mean(), abs=1e-4)


@pytest.mark.usefixtures("blocks")
def test_the_nearest_is_exact() -> None:
    rows, others = features(90, 4) + 1_000, features(210, 5) + 1_000
    rows[7] = others[11]
    expected = pairwise_distances(rows.astype(float), others.astype(float)).min(axis=1)
    np.testing.assert_allclose(nearest(rows, others), expected, atol=1e-6)
    assert nearest(rows, others)[7] == 0


def test_equal_rows_have_a_radius_of_zero_and_few_rows_none() -> None:
    rows = np.repeat(features(1, 6), 10, axis=0)
    assert (radii_of(rows, 3) == 0).all()
    assert precision_recall(rows, rows, neighbours=3)["precision"].value == 1  # they are the data
    assert np.isnan(precision_recall(rows[:3], rows, neighbours=3)["precision"].value)
    assert np.isnan(density_coverage(rows, rows[:5], neighbours=5)["density"].value)


def test_known_extremes() -> None:
    data = features(300, 7)
    far = features(300, 8) + 100
    assert precision_recall(far, data, neighbours=3)["precision"].value == 0
    assert precision_recall(far, data, neighbours=3)["recall"].value == 0
    same = density_coverage(features(300, 9), data, neighbours=5)
    assert same["density"].value == pytest.approx(1, abs=0.15)  # its expectation for equal distributions
    assert same["coverage"].value == pytest.approx(1 - 0.5**5, abs=0.08)  # Naeem et al. 2020, lemma 2
    one_mode = density_coverage(np.repeat(data[:1], 300, axis=0), data, neighbours=5)
    assert one_mode["coverage"].value < 0.1


def test_copies_are_memorized_and_new_draws_are_not() -> None:
    train, held_out = features(1_000, 10), features(500, 11)
    assert memorized(train[:50], train, held_out, quantile=0.01)["memorized"].value == 1
    almost = train[:50] + features(50, 12, 1e-3)
    assert memorized(almost, train, held_out, quantile=0.01)["memorized"].value == 1
    assert memorized(features(2_000, 13), train, held_out, quantile=0.01)["memorized"].value < 0.03
    half = np.concatenate([train[:100], features(100, 14)])
    assert memorized(half, train, held_out, quantile=0.01)["memorized"].value == pytest.approx(0.5, abs=0.03)
    assert np.isnan(memorized(half, train, held_out[:0], quantile=0.01)["memorized"].value)


def test_a_held_out_copy_is_no_excuse() -> None:
    train = features(100, 15)
    held_out = np.concatenate([train[:10], features(90, 16)])  # a leak: the usual distance is 0
    assert memorized(train, train, held_out, quantile=0.01)["memorized"].value == 1
    assert memorized(features(100, 17), train, held_out, quantile=0.01)["memorized"].value == 0
