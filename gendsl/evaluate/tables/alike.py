"""Cells of samples and of data in, how alike each column and each pair of columns is out.

Source: Patki et al. 2016, The Synthetic Data Vault, whose scores the documentation of SDMetrics defines: the complement
of the Kolmogorov-Smirnov statistic and of the total-variation distance; similarity of correlations and contingencies.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.tables.cells import Cells, Codes, is_category, places_of
from gendsl.lower.tables.table import Column

_BINS = 10  # of numbers beside categories


def column_shapes(samples: Cells, data: Cells) -> dict[str, float]:
    """How alike each column is, in 0..1, by name; NaN where a side has no cell but missing ones.

    1 - sup |F - G| of numbers and times that are there, 1 - half the summed differences of shares of categories,
    missing cells among them."""
    found = {}
    for place, column in enumerate(data.columns):
        one, other = samples.codes[:, place], data.codes[:, place]
        alike = _variation if is_category(column) else _kolmogorov
        found[column.name] = alike(column, one, other)
    return found


def column_pairs(samples: Cells, data: Cells) -> NDArray[np.float64]:
    """How alike each pair of columns is, in 0..1: (columns, columns), symmetric, NaN on the diagonal and where a
    correlation is not defined.

    Of two columns of numbers 1 - |difference of Pearson correlations| / 2, over rows where both are there; of others
    1 - half the summed differences of their joint shares, numbers cut into 10 bins, evenly from the data's least to its
    greatest."""
    many = len(data.columns)
    found = np.full((many, many), np.nan)
    binned = [
        (_places(column, samples.codes[:, k], data.codes[:, k]), _places(column, data.codes[:, k], data.codes[:, k]))
        for k, column in enumerate(data.columns)
    ]
    for one, other in combinations(range(many), 2):
        if is_category(data.columns[one]) or is_category(data.columns[other]):
            (left, real_left), (right, real_right) = binned[one], binned[other]
            wide = 1 + max(int(places.max(initial=0)) for places in (right, real_right))
            alike = _overlap(left * wide + right, real_left * wide + real_right)
        else:
            now, then = (correlation(cells.codes[:, one], cells.codes[:, other]) for cells in (samples, data))
            alike = 1 - abs(now - then) / 2
        found[one, other] = found[other, one] = alike
    return found


def averaged(values: NDArray[np.float64]) -> float:
    """The mean of those that are defined; NaN where none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def correlation(left: Codes, right: Codes) -> float:
    """Pearson's correlation of the rows where both are there; NaN where one is constant."""
    here = ~(np.isnan(left) | np.isnan(right))
    if here.sum() < 2 or np.ptp(left[here]) == 0 or np.ptp(right[here]) == 0:
        return float("nan")
    x, y = left[here] - left[here].mean(), right[here] - right[here].mean()
    return float(np.clip((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum()), -1, 1))


def _kolmogorov(column: Column, one: Codes, other: Codes) -> float:
    one, other = np.sort(one[~np.isnan(one)]), np.sort(other[~np.isnan(other)])
    if not len(one) or not len(other):
        return float("nan")
    points = np.concatenate([one, other])
    below = np.searchsorted(one, points, side="right") / len(one)
    other_below = np.searchsorted(other, points, side="right") / len(other)
    return float(1 - np.abs(below - other_below).max())


def _variation(column: Column, one: Codes, other: Codes) -> float:
    return _overlap(places_of(column, one), places_of(column, other))


def _overlap(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """1 - the total-variation distance of the shares of whole numbers from 0."""
    if not len(one) or not len(other):
        return float("nan")
    size = int(max(one.max(), other.max())) + 1
    left, right = (np.bincount(places, minlength=size) / len(places) for places in (one, other))
    return float(1 - np.abs(left - right).sum() / 2)


def _places(column: Column, codes: Codes, data: Codes) -> NDArray[np.int64]:
    """The category or the bin (n,) of each cell."""
    if is_category(column):
        return places_of(column, codes)
    known = data[~np.isnan(data)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    edges = np.linspace(low, high, _BINS + 1)[1:-1] if high > low else np.array([low])
    bins = np.searchsorted(edges, np.nan_to_num(codes), side="right")
    return np.where(np.isnan(codes), _BINS, bins).astype(np.int64)
