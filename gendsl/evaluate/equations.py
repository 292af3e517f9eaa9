"""The bindings of an `evaluate` block in, their values over a split out: scores of the user's own."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from gendsl.parts.keys import Key
from gendsl.plan.plan import Evaluation
from gendsl.vocabulary.types import Scalar, Tensor

_DRAW_BITS = 32  # of the moment; the rest number the batch


class Equations:
    """The scores that an `evaluate` block defines by bindings; traced once for each size of batch."""

    def __init__(self, experiment: Any, evaluation: Evaluation, *, number: int, averaged: bool = True) -> None:
        self._experiment = experiment
        self._operations = evaluation.operations
        self._number = number
        self._averaged = averaged
        self._wanted = tuple(pair for pair in evaluation.equations if _is_number(self._operations[pair[1]].type))
        self._graph = tf.function(self._measured)

    @property
    def by_batch(self) -> frozenset[str]:
        """Those that are one number a batch, whose examples are not independent."""
        return frozenset(name for name, number in self._wanted if isinstance(self._operations[number].type, Scalar))

    @property
    def names(self) -> tuple[str, ...]:
        """Those bindings that are numbers, one an example or one a batch; the others only serve them."""
        return tuple(name for name, _ in self._wanted)

    def _measured(self, fields: dict[str, tf.Tensor], moment: tf.Tensor) -> dict[str, tf.Tensor]:
        key = Key(self._experiment.seed, f"evaluate/{self._number}", moment)
        found = self._experiment.measure(self._wanted, self._operations, fields, key, averaged=self._averaged)
        count = tf.shape(next(iter(fields.values())))[0]
        return {name: tf.broadcast_to(tf.cast(value, tf.float32), [count]) for name, value in found.items()}

    def values(
        self, split: Mapping[str, Any], *, batch: int, draws: Mapping[str, int] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """The values of all examples (n) of a split {field: (n, …)}; draws are the same at every evaluation.

        A number of a batch stands for each of its examples. A name in `draws` is a log weight that is taken so many
        times, and averaged as such: log mean exp (Burda et al. 2016, equation 8)."""
        if not self._wanted:
            return {}
        times = draws or {}
        found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in self.names}
        count = len(next(iter(split.values())))
        for number, first in enumerate(range(0, count, batch)):
            fields = {name: tf.constant(np.asarray(values[first : first + batch])) for name, values in split.items()}
            taken: dict[str, list[NDArray[np.float64]]] = {name: [] for name in self.names}
            for draw in range(max(times.values(), default=1)):
                moment = tf.constant(number + (draw << _DRAW_BITS), tf.int64)
                for name, value in self._graph(fields, moment).items():
                    if draw < times.get(name, 1):
                        taken[name].append(value.numpy().astype(np.float64))
            for name, values in taken.items():
                found[name].append(_log_mean(values))
        return {name: np.concatenate(parts) for name, parts in found.items()}


def _log_mean(values: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    if len(values) == 1:
        return values[0]
    most = np.max(values, axis=0)
    mean: NDArray[np.float64] = np.log(np.mean(np.exp(np.asarray(values) - most), axis=0)) + most
    return mean


def _is_number(kind: Any) -> bool:
    return isinstance(kind, Scalar) or (isinstance(kind, Tensor) and kind.shape == ())
