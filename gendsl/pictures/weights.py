"""An experiment in, what can be measured of its weights out: norms, largest singular values, gradients, histograms."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.plan.plan import Plan

_ITERATIONS = 12
_BUCKETS = 30
_MOST_COUNTED = 16_384  # weights of a variable: a histogram of so many looks like that of all

Histogram = NDArray[np.float64]  # (buckets, 3): from, to, how many


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of an experiment's networks; each is read anew when it is asked for."""

    experiment: Any
    plan: Plan

    def scalars(self) -> dict[str, float]:
        """`weight_norm/NETWORK`, the Euclidean norm of all its trained weights; `spectral_norm/NETWORK/…`, the largest
        singular value of each kernel as a matrix from inputs to outputs (Miyato et al. 2018, section 2.1);
        `gradient_norm/UPDATE`, as optimizers that average squared gradients remember it."""
        squares: dict[str, float] = {}
        found: dict[str, float] = {}
        for network, path, variable in self._variables():
            values = _values(variable)
            squares[network] = squares.get(network, 0.0) + float(np.vdot(values, values))
            if values.ndim >= 2 and values.size:
                found[f"spectral_norm/{network}/{path}"] = largest_singular_value(values.reshape(-1, values.shape[-1]))
        norms = {f"weight_norm/{network}": square**0.5 for network, square in squares.items()}
        return norms | dict(self._gradients()) | found

    def histograms(self) -> dict[str, Histogram]:
        """`weights/NETWORK/VARIABLE` of each trained variable: thirty buckets from its lowest to its highest value."""
        return {
            f"weights/{network}/{path}": histogram_of(_values(variable))
            for network, path, variable in self._variables()
        }

    def _gradients(self) -> Iterator[tuple[str, float]]:
        for group in self.plan.train.groups:
            for update in group.updates:
                norm = self.experiment.gradient_norm(update.name)
                if norm is not None:
                    yield f"gradient_norm/{update.name}", norm

    def _variables(self) -> Iterator[tuple[str, str, Any]]:
        """Network, path and variable of each; of a network used in several once."""
        seen: set[int] = set()
        for name, model in self.experiment.networks.items():
            for variable in model.trainable_variables:
                if id(variable) not in seen:
                    seen.add(id(variable))
                    yield name, variable.path.removeprefix(f"{name}/"), variable


def _values(variable: Any) -> NDArray[np.float32]:
    return np.asarray(variable.value.numpy(), np.float32)


def largest_singular_value(matrix: NDArray[np.floating]) -> float:
    """The largest singular value of a matrix, to a few per cent, by power iterations from a fixed start; NaN of what is
    not finite."""
    if not np.isfinite(matrix).all():
        return float("nan")
    vector: NDArray[np.floating] = np.asarray(np.random.default_rng(0).standard_normal((matrix.shape[1],)), np.float32)
    length = 0.0
    for _ in range(_ITERATIONS):
        vector /= max(float(np.linalg.norm(vector)), 1e-30)
        image = matrix @ vector
        length = float(np.linalg.norm(image))
        vector = matrix.T @ image
    return length


def histogram_of(values: NDArray[np.floating]) -> Histogram:
    """The buckets of values; what is not finite is left out."""
    flat = values.reshape(-1)
    flat = flat[:: -(-len(flat) // _MOST_COUNTED)] if len(flat) else flat
    finite = flat[np.isfinite(flat)]
    if not len(finite):
        return np.zeros((0, 3))
    counts, edges = np.histogram(np.asarray(finite, np.float64), _BUCKETS)
    return np.stack([edges[:-1], edges[1:], counts], axis=1)
