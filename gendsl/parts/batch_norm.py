"""Activations in, the same with mean 0 and variance 1 in each channel over the batch out, by one kernel where it pays.

Keras writes batch norm as a dozen operations, each a pass through memory; TensorFlow's fused kernel takes two passes.
"""

import math
from typing import Any

import keras
import tensorflow as tf

from gendsl.parts.collectives import averaged

_WORTH_FUSING = 2_048  # numbers an example: below, the kernel's own overhead is larger than what it saves


def normalised(
    inputs: Any, gain: Any, bias: Any, *, epsilon: float, synchronized: bool = False
) -> tuple[Any, Any, Any]:
    """The normalised values (batch, …, channels), and the means and variances (channels,) float32 of the batch.

    `gain` and `bias` are (channels,) float32. `synchronized` takes the moments over the batch of all replicas.
    Source: Ioffe & Szegedy 2015, algorithm 1.
    """
    sizes = inputs.shape[1:]
    if synchronized or None in sizes or math.prod(sizes) < _WORTH_FUSING:
        values = tf.cast(inputs, tf.float32)
        axes = list(range(inputs.shape.rank - 1))
        mean, variance = _moments(values, axes, synchronized)
        return tf.nn.batch_normalization(values, mean, variance, bias, gain, epsilon), mean, variance
    values = tf.cast(inputs, tf.float32) if inputs.dtype == tf.float16 else inputs
    places = tf.reshape(values, [tf.shape(values)[0], -1, 1, sizes[-1]])
    found, mean, unbiased = tf.compat.v1.nn.fused_batch_norm(places, gain, bias, epsilon=epsilon, is_training=True)
    count = tf.cast(tf.size(values) // sizes[-1], tf.float32)
    # The kernel's variance is divided by one less than there are numbers, Keras's by all of them.
    return tf.reshape(found, tf.shape(values)), mean, unbiased * (count - 1) / count


def _moments(values: Any, axes: list[int], synchronized: bool) -> tuple[Any, Any]:
    """Mean and variance (channels,) in two passes, so that gradients of gradients are right.

    Those of `tf.nn.moments` are not, since it stops the gradient of the mean inside the variance; and the mean of the
    squares less the square of the mean loses the digits of small variances.
    """

    def mean_of(numbers: Any) -> Any:
        mean = tf.reduce_mean(numbers, axes)
        return averaged([mean])[0] if synchronized else mean

    mean = mean_of(values)
    return mean, mean_of(tf.square(values - mean))


@keras.saving.register_keras_serializable(package="gendsl")
class BatchNorm(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` on the last axis: same weights, same numbers, its training pass fused."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training or not self.trainable:
            return super().call(inputs, training=training)
        channels = inputs.shape[-1]
        gain = tf.ones([channels]) if self.gamma is None else tf.convert_to_tensor(self.gamma)
        bias = tf.zeros([channels]) if self.beta is None else tf.convert_to_tensor(self.beta)
        values, mean, variance = normalised(inputs, gain, bias, epsilon=self.epsilon, synchronized=self.synchronized)
        kept = self.momentum
        self.moving_mean.assign(self.moving_mean * kept + mean * (1 - kept))
        self.moving_variance.assign(self.moving_variance * kept + variance * (1 - kept))
        return tf.cast(values, self.compute_dtype)
