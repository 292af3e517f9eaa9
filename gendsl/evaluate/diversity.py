"""Samples and data in, the diversity of the samples as a share of the data's out."""

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

MOST_EXAMPLES = 1_000  # the eigenvalues take 0.3 s at a thousand, and eight times as long at two thousand


def diversity(samples: NDArray[np.floating], data: NDArray[np.floating]) -> float:
    """The Vendi score of samples (n, …) divided by that of as many examples (m, …); 1 is as diverse as the data.

    The Vendi score is the exponential of the entropy of the eigenvalues of K / n (Friedman & Dieng 2023, definition
    3.1): the number of different samples that there seem to be. K is a Gaussian kernel on the values; its squared width
    is half the median squared distance between examples, so that a typical pair has a similarity of 1/e. At most
    1,000 of each are compared. Samples that are no finite numbers count as one and the same sample.
    """
    count = min(len(samples), len(data), MOST_EXAMPLES)
    if count < 2:
        return float("nan")
    real = _flat(data, count)
    squared = _squared_distances(real)
    width = float(np.median(squared[np.triu_indices(count, 1)])) / 2
    if width <= 0:  # all examples are equal
        return float("nan")
    return _vendi(_squared_distances(_flat(samples, count)), width) / _vendi(squared, width)


def _flat(values: NDArray[np.floating], count: int) -> NDArray[np.float64]:
    """`count` of them, evenly from first to last, as rows."""
    chosen = np.linspace(0, len(values) - 1, count).round().astype(int)
    rows: NDArray[np.float64] = np.asarray(values, np.float64)[chosen].reshape(count, -1)
    return np.where(np.isfinite(rows), rows, 0.0)


def _squared_distances(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    norms = np.square(rows).sum(axis=1)
    distances: NDArray[np.float64] = np.maximum(norms[:, None] + norms[None] - 2 * rows @ rows.T, 0)
    return distances


def _vendi(squared: NDArray[np.float64], width: float) -> float:
    kernel = np.exp(-squared / (2 * width))
    with threadpool_limits(1):  # several threads gain little at this size, and lose much on a busy machine
        eigenvalues = np.linalg.eigvalsh(kernel / len(kernel))
    positive = eigenvalues[eigenvalues > 1e-12]
    return float(np.exp(-(positive * np.log(positive)).sum()))
