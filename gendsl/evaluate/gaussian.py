"""Features in, block by block, their mean and covariance out; two of those in, the Fréchet distance out."""

from dataclasses import dataclass, field

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

Rows = NDArray[np.floating]


@dataclass(slots=True)
class Moments:
    """The count, mean and covariance of rows of a width, accumulated in float64.

    Rows are taken relative to the mean of the first block, so that a large mean costs no digits.
    """

    width: int
    count: int = 0
    _shift: NDArray[np.float64] | None = None
    _sum: NDArray[np.float64] = field(init=False)
    _products: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self._sum = np.zeros(self.width)
        self._products = np.zeros((self.width, self.width))

    def add(self, rows: Rows) -> None:
        """Takes rows (n, width) in."""
        if not len(rows):
            return
        if self._shift is None:
            self._shift = np.asarray(rows, np.float64).mean(axis=0)
        moved = np.subtract(rows, self._shift, dtype=np.float64)
        self.count += len(moved)
        self._sum += moved.sum(axis=0)
        self._products += moved.T @ moved

    def gaussian(self) -> "Gaussian":
        """The mean, and the covariance with n - 1 degrees of freedom. Needs two rows."""
        if self._shift is None or self.count < 2:
            raise ValueError("a covariance needs two examples")
        mean = self._sum / self.count
        covariance = (self._products - self.count * np.outer(mean, mean)) / (self.count - 1)
        return Gaussian(self._shift + mean, covariance, self.count)


@dataclass(frozen=True, slots=True)
class Gaussian:
    """A mean (d), a covariance (d, d), and of how many examples they are."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    count: int


def gaussian_of(rows: Rows, *, at_once: int = 4096) -> Gaussian:
    """The Gaussian of rows (n, d)."""
    moments = Moments(rows.shape[1])
    for start in range(0, len(rows), at_once):
        moments.add(rows[start : start + at_once])
    return moments.gaussian()


def frechet_distance(one: Gaussian, other: Gaussian) -> float:
    """The squared Fréchet distance of two Gaussians (Dowson & Landau 1982; Heusel et al. 2017, equation 6).

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2). With C1 = F F^T the last trace is the sum of the roots of the eigenvalues
    of F^T C2 F, which is symmetric: no complex numbers, and no correction by a small diagonal.
    """
    factor = factor_of(one.covariance)
    shared = _roots(factor.T @ other.covariance @ factor)
    apart = one.mean - other.mean
    found = float(apart @ apart + np.trace(one.covariance) + np.trace(other.covariance) - 2 * shared)
    return max(found, 0.0)  # of equal Gaussians rounding may leave -1e-12


def factor_of(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """F (d, d) with F F^T the covariance: Cholesky's where there is one, which is fast, else the symmetric root."""
    try:
        found: NDArray[np.float64] = scipy.linalg.cholesky(covariance, lower=True, check_finite=False)
        diagonal = np.diagonal(found)
        if diagonal.min() > 1e-7 * diagonal.max():  # nearly singular factors have lost their digits
            return found
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))


def _roots(symmetric: NDArray[np.float64]) -> float:
    """The sum of the roots of the eigenvalues."""
    values = scipy.linalg.eigvalsh(symmetric, overwrite_a=True, check_finite=False)
    return float(np.sqrt(np.maximum(values, 0)).sum())


@dataclass(frozen=True, slots=True)
class FrechetResampler:
    """Takes the distance of resamples of rows (n, d) to a Gaussian; the Gaussian is factored once."""

    rows: NDArray[np.float64]  # times the factor
    means: NDArray[np.float64]  # the rows themselves
    other: Gaussian
    squares: NDArray[np.float64]

    @staticmethod
    def of(rows: Rows, other: Gaussian) -> "FrechetResampler":
        """For rows (n, d)."""
        exact = np.asarray(rows, np.float64)
        return FrechetResampler(exact @ factor_of(other.covariance), exact, other, np.square(exact).sum(axis=1))

    def __call__(self, random: np.random.Generator) -> float:
        count = len(self.rows)
        weights = np.bincount(random.integers(0, count, count), minlength=count).astype(np.float64)
        chosen = weights > 0
        weights = weights[chosen]
        share = weights / count
        mean, moved = share @ self.means[chosen], self.rows[chosen]
        moved = (moved - share @ moved) * np.sqrt(weights / (count - 1))[:, None]
        products = moved.T @ moved if len(moved) >= moved.shape[1] else moved @ moved.T  # the same eigenvalues but 0
        spread = float(weights @ self.squares[chosen] - count * (mean @ mean)) / (count - 1)
        apart = self.other.mean - mean
        return float(apart @ apart) + float(np.trace(self.other.covariance)) + spread - 2 * _roots(products)
