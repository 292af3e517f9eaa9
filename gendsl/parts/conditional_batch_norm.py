"""Images and labels in, images normalised over the batch out, with a gain and a bias embedded for each class."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from gendsl.parts.batch_norm import normalised


@keras.saving.register_keras_serializable(package="gendsl")
class ConditionalBatchNorm(keras.layers.Layer):
    """(batch, …, channels) from the same and integer labels (batch,); de Vries et al. 2017.

    Moments and moving statistics are float32 and as in `keras.layers.BatchNormalization`; there is no affine but the
    embedded one, gain 1 and bias 0 at first.
    """

    def __init__(
        self,
        classes: int,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        synchronized: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.classes, self.momentum, self.epsilon = classes, momentum, epsilon
        self.synchronized = synchronized

    def build(self, inputs_shape: Any, label_shape: Any) -> None:
        channels = inputs_shape[-1]
        table = (self.classes, channels)
        self.gamma = self.add_weight(name="gamma", shape=table, initializer="ones", autocast=False)
        self.beta = self.add_weight(name="beta", shape=table, initializer="zeros", autocast=False)
        self.moving_mean = self.add_weight(
            name="moving_mean", shape=(channels,), initializer="zeros", trainable=False, autocast=False
        )
        self.moving_variance = self.add_weight(
            name="moving_variance", shape=(channels,), initializer="ones", trainable=False, autocast=False
        )
        self.built = True

    def call(self, inputs: Any, label: Any, training: bool | None = None) -> Any:
        if training and self.trainable:
            channels = inputs.shape[-1]
            value, mean, variance = normalised(
                inputs, tf.ones([channels]), tf.zeros([channels]), epsilon=self.epsilon, synchronized=self.synchronized
            )
            kept = self.momentum
            self.moving_mean.assign(self.moving_mean * kept + mean * (1 - kept))
            self.moving_variance.assign(self.moving_variance * kept + variance * (1 - kept))
        else:
            mean, variance = ops.convert_to_tensor(self.moving_mean), ops.convert_to_tensor(self.moving_variance)
            value = (ops.cast(inputs, "float32") - mean) * ops.rsqrt(variance + self.epsilon)
        value = ops.cast(value, "float32")
        spread = (-1, *(1,) * (len(inputs.shape) - 2), inputs.shape[-1])
        gain = ops.reshape(ops.take(self.gamma, label, axis=0), spread)
        bias = ops.reshape(ops.take(self.beta, label, axis=0), spread)
        return ops.cast(value * gain + bias, self.compute_dtype)

    def compute_output_shape(self, inputs_shape: Any, label_shape: Any) -> Any:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        own = {
            "classes": self.classes,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "synchronized": self.synchronized,
        }
        return {**super().get_config(), **own}
