"""An experiment in, samples out: sample i of a seed is the same whatever their number, now and in the exported model.

Samples are drawn in chunks of a fixed size, each keyed by (seed, number of the chunk) and cut to what was asked for.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from gendsl.parts.keys import Key
from gendsl.plan.plan import Sample

CHUNK = 64
_CHUNK_BITS = 24  # of the moment; the rest are the seed's


def moment_of(seed: Any, chunk: Any) -> tf.Tensor:
    """The int64 moment of a chunk of a seed; in graph, from numbers or tensors."""
    return tf.bitwise.left_shift(tf.cast(seed, tf.int64), tf.constant(_CHUNK_BITS, tf.int64)) + tf.cast(chunk, tf.int64)


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

    def _chunk(self, moment: tf.Tensor, fields: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        key = Key(self._experiment.seed, self._place, moment)
        given: dict[str, tf.Tensor] = dict(fields)
        samples: dict[str, tf.Tensor] = self._experiment.sample(
            CHUNK, key, fields=given, averaged=self._averaged, sample=self._sample
        )
        return samples

    def samples(
        self, count: int, *, seed: int, fields: Mapping[str, NDArray[Any]] | None = None
    ) -> dict[str, NDArray[Any]]:
        """Samples by output name (count, …); `fields` gives the signature's inputs (count, …)."""
        parts: dict[str, list[NDArray[Any]]] = {}
        for chunk in self.chunks(count, seed=seed, fields=fields):
            for name, values in chunk.items():
                parts.setdefault(name, []).append(values)
        return {name: np.concatenate(values) for name, values in parts.items()}

    def chunks(
        self, count: int, *, seed: int, fields: Mapping[str, NDArray[Any]] | None = None
    ) -> Iterator[dict[str, NDArray[Any]]]:
        """The same samples, one chunk after the other: memory does not grow with their number."""
        for chunk in range(-(-count // CHUNK)):
            given = {name: tf.constant(_cut(values, chunk)) for name, values in (fields or {}).items()}
            left = count - chunk * CHUNK
            yield {name: v.numpy()[:left] for name, v in self._graph(moment_of(seed, chunk), given).items()}


def _cut(values: NDArray[Any], chunk: int) -> NDArray[Any]:
    """A chunk of values, the last filled up with its last value: the graph has one batch size."""
    part = values[chunk * CHUNK : (chunk + 1) * CHUNK]
    return np.concatenate([part, np.repeat(part[-1:], CHUNK - len(part), axis=0)])
