"""An experiment whose samples begin with a prior in, walks between latent points out: what lies between two samples.

The views of a run walk between points of their own; `gendsl sample --interpolate` between the points of its samples.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from gendsl.evaluate.sampler import Sampler
from gendsl.parts.keys import Key
from gendsl.plan.plan import Operation, Plan, Sample
from gendsl.plan.rewritten import behind, latents, samplers
from gendsl.vocabulary.types import Tensor

ROWS, STEPS = 6, 10
_WALKED = ("normal", "truncated_normal", "uniform")
_SPHERES = ("normal", "truncated_normal")  # their mass lies near a sphere


@dataclass(frozen=True, slots=True)
class Opened:
    """A sample whose latent points are given instead of drawn: by the names of fields, the number of the operation that
    drew each in the sample as it was, and the word of its distribution."""

    sample: Sample
    points: Mapping[str, tuple[int, str]]


def opened(sample: Sample, *, sampling: bool = True) -> Opened:
    """A sample with the points given that it begins from: priors of numbers, and with `sampling` the noise that
    samplers of a process begin with."""
    found, points = list(sample.operations), {}
    for index, word in latents(sample).items():
        kind = sample.operations[index].type
        known = isinstance(kind, Tensor) and not kind.integer and all(isinstance(size, int) for size in kind.shape)
        if word in _WALKED and known:
            points[f"walk/{index}"] = index, word
            found[index] = Operation("field", (), {"name": f"walk/{index}"}, kind)
    started = samplers(sample) if sampling else ()
    noises = [Operation("field", (), {"name": f"walk/{index}"}, sample.operations[index].type) for index in started]
    points |= {f"walk/{index}": (index, "normal") for index in started}
    given = behind(noises, replace(sample, operations=tuple(found)))
    operations = list(given.operations)
    for noise, index in enumerate(started):
        one = operations[index + len(noises)]
        attributes = {**one.attributes, "part": "from"}
        operations[index + len(noises)] = replace(one, inputs=(*one.inputs, noise), attributes=attributes)
    return Opened(replace(given, operations=tuple(operations)), points)


def starts(sample: Sample, points: Mapping[str, tuple[int, str]]) -> Sample:
    """What draws the points alone that a sample begins from."""
    operations = list(sample.operations)
    for index in samplers(sample):
        one = operations[index]
        operations[index] = replace(one, attributes={**one.attributes, "part": "start"})
    outputs = tuple((name, index) for name, (index, _) in points.items())
    return replace(sample, outputs=outputs, operations=tuple(operations))


def between(word: str, first: NDArray[Any], last: NDArray[Any], share: NDArray[Any]) -> NDArray[np.float32]:
    """The points (n, …) at the shares (n) of the way from `first` to `last`, both (n, …), of a prior of a word.

    On the great circle for normal priors, with the lengths of the ends (White 2016, https://arxiv.org/abs/1609.04468,
    section 3.1: a straight line would pass where such a prior hardly has any mass), straight on for a uniform one. At 0
    and 1 they are the ends, to the bit."""
    ends = np.stack([first, last]).astype(np.float64).reshape(2, len(first), -1)
    part = np.asarray(share, np.float64)[:, None]
    found = ends[0] + part * (ends[1] - ends[0])
    if word in _SPHERES:
        norms = np.linalg.norm(ends, axis=-1)
        cosine = np.sum(ends[0] * ends[1], axis=-1) / np.maximum(norms.prod(axis=0), 1e-12)
        angle = np.arccos(np.clip(cosine, -1, 1))[:, None]
        curved = np.sin(angle) > 1e-3
        sine = np.where(curved, np.sin(angle), 1.0)
        circle = (np.sin((1 - part) * angle) * ends[0] + np.sin(part * angle) * ends[1]) / sine
        found = np.where(curved, circle, found)
    found = np.where(part == 0, ends[0], np.where(part == 1, ends[1], found))
    return np.asarray(found.reshape(first.shape), np.float32)


class Walks:
    """Samples at points between pairs of latent points, a pair a row. Always between the same points."""

    def __init__(self, experiment: Any, plan: Plan) -> None:
        """Raises ValueError where no sample begins with a prior that can be walked in."""
        assert plan.sample is not None
        self._experiment = experiment
        found = opened(plan.sample, sampling=False)
        self._sample = found.sample
        self._paths = {
            name: path_of(word, *_shape_and_bounds(plan.sample.operations, index), experiment.seed, index)
            for name, (index, word) in found.points.items()
        }
        if not self._paths:
            raise ValueError("no prior is walked in")
        self._graph = tf.function(self._drawn)

    def _drawn(self, fields: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        key = Key(self._experiment.seed, "walk", tf.constant(0, tf.int64))
        found: dict[str, tf.Tensor] = self._experiment.measure(
            self._sample.outputs, self._sample.operations, fields, key
        )
        return found

    def samples(self, fields: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Samples (60, …) by output, row by row; of `fields` (60, …) the same all along a row where they should be."""
        given = {name: tf.constant(values) for name, values in {**fields, **self._paths}.items()}
        return {name: value.numpy() for name, value in self._graph(given).items()}


def _shape_and_bounds(operations: tuple[Operation, ...], index: int) -> tuple[Any, Any]:
    one = operations[index]
    given = operations[one.inputs[0]].attributes if one.name == "draw" else one.attributes["call"].arguments
    return getattr(one.type, "shape", ()), given.get("range") or (-1, 1)


def path_of(word: str, shape: Any, bounds: Any, seed: int, index: int) -> NDArray[np.float32]:
    """Latent points (60, …) of a prior: ten from each of six to another; a function of the seed."""
    draws = np.random.Generator(np.random.Philox(key=[seed % 2**64, index]))
    if word in _SPHERES:
        ends = draws.standard_normal((ROWS, 2, *shape))
    else:
        ends = draws.uniform(float(bounds[0]), float(bounds[1]), (ROWS, 2, *shape))
    share = np.tile(np.linspace(0, 1, STEPS), ROWS)
    return between(word, ends[:, 0].repeat(STEPS, axis=0), ends[:, 1].repeat(STEPS, axis=0), share)


def interpolated(
    experiment: Any,
    sample: Sample,
    count: int,
    steps: int,
    *,
    seed: int,
    fields: Mapping[str, NDArray[Any]],
    drawn: tuple[str, ...],
) -> Iterator[dict[str, NDArray[Any]]] | None:
    """Walks from each of the first `count` samples of a seed to the next, `steps` (n, …) a walk with both ends, a chunk
    at a time.

    `fields` are given for the samples, in turn; those `drawn` for them, labels, are drawn as for the samples. Along a
    walk they stay what they are for its first sample. None where samples begin from nothing that can be walked in."""
    found = opened(sample)
    if not found.points:
        return None
    own = tuple(name for name in drawn if name not in fields)
    asking = starts(sample, found.points)
    kinds = {name: Operation("field", (), {"name": name}, Tensor((), name, True)) for name in own}
    asking = replace(
        asking,
        outputs=(*asking.outputs, *((name, len(asking.operations) + at) for at, name in enumerate(own))),
        operations=(*asking.operations, *kinds.values()),
    )
    ends = Sampler(experiment, sample=asking).samples(count, seed=seed, fields=fields)
    given = {name: values[np.arange(count) % len(values)] for name, values in fields.items()}
    given |= {name: ends[name] for name in own}

    def at(first: int, many: int) -> dict[str, NDArray[Any]]:
        numbers = np.arange(first, first + many)
        walk, share = numbers // steps, (numbers % steps) / (steps - 1)
        points = {
            name: between(word, ends[name][walk], ends[name][walk + 1], share)
            for name, (_, word) in found.points.items()
        }
        return {**points, **{name: values[walk] for name, values in given.items()}}

    walking = Sampler(experiment, sample=found.sample)
    return walking.chunks((count - 1) * steps, seed=seed, fields=at)
