"""The bindings of an `evaluate` block in, their averages over a split out: scores of the user's own."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from gendsl.parts.keys import Key
from gendsl.plan.plan import Evaluation
from gendsl.vocabulary.types import Scalar, Tensor


class Equations:
    """The scores that an `evaluate` block defines by bindings; traced once for each size of batch."""

    def __init__(self, experiment: Any, evaluation: Evaluation, *, number: int) -> None:
        self._experiment = experiment
        self._operations = evaluation.operations
        self._number = number
        self._wanted = tuple(pair for pair in evaluation.equations if _is_number(self._operations[pair[1]].type))
        self._graph = tf.function(self._measured)

    @property
    def names(self) -> tuple[str, ...]:
        """Those bindings that are numbers, one an example or one a batch; the others only serve them."""
        return tuple(name for name, _ in self._wanted)

    def _measured(self, fields: dict[str, tf.Tensor], batch: tf.Tensor) -> dict[str, tf.Tensor]:
        key = Key(self._experiment.seed, f"evaluate/{self._number}", batch)
        found = self._experiment.measure(self._wanted, self._operations, fields, key)
        return {name: tf.reduce_mean(tf.cast(value, tf.float32)) for name, value in found.items()}

    def averages(self, split: Mapping[str, NDArray[Any]], *, batch: int) -> dict[str, float]:
        """The averages over all examples of a split {field: (n, …)}; draws are the same at every evaluation."""
        if not self._wanted:
            return {}
        count = len(next(iter(split.values())))
        totals = dict.fromkeys(self.names, 0.0)
        for number, first in enumerate(range(0, count, batch)):
            fields = {name: tf.constant(values[first : first + batch]) for name, values in split.items()}
            for name, value in self._graph(fields, tf.constant(number, tf.int64)).items():
                totals[name] += float(np.float64(value)) * min(batch, count - first)
        return {name: total / count for name, total in totals.items()}


def _is_number(kind: Any) -> bool:
    return isinstance(kind, Scalar) or (isinstance(kind, Tensor) and kind.shape == ())
