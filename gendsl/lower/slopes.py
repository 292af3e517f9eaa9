"""A network's scores and their gradient in, the same scores with a cheaper gradient out.

Examples that do not meet in a network have each its own score, and one pass back from the sum of the scores holds the
slopes of all of them. A loss's gradient is made of the same slopes, each times a number an example. So where the slopes
are known anyway, or where several losses are of the same scores, nobody has to go back through the network once more.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


class Probed:
    """A network that gives one score an example, in float32, with what its layers make on the way.

    `model` gives its results and then its `ends`, what its `layers` make, in order; its trainable weights are theirs.
    """

    def __init__(self, model: Any, ends: Sequence[Any]) -> None:
        self.model = keras.Model(model.inputs, [*model.outputs, *ends])
        self.layers = [end._keras_history.operation for end in ends]

    def biases(self) -> list[Any]:
        """The bias (channels) of each layer, as a tensor."""
        return [tf.convert_to_tensor(layer.bias.value) for layer in self.layers]


def probed(model: Any, kind: str) -> Probed | None:
    """A network to be probed at its "biased" or its "weighted" layers (see `networks.model_of`); None where a score is
    no such sum."""
    ends = model.__dict__.get("ends", {}).get(kind)
    if not ends or tuple(model.outputs[0].shape[1:]) != (1,) or model.outputs[0].dtype != "float32":
        return None
    return Probed(model, ends)


def by_slopes(scores: Any, point: Any, slope: Any, at_ends: Sequence[Any], biases: Sequence[Any]) -> Any:
    """The scores (batch, 1) of a homogeneous network at a point (batch, …), for a loss beside a penalty.

    `slope` (batch, …) is the gradient of their sum by the point, `at_ends` (batch, …, channels) those by the results of
    the layers with `biases` (channels). Between the kinks of such a network a score is <slope, point> + the sum of
    <slope at an end, its bias>, by Euler's theorem on homogeneous functions. So the loss can go back through the slopes
    alone, together with the penalty on them.
    """
    scores, many = tf.stop_gradient(scores), len(biases)

    def function(point: Any, slope: Any, *others: Any) -> Any:
        at_ends, biases = others[:many], others[many:]

        def gradient(upstream: Any) -> Any:
            of_ends, of_biases = [], []
            for at_end, bias in zip(at_ends, biases, strict=True):
                each = _along(upstream, at_end) * bias
                of_ends.append(each if at_end.shape.rank == 2 else tf.broadcast_to(each, tf.shape(at_end)))
                rows = tf.reduce_sum(at_end, axis=list(range(1, at_end.shape.rank - 1)))
                of_biases.append(tf.linalg.matvec(rows, upstream[:, 0], transpose_a=True))
            each = _along(upstream, point)
            return (each * slope, each * point, *of_ends, *of_biases)

        return tf.identity(scores), gradient

    return tf.custom_gradient(function)(point, slope, *at_ends, *biases)


def for_several(
    scores: Any, tape: tf.GradientTape, point: Any, ends: Sequence[Any], layers: Sequence[Any], total: Any
) -> Any:
    """The scores (batch, 1) of a point (batch, …), for several losses: the pass back through the layers is done once.

    `tape` is persistent; it holds how `total`, the sum of the scores, came from the point, and each of the `ends`
    (batch, …) from the trainable weights of its layer.
    """
    slope, *at_ends = tape.gradient(total, [point, *ends], unconnected_gradients=tf.UnconnectedGradients.ZERO)
    scores = tf.stop_gradient(scores)
    held = [[variable.value for variable in layer.trainable_variables] for layer in layers]

    def function(point: Any, *weights: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            of_weights = []
            for end, at_end, own in zip(ends, at_ends, held, strict=True):
                each = _along(upstream, at_end) * at_end
                of_weights += tape.gradient(end, own, each, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            return (_along(upstream, point) * slope, *map(tf.convert_to_tensor, of_weights))

        return tf.identity(scores), gradient

    return tf.custom_gradient(function)(point, *(tf.convert_to_tensor(variable) for own in held for variable in own))


def _along(upstream: Any, values: Any) -> Any:
    """One number an example, (batch, 1, …), as many axes as the values have."""
    return tf.reshape(upstream, [-1] + [1] * (values.shape.rank - 1))
