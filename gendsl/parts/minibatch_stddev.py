"""Examples in, the same out with channels that tell how much the examples of a group differ."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="gendsl")
class MinibatchStddev(keras.layers.Layer):
    """(batch, …, channels + features) from (batch, …, channels); Karras et al. 2018, section 3. float32 statistics.

    A group has the largest divisor of the batch up to `group` examples, example i in group i mod the number of groups,
    as in the paper's code. Channel j added is the mean, over places and the j-th part of the channels, of the standard
    deviations over the group.
    """

    def __init__(self, group: int = 4, features: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.group, self.features = group, features

    def call(self, inputs: Any) -> Any:
        batch, shape = tf.shape(inputs)[0], inputs.shape[1:]
        divisors = tf.range(1, self.group + 1)
        size = tf.reduce_max(tf.where(batch % divisors == 0, divisors, 1))
        parts = (self.features, shape[-1] // self.features)
        value = tf.reshape(tf.cast(inputs, tf.float32), [size, -1, *shape[:-1], *parts])
        deviation = tf.sqrt(tf.math.reduce_variance(value, axis=0) + 1e-8)
        average = tf.reduce_mean(deviation, axis=[*range(1, len(shape)), len(shape) + 1])  # (groups, features)
        average = tf.reshape(average, [-1, *[1] * (len(shape) - 1), self.features])
        spread = tf.tile(average, [size, *shape[:-1], 1])
        return tf.concat([inputs, tf.cast(spread, inputs.dtype)], -1)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return (*inputs_shape[:-1], inputs_shape[-1] + self.features)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "group": self.group, "features": self.features}
