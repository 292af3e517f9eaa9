"""Numbers in, the Gaussian of a mixture that each lies in, one-hot, and its place in that Gaussian out.

Source: Xu et al. 2019, Modeling Tabular Data using Conditional GAN (CTGAN), section 4.2.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from gendsl.lower.tables.encoding import Codes, best, one_hot

_LEAST_WEIGHT = 0.005  # of a Gaussian that counts, as in the authors' code
_MOST_FITTED = 10_000  # rows: the fit takes a second


@dataclass(frozen=True)
class Mixture:
    """Mode-specific normalisation: x becomes (x - mean) / (4 std) of a mode, and the mode's one-hot.

    The mode of x is drawn from p(mode | x). Nothing is clipped: a value further than 4 std from its mode lies beyond
    -1..1, and comes back. `weights` (modes,) are 0 for modes that do not count; those are never drawn, nor read from
    what a network gives. With `missing` the one-hot has one more place, for missing cells, whose value is 0.
    """

    means: tuple[float, ...]
    stds: tuple[float, ...]
    weights: tuple[float, ...]
    missing: bool

    @property
    def width(self) -> int:
        return 1 + len(self.means) + self.missing

    def encode(self, codes: Codes, uniform: Codes) -> Codes:
        here = ~np.isnan(codes)
        known = np.where(here, codes, self.means[0])
        chances = np.cumsum(self.responsibilities(known), axis=1)
        drawn = (uniform[:, None] * chances[:, -1:] < chances).argmax(axis=1)
        value = (known - np.array(self.means)[drawn]) / (4 * np.array(self.stds)[drawn])
        place = np.where(here, drawn, len(self.means))
        width = len(self.means) + self.missing
        return np.concatenate([np.where(here, value, 0.0)[:, None], one_hot(place, width)], axis=1)

    def decode(self, values: Codes) -> Codes:
        counts = np.array([weight > 0 for weight in self.weights] + [True] * self.missing)
        place = best(values[:, 1:], counts)
        mode = np.minimum(place, len(self.means) - 1)
        codes = np.array(self.means)[mode] + 4 * np.array(self.stds)[mode] * values[:, 0]
        return np.where(place < len(self.means), codes, np.nan)

    def responsibilities(self, codes: Codes) -> Codes:
        """p(mode | x) (n, modes), up to a factor a row, of numbers (n,)."""
        stds = np.array(self.stds)
        with np.errstate(divide="ignore"):
            weights = np.log(np.array(self.weights)) - np.log(stds)
        with np.errstate(over="ignore"):
            log = weights - 0.5 * ((codes[:, None] - np.array(self.means)) / stds) ** 2
        out: Codes = np.exp(log - log.max(axis=1, keepdims=True))
        return out


def mixture_of(codes: Codes, modes: int, missing: bool, seed: int) -> Mixture:
    """Fits a variational Gaussian mixture to numbers (n,) without missing ones; at most 10,000 of them, drawn.

    `modes` Gaussians are given a place each, the heaviest first, however many of them count.
    """
    spread = float(codes.std()) if len(codes) else 0.0
    centre = float(codes.mean()) if len(codes) else 0.0
    different = len(np.unique(codes))
    if different < 2 or spread == 0:
        value = float(codes[0]) if len(codes) else 0.0
        return _padded([value], [1.0], [1.0], modes, missing)
    from sklearn.mixture import BayesianGaussianMixture
    from threadpoolctl import threadpool_limits

    rows = np.argsort(np.random.Philox(key=seed).random_raw(len(codes)), kind="stable")[:_MOST_FITTED]
    # the fit's priors and floors are absolute numbers, made for a spread of about 1
    some = ((codes[rows] - centre) / spread)[:, None]
    fit = BayesianGaussianMixture(
        n_components=min(modes, different, len(some)),
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=1e-3,
        max_iter=100,
        random_state=seed % (1 << 32),
    )
    # one thread: sums in one order on every machine; that a fit has not converged is no news
    with threadpool_limits(1), warnings.catch_warnings(action="ignore"):
        fit.fit(some)
    order = np.argsort(-fit.weights_, kind="stable")
    weights = np.where(fit.weights_ > _LEAST_WEIGHT, fit.weights_, 0.0)[order]
    means = centre + spread * fit.means_[order, 0]
    stds = spread * np.sqrt(fit.covariances_[order, 0, 0])
    return _padded(means.tolist(), stds.tolist(), weights.tolist(), modes, missing)


def _padded(means: list[float], stds: list[float], weights: list[float], modes: int, missing: bool) -> Mixture:
    more = modes - len(means)
    return Mixture((*means, *[means[0]] * more), (*stds, *[1.0] * more), (*weights, *[0.0] * more), missing)
