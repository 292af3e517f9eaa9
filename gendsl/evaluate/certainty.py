"""A classifier's probabilities of samples in, the Inception Score out."""

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


def _score(chances: NDArray[np.float64]) -> float:
    tiny = np.finfo(np.float64).tiny
    marginal = chances.mean(axis=0)
    divergence = (chances * (np.log(np.maximum(chances, tiny)) - np.log(np.maximum(marginal, tiny)))).sum(axis=1)
    return float(np.exp(divergence.mean()))
