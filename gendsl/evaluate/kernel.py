"""Features of samples and of data in, the kernel distance out: KID, which is unbiased however few samples there are."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.estimate import Estimate

Rows = NDArray[np.floating]
_LINEARISED = 2_000  # rows of each side from which the interval is taken


def kernel_distance(samples: Rows, data: Rows, *, subsets: int, subset_size: int, seed: int = 0) -> Estimate:
    """The mean over subsets of the unbiased squared maximum mean discrepancy under k(x, y) = (x·y / d + 1)^3.

    Bińkowski et al. 2018, section 4 (the estimator: Gretton et al. 2012, equation 3). Subsets of (subset_size, d) are
    drawn without replacement; where neither side has more rows than that there is one, of all. NaN for fewer than two.
    The interval resamples the samples' and the examples' first-order contributions.
    """
    if min(len(samples), len(data)) < 2:
        return Estimate(float("nan"))
    random = np.random.Generator(np.random.Philox(key=seed))
    pairs = _subsets(len(samples), len(data), subsets, subset_size, random)
    value = float(np.mean([_discrepancy(samples[ours], data[theirs]) for ours, theirs in pairs]))
    ours = random.permutation(len(samples))[:_LINEARISED]
    theirs = random.permutation(len(data))[:_LINEARISED]
    x, y = np.asarray(samples[ours], np.float64), np.asarray(data[theirs], np.float64)
    cross = _kernel(x, y)
    of_samples = 2 * (_others(_kernel(x, x)) - cross.mean(axis=1)) * np.sqrt(len(x) / len(samples))
    of_data = 2 * (_others(_kernel(y, y)) - cross.mean(axis=0)) * np.sqrt(len(y) / len(data))

    def resample(draws: np.random.Generator) -> float:
        first = of_samples[draws.integers(0, len(of_samples), len(of_samples))].mean()
        second = of_data[draws.integers(0, len(of_data), len(of_data))].mean()
        return float(first + second)

    return Estimate(value, resample, how="samples and examples, to first order")


def _subsets(
    ours: int, theirs: int, subsets: int, size: int, random: np.random.Generator
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    for _ in range(1 if max(ours, theirs) <= size else subsets):
        yield np.sort(random.permutation(ours)[:size]), np.sort(random.permutation(theirs)[:size])


def _discrepancy(samples: Rows, data: Rows) -> float:
    x, y = np.asarray(samples, np.float64), np.asarray(data, np.float64)
    return float(_others(_kernel(x, x)).mean() + _others(_kernel(y, y)).mean() - 2 * _kernel(x, y).mean())


def _kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    found = x @ y.T
    found /= x.shape[1]
    found += 1
    return np.asarray(found * found * found)


def _others(kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each row its mean with all but itself (n)."""
    found: NDArray[np.float64] = (kernel.sum(axis=1) - np.diagonal(kernel)) / (len(kernel) - 1)
    return found
