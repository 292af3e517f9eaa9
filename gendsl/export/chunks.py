"""A run in, its samples as a function of (n, seed, given fields) in one graph out: as the sampler draws them."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from gendsl.evaluate.sampler import CHUNK, moment_of
from gendsl.parts.keys import Key
from gendsl.plan.plan import Sample
from gendsl.run.rebuild import Rebuilt

_ROWS = (4, 8, 16, 32, 64)  # of which a chunk has, as the sampler's: matrix products round alike there


class Drawn:
    """The samples 0…n-1 of a seed, chunk by chunk: sample i is what `gendsl sample` draws. A chunk is one function of
    the graph, however many endpoints call it; the last has as many rows as the next power of two says, and is cut.

    `fields` are the TensorSpecs of what is given beside the seed: scalars, and rows (n, …)."""

    def __init__(self, run: Rebuilt, sample: Sample, fields: Mapping[str, Any]) -> None:
        names = [name for name, _ in sample.outputs]

        def chunk(count: Any, moment: Any, given: Mapping[str, Any]) -> list[Any]:
            key = Key(run.experiment.seed, "sample", moment)
            drawn = run.experiment.sample(count, key, fields=dict(given), sample=sample)
            return [drawn[name] for name in names]

        self._names = names
        self._rows = [name for name, spec in fields.items() if spec.shape.rank]
        self._chunk = tf.function(chunk, autograph=False).get_concrete_function(
            tf.TensorSpec([], tf.int32, name="count"), tf.TensorSpec([], tf.int64, name="moment"), dict(fields)
        )

    def __call__(self, n: Any, seed: Any, given: Mapping[str, Any]) -> dict[str, Any]:
        """Samples (n, …) by output name."""
        parts = self._chunk.structured_outputs
        shapes = [tf.TensorShape([None, *part.shape[1:]]) for part in parts]
        many = -(-n // CHUNK)
        arrays = [
            tf.TensorArray(part.dtype, size=many, element_shape=shape, infer_shape=False)
            for part, shape in zip(parts, shapes, strict=True)
        ]

        def more(number: Any, *arrays: Any) -> tuple[Any, ...]:
            first = number * CHUNK
            count = tf.minimum(CHUNK, n - first)
            rows = tf.reduce_min(tf.boolean_mask(_ROWS, count <= tf.constant(_ROWS)))
            # What is given is filled up with its last row.
            at = tf.minimum(first + tf.range(rows), n - 1)
            cut = {name: tf.gather(v, at) if name in self._rows else v for name, v in given.items()}
            found = self._chunk(rows, moment_of(seed, number), cut)
            return number + 1, *(array.write(number, new[:count]) for array, new in zip(arrays, found, strict=True))

        _, *arrays = tf.while_loop(
            lambda number, *_: number < many, more, (tf.constant(0), *arrays), parallel_iterations=1
        )
        whole = [tf.ensure_shape(array.concat(), shape) for array, shape in zip(arrays, shapes, strict=True)]
        return dict(zip(self._names, whole, strict=True))
