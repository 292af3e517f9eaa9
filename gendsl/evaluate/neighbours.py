"""Features of samples and of data in, what their nearest neighbours tell out: precision, recall, density, coverage and
the share that is memorized. Distances are Euclidean, and taken in blocks: memory grows with n, not with n^2."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.estimate import Estimate, mean_of

Rows = NDArray[np.floating]
_NUMBERS = 1 << 24  # of a block of distances: 128 MB
_COLUMNS = 4096


def precision_recall(samples: Rows, data: Rows, *, neighbours: int) -> dict[str, Estimate]:
    """Precision: the share of samples in a ball around an example; recall: of examples in a ball around a sample.

    A ball reaches to the centre's nearest neighbour of that number among its own kind, itself not counted
    (Kynkäänniemi et al. 2019, equations 1 and 2). NaN where a side has no more than that many rows.
    """
    if min(len(samples), len(data)) <= neighbours:
        return {"precision": Estimate(float("nan")), "recall": Estimate(float("nan"))}
    radii, own = radii_of(data, neighbours), radii_of(samples, neighbours)
    inside = np.zeros(len(samples), bool)
    covered = np.zeros(len(data), bool)
    for rows, squared in _squared(samples, data):
        inside[rows] = (squared <= radii[None]).any(axis=1)
        covered |= (squared <= own[rows, None]).any(axis=0)
    return {"precision": mean_of(inside), "recall": mean_of(covered, how="examples")}


def density_coverage(samples: Rows, data: Rows, *, neighbours: int) -> dict[str, Estimate]:
    """Density: in how many examples' balls a sample lies, over k; coverage: the share of examples with a sample inside.

    Naeem et al. 2020, equations 4 and 5. Density may exceed 1; both are robust to outliers of the data, and coverage to
    those of the samples. NaN where the data has no more than k rows.
    """
    if len(data) <= neighbours or not len(samples):
        return {"density": Estimate(float("nan")), "coverage": Estimate(float("nan"))}
    radii = radii_of(data, neighbours)
    balls = np.zeros(len(samples))
    covered = np.zeros(len(data), bool)
    for rows, squared in _squared(samples, data):
        within = squared <= radii[None]
        balls[rows] = within.sum(axis=1) / neighbours
        covered |= within.any(axis=0)
    return {"density": mean_of(balls), "coverage": mean_of(covered, how="examples")}


def memorized(samples: Rows, train: Rows, held_out: Rows, *, quantile: float) -> dict[str, Estimate]:
    """The share of samples at most as far from their nearest training example as that quantile of held-out ones is.

    A generator that has learnt the distribution has about the quantile itself; one that copies has 1 (after Meehan et
    al. 2020, who compare the same two sets of distances by their ranks; Lopez-Paz & Oquab 2017, section 3.3).
    NaN without held-out examples.
    """
    if not min(len(samples), len(train), len(held_out)):
        return {"memorized": Estimate(float("nan"))}
    usual = float(np.quantile(nearest(held_out, train), quantile, method="lower"))
    return {"memorized": mean_of(nearest(samples, train) <= usual)}


def radii_of(rows: Rows, neighbours: int) -> NDArray[np.float64]:
    """The squared distance (n) of each row to its neighbour of a number; not to itself, but to an equal one: 0."""
    found = np.empty(len(rows))
    for chosen, squared in _squared(rows, rows):
        squared[np.arange(len(squared)), np.arange(chosen.start, chosen.start + len(squared))] = 0
        found[chosen] = np.partition(squared, neighbours, axis=1)[:, neighbours]
    return found


def nearest(rows: Rows, others: Rows) -> NDArray[np.float64]:
    """The distance (n) of each row to the nearest of other rows, exact: that of an equal one is 0."""
    found = np.empty(len(rows))
    for chosen, squared in _squared(rows, others):
        closest = squared.argmin(axis=1)
        apart = np.asarray(rows[chosen], np.float64) - np.asarray(others[closest], np.float64)
        found[chosen] = np.sqrt(np.square(apart).sum(axis=1))
    return found


def _squared(rows: Rows, others: Rows) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """The squared distances of some rows to all others, block by block."""
    starts = range(0, len(others), _COLUMNS)
    norms = np.concatenate([_norms(others[start : start + _COLUMNS]) for start in starts])
    at_once = max(1, _NUMBERS // len(others))
    for start in range(0, len(rows), at_once):
        block = np.asarray(rows[start : start + at_once], np.float64)
        squared = np.empty((len(block), len(others)))
        for column in starts:  # they are float32; a copy of all as float64 would be large
            part = np.asarray(others[column : column + _COLUMNS], np.float64)
            np.matmul(block, part.T, out=squared[:, column : column + _COLUMNS])
        squared *= -2
        squared += _norms(block)[:, None]
        squared += norms[None]
        yield slice(start, start + len(block)), np.maximum(squared, 0, out=squared)


def _norms(rows: Rows) -> NDArray[np.float64]:
    return np.asarray(np.square(np.asarray(rows, np.float64)).sum(axis=1))
