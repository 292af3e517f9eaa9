"""An experiment and an extractor in, the perceptual path length of its samples out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from gendsl.evaluate.estimate import Estimate, mean_of
from gendsl.evaluate.extractor import Extractor
from gendsl.evaluate.sampler import CHUNK, moment_of
from gendsl.evaluate.values import levelled
from gendsl.parts.keys import Key
from gendsl.plan.plan import Field

_CUT = 0.01  # of the steps at either end are left out, as the paper's code does


def path_length(
    experiment: Any,
    extractor: Extractor,
    field: Field,
    output: str,
    *,
    count: int,
    epsilon: float,
    seed: int = 0,
    fields: Mapping[str, NDArray[Any]],
    averaged: bool,
) -> Estimate:
    """The mean of |f(G(z(t + epsilon))) - f(G(z(t)))|^2 / epsilon^2 over paths between two draws of the prior.

    Karras et al. 2019, section 4.1, in the prior's space: spherical steps for a normal prior, straight ones for a
    uniform; `f` are the extractor's features, of pictures that are not rounded. `count` paths.
    """

    def drawn(key: Key, given: dict[str, tf.Tensor], place: tf.Tensor) -> tf.Tensor:
        def between(a: Any, b: Any, word: str) -> Any:
            return _between(a, b, word, place)

        samples = experiment.sample(CHUNK, key, fields=given, averaged=averaged, between=between)
        return levelled(samples[output], field)

    def step_of(moment: tf.Tensor, given: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        key = Key(experiment.seed, "path", moment)
        place = key.at("place").uniform([CHUNK])
        return drawn(key, given, place), drawn(key, given, place + epsilon)

    step = tf.function(step_of)
    lengths = []
    for chunk in range(-(-count // CHUNK)):
        rows = np.minimum(np.arange(chunk * CHUNK, (chunk + 1) * CHUNK), count - 1)
        given = {name: tf.constant(values[rows]) for name, values in fields.items()}
        one, other = step(moment_of(seed, chunk), given)
        apart = extractor.features(other.numpy())[0].astype(np.float64) - extractor.features(one.numpy())[0]
        lengths.append(np.square(apart).sum(axis=1) / epsilon**2)
    found = np.concatenate(lengths)[:count]
    low, high = np.quantile(found, (_CUT, 1 - _CUT))
    return mean_of(found[(low <= found) & (found <= high)], how="paths")


def _between(a: Any, b: Any, word: str, t: Any) -> Any:
    """The point a share t (n) of the way from a to b (n, …): on the sphere for a normal prior."""
    t = tf.reshape(t, [-1] + [1] * (a.shape.rank - 1))
    if word != "normal":
        return a + t * (b - a)
    axes = list(range(1, a.shape.rank))
    lengths = [tf.sqrt(tf.reduce_sum(tf.square(x), axes, keepdims=True)) for x in (a, b)]
    cosine = tf.reduce_sum(a * b, axes, keepdims=True) / tf.maximum(lengths[0] * lengths[1], 1e-12)
    angle = tf.acos(tf.clip_by_value(cosine, -1 + 1e-6, 1 - 1e-6))
    return (tf.sin((1 - t) * angle) * a + tf.sin(t * angle) * b) / tf.sin(angle)
