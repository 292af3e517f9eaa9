"""A penalty word, its tensors and the network's scores as a function in; the penalty on the scores' gradient out.

`scores(point)` calls the network with `point` as its first input, the others fixed, and gives float32 scores. All
gradients are taken of the summed scores, so each example has its own (unless the network couples examples).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from gendsl.parts.keys import Key

Scores = Callable[[Any], Any]


def penalty_of(
    word: str,
    tensors: Sequence[Any],
    options: Mapping[str, Any],
    *,
    scores: Scores,
    key: Key,
    pack: int = 1,
    scale: Any = None,
) -> Any:
    """The value of a penalty, a float32 scalar.

    `tensors` are the penalty's own, (batch, …); `pack` is how many examples the network judges at once: they share an
    epsilon, and their gradient is one. `scale`, float32 (), keeps that gradient within float16 on its way."""
    match word:
        case "r1" | "r2":
            return tf.reduce_mean(squared_norms(scores, tensors[0], pack=pack, scale=scale))
        case "gradient_penalty":
            real, fake = tensors
            epsilon = _epsilon(real, key.at("epsilon"), pack)
            point = real + epsilon * (fake - real)
            return _distance(point, options, scores=scores, pack=pack, scale=scale)
        case "dragan":
            (real,) = tensors
            epsilon = _epsilon(real, key.at("epsilon"), pack)
            noise = key.at("noise").uniform(tf.shape(real))
            spread = tf.math.reduce_std(real)
            point = real + epsilon * 0.5 * spread * noise
            return _distance(point, options, scores=scores, pack=pack, scale=scale)
        case _:
            raise ValueError(f"no penalty {word}")


def squared_norms(scores: Scores, point: Any, *, pack: int = 1, scale: Any = None) -> Any:
    """The squared length (batch / pack) of each example's gradient of the summed scores."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(point)
        total = summed_scores(scores(point), scale)
    (gradient,) = gradients_of(tape, total, [point], scale=scale)
    return squared_lengths(gradient, pack=pack)


def path_lengths(results: Scores, point: Any, *, key: Key, scale: Any = None) -> Any:
    """The length (batch) of each example's J^T y, J the Jacobian of the results (batch, h, w, c) by the point
    (batch, n) and y normal noise over sqrt(h · w); Karras et al. 2020, equation 4."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(point)
        made = results(point)
        noise = key.at("noise").normal(tf.shape(made))
        places = tf.cast(tf.reduce_prod(tf.shape(made)[1:-1]), tf.float32)
        total = summed_scores(made * noise / tf.sqrt(places), scale)
    (gradient,) = gradients_of(tape, total, [point], scale=scale)
    return tf.sqrt(squared_lengths(gradient) + 1e-12)


def summed_scores(scores: Any, scale: Any) -> Any:
    """What `gradients_of` differentiates: the sum of all scores, times the loss scale where there is one."""
    total = tf.reduce_sum(scores)
    return total if scale is None else total * scale


def gradients_of(tape: tf.GradientTape, total: Any, points: Sequence[Any], *, scale: Any = None) -> list[Any]:
    """The gradients that a tape gives of a total by the points, unscaled."""
    found = tape.gradient(total, list(points), unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return list(found) if scale is None else [gradient / scale for gradient in found]


def squared_lengths(gradient: Any, *, pack: int = 1) -> Any:
    """The squared length (batch / pack) of each example's part of a gradient (batch, …); a pack's is one."""
    examples = tf.shape(gradient)[0] // pack
    return tf.reduce_sum(tf.square(tf.reshape(gradient, [examples, -1])), axis=1)


def _distance(point: Any, options: Mapping[str, Any], *, scores: Scores, pack: int, scale: Any) -> Any:
    norms = tf.sqrt(squared_norms(scores, point, pack=pack, scale=scale) + 1e-12)
    excess = norms - float(options.get("target", 1))
    if options.get("one_sided"):
        excess = tf.maximum(excess, 0.0)
    return tf.reduce_mean(tf.square(excess))


def _epsilon(real: Any, key: Key, pack: int) -> Any:
    """One number in 0..1 for each pack, (batch, 1, …)."""
    batch = tf.shape(real)[0]
    drawn = key.uniform([batch // pack])
    each = tf.repeat(drawn, pack) if pack > 1 else drawn
    return tf.reshape(each, [batch] + [1] * (real.shape.rank - 1))
