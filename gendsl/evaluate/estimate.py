"""A score and a way to take it again on a resample in, its 95 % interval out."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Resample = Callable[[np.random.Generator], float]
_PERCENTILES = 100  # resamples from which percentiles are taken; of fewer, the standard deviation is


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value; `resample` takes it anew of examples drawn from the same ones with replacement, where that is known.

    `how` says what is resampled. The interval is the bootstrap's (Efron & Tibshirani 1993), moved so that its mean is
    the value: a resample has fewer different examples, which biases many scores (the Fréchet distance upward).
    """

    value: float
    resample: Resample | None = None
    times: int = 400
    how: str = "samples"

    def interval(self, *, seed: int = 0) -> tuple[float, float] | None:
        """The bounds of the 95 % interval; None where there is none."""
        if self.resample is None or not math.isfinite(self.value):
            return None
        random = np.random.Generator(np.random.Philox(key=seed))
        taken = np.array([self.resample(random) for _ in range(self.times)], np.float64)
        taken = taken[np.isfinite(taken)]
        if len(taken) < 2:
            return None
        away = taken - taken.mean()
        if self.times < _PERCENTILES:
            spread = 1.96 * float(taken.std(ddof=1))
            return self.value - spread, self.value + spread
        low, high = np.quantile(away, (0.025, 0.975))
        return self.value + float(low), self.value + float(high)


def mean_of(contributions: NDArray[np.generic], *, how: str = "samples") -> Estimate:
    """The mean of contributions (n), one an example."""
    values = np.asarray(contributions, np.float64)
    if not len(values):
        return Estimate(float("nan"))

    def resample(random: np.random.Generator) -> float:
        return float(values[random.integers(0, len(values), len(values))].mean())

    return Estimate(float(values.mean()), resample, how=how)
