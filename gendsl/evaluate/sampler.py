"""An experiment in, samples out: sample i of a seed is the same whatever their number, now and in the exported model.

Samples are drawn in chunks of 64, each keyed by (seed, number of the chunk). The first rows of a chunk are the same
however many of them are drawn, so few samples cost as much as few: rows as the next power of two says, but four at
least, since so matrix products round alike on a CPU (a test holds it); for one row or odd numbers they do not.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from gendsl.parts.keys import Key
from gendsl.plan.plan import Sample

CHUNK = 64
_LEAST_ROWS = 4
_CHUNK_BITS = 24  # of the moment; the rest are the seed's
MOST = CHUNK << _CHUNK_BITS  # samples of a seed: behind them the next seed's begin


def moment_of(seed: Any, chunk: Any) -> tf.Tensor:
    """The int64 moment of a chunk of a seed; in graph, from numbers or tensors."""
    return tf.bitwise.left_shift(tf.cast(seed, tf.int64), tf.constant(_CHUNK_BITS, tf.int64)) + tf.cast(chunk, tf.int64)


# The inputs of samples: arrays, whose rows the samples take in turn; or a function of the first sample and how many.
Fields = Mapping[str, NDArray[Any]] | Callable[[int, int], Mapping[str, NDArray[Any]]]


class Draws(Protocol):
    """What scores draw samples by."""

    def chunks(self, count: int, *, seed: int, fields: Mapping[str, NDArray[Any]]) -> Iterator[dict[str, NDArray[Any]]]:
        """So many samples by output name, a chunk (rows, …) at a time; `fields` are the inputs (count, …)."""


class Sampler:
    """Draws samples with the averaged weights, where there are any; traced once for each set of given fields.

    What a sample is, is said by `sample` where it is not what the spec says."""

    def __init__(
        self, experiment: Any, *, place: str = "sample", averaged: bool = True, sample: Sample | None = None
    ) -> None:
        self._experiment, self._sample = experiment, sample
        self._place = place
        self._averaged = averaged
        self._graph = tf.function(self._chunk)

    def _chunk(self, moment: tf.Tensor, fields: dict[str, tf.Tensor], rows: int) -> dict[str, tf.Tensor]:
        key = Key(self._experiment.seed, self._place, moment)
        given: dict[str, tf.Tensor] = dict(fields)
        samples: dict[str, tf.Tensor] = self._experiment.sample(
            rows, key, fields=given, averaged=self._averaged, sample=self._sample
        )
        return samples

    def samples(self, count: int, *, seed: int, fields: Fields | None = None) -> dict[str, NDArray[Any]]:
        """Samples by output name (count, …); `fields` gives the signature's inputs."""
        parts: dict[str, list[NDArray[Any]]] = {}
        for chunk in self.chunks(count, seed=seed, fields=fields):
            for name, values in chunk.items():
                parts.setdefault(name, []).append(values)
        return {name: np.concatenate(values) for name, values in parts.items()}

    def chunks(self, count: int, *, seed: int, fields: Fields | None = None) -> Iterator[dict[str, NDArray[Any]]]:
        """The same samples, one chunk after the other: memory does not grow with their number."""
        rows = min(CHUNK, max(_LEAST_ROWS, 1 << (count - 1).bit_length()))
        for chunk in range(-(-count // CHUNK)):
            first = chunk * CHUNK
            left = min(CHUNK, count - first)
            given = fields(first, left) if callable(fields) else _cut(fields or {}, first, left)
            tensors = {name: tf.constant(_filled(values, rows)) for name, values in given.items()}
            yield {name: v.numpy()[:left] for name, v in self._graph(moment_of(seed, chunk), tensors, rows).items()}


def _cut(fields: Mapping[str, NDArray[Any]], first: int, count: int) -> dict[str, NDArray[Any]]:
    rows = np.arange(first, first + count)
    return {name: values[rows % len(values)] for name, values in fields.items()}


def _filled(values: NDArray[Any], rows: int) -> NDArray[Any]:
    """A chunk of values, filled up with its last: the graph has one batch size."""
    return np.concatenate([values, np.repeat(values[-1:], rows - len(values), axis=0)])
