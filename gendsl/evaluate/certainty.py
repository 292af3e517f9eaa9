"""A classifier's probabilities of samples in, the Inception Score and the balance of their classes out."""

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.estimate import Estimate


def inception_score(chances: NDArray[np.floating], *, splits: int) -> Estimate:
    """exp(E[KL(p(y|x) | p(y))] of probabilities (n, classes), averaged over consecutive parts of the samples.

    Salimans et al. 2016, section 4. From 1 (all alike, or never sure) to the number of classes.
    """
    if not len(chances):
        return Estimate(float("nan"))
    parts = np.array_split(np.asarray(chances, np.float64), min(splits, len(chances)))

    def resample(random: np.random.Generator) -> float:
        return float(np.mean([_score(part[random.integers(0, len(part), len(part))]) for part in parts]))

    return Estimate(float(np.mean([_score(part) for part in parts])), resample, times=200)


def class_balance(chances: NDArray[np.floating], counts: NDArray[np.integer]) -> Estimate:
    """The total variation distance of the shares of the likeliest classes in probabilities (n, classes) from those of
    `counts` (classes,): from 0, the same shares, to 1, no class in common."""
    if not len(chances):
        return Estimate(float("nan"))
    seen, real = np.argmax(chances, axis=1), counts / counts.sum()

    def distance(classes: NDArray[np.integer]) -> float:
        share = np.bincount(classes, minlength=len(real)) / len(classes)
        return float(np.abs(share - real).sum() / 2)

    def resample(random: np.random.Generator) -> float:
        return distance(seen[random.integers(0, len(seen), len(seen))])

    return Estimate(distance(seen), resample, times=200)


def _score(chances: NDArray[np.float64]) -> float:
    tiny = np.finfo(np.float64).tiny
    marginal = chances.mean(axis=0)
    divergence = (chances * (np.log(np.maximum(chances, tiny)) - np.log(np.maximum(marginal, tiny)))).sum(axis=1)
    return float(np.exp(divergence.mean()))
