"""The curve of precision against recall, on distributions whose curve is known."""

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.prd import precision_recall_curve

CENTRES = 10 * np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float64)


def drawn(shares: list[float], *, count: int = 1_000, seed: int = 0) -> NDArray[np.float64]:
    """Points near four far centres, each with its share."""
    random = np.random.default_rng(seed)
    return CENTRES[random.choice(4, count, p=shares)] + 0.1 * random.normal(size=(count, 2))


EVEN = [0.25, 0.25, 0.25, 0.25]


def test_of_one_distribution_both_reach_one() -> None:
    curve = precision_recall_curve(drawn(EVEN, seed=1), drawn(EVEN), clusters=4)
    assert curve.shape == (201, 2)
    assert (np.diff(curve[:, 0]) >= 0).all() and (np.diff(curve[:, 1]) <= 0).all()
    assert (curve.min(axis=1)).max() > 0.95


def test_of_two_far_ones_neither_does() -> None:
    assert precision_recall_curve(drawn(EVEN) + 100, drawn(EVEN)).max() < 0.01


def test_dropped_modes_bound_recall_and_invented_ones_precision() -> None:
    half = [0.5, 0.5, 0.0, 0.0]
    dropped = precision_recall_curve(drawn(half, seed=1), drawn(EVEN), clusters=4)
    assert dropped[:, 0].max() > 0.97 and abs(dropped[:, 1].max() - 0.5) < 0.05
    invented = precision_recall_curve(drawn(EVEN, seed=1), drawn(half), clusters=4)
    np.testing.assert_allclose(invented.max(axis=0), dropped.max(axis=0)[::-1], atol=0.05)


def test_few_rows() -> None:
    assert precision_recall_curve(drawn(EVEN, count=1), drawn(EVEN)).shape == (0, 2)
    assert np.isfinite(precision_recall_curve(drawn(EVEN, count=3), drawn(EVEN))).all()
