"""An experiment whose samples begin with a prior in, walks between latent points out: what lies between two samples."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from gendsl.parts.keys import Key
from gendsl.plan.plan import Operation, Plan
from gendsl.vocabulary.types import Tensor

ROWS, STEPS = 6, 10


class Walks:
    """Samples at points between pairs of latent points, a pair a row: on the great circle for a normal prior (White
    2016, section 3.1: a straight line would pass where such a prior hardly has any mass), straight on for a uniform
    one. Always between the same points."""

    def __init__(self, experiment: Any, plan: Plan) -> None:
        """Raises ValueError where no sample begins with a prior that can be walked in."""
        assert plan.sample is not None
        self._experiment = experiment
        self._outputs = plan.sample.outputs
        self._operations, self._paths = _opened(plan.sample.operations, experiment.seed)
        if not self._paths:
            raise ValueError("no prior is walked in")
        self._graph = tf.function(self._drawn)

    def _drawn(self, fields: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        key = Key(self._experiment.seed, "walk", tf.constant(0, tf.int64))
        found: dict[str, tf.Tensor] = self._experiment.measure(self._outputs, self._operations, fields, key)
        return found

    def samples(self, fields: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Samples (60, …) by output, row by row; of `fields` (60, …) the same all along a row where they should be."""
        given = {name: tf.constant(values) for name, values in {**fields, **self._paths}.items()}
        return {name: value.numpy() for name, value in self._graph(given).items()}


def _opened(operations: tuple[Operation, ...], seed: int) -> tuple[tuple[Operation, ...], dict[str, NDArray[Any]]]:
    """The operations with priors that are given instead of drawn, and the paths (60, …) to give."""
    found, paths = list(operations), {}
    for index, operation in enumerate(operations):
        kind = operation.type
        if operation.name != "prior" or not isinstance(kind, Tensor) or kind.integer:
            continue
        call = operation.attributes["call"]
        if call.word not in ("normal", "uniform") or not all(isinstance(size, int) for size in kind.shape):
            continue
        name = f"walk/{index}"
        paths[name] = path_of(call.word, kind.shape, call.arguments.get("range") or (-1, 1), seed, index)
        found[index] = replace(operation, name="field", attributes={"name": name}, site=None)
    return tuple(found), paths


def path_of(word: str, shape: Any, bounds: Any, seed: int, index: int) -> NDArray[np.float32]:
    """Latent points (60, …) of a prior: ten from each of six to another; a function of the seed."""
    draws = np.random.Generator(np.random.Philox(key=[seed % 2**64, index]))
    if word == "normal":
        ends = draws.standard_normal((ROWS, 2, int(np.prod(shape))))
    else:
        ends = draws.uniform(float(bounds[0]), float(bounds[1]), (ROWS, 2, int(np.prod(shape))))
    share = np.linspace(0, 1, STEPS)[None, :, None]
    first, last = ends[:, :1], ends[:, 1:]
    between = first + share * (last - first)
    if word == "normal":
        norms = np.linalg.norm(ends, axis=-1)
        cosine = np.sum(ends[:, 0] * ends[:, 1], axis=-1) / np.maximum(norms.prod(axis=-1), 1e-12)
        angle = np.arccos(np.clip(cosine, -1, 1))[:, None, None]
        if (np.sin(angle) > 1e-3).all():
            between = (np.sin((1 - share) * angle) * first + np.sin(share * angle) * last) / np.sin(angle)
    return np.asarray(between.reshape(ROWS * STEPS, *shape), np.float32)
