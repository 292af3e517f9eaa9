"""Gradients and Keras's Adam in, one TensorFlow kernel a variable out, where Keras writes a dozen operations."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


class FusedAdam(keras.optimizers.Adam):
    """Adam (Kingma & Ba 2015, algorithm 1) with Keras's slots and formula, applied by `ResourceApplyAdam`.

    With `amsgrad`, which the kernel does not know, it is Keras's own.
    """

    def _backend_update_step(self, gradients: Sequence[Any], variables: Sequence[Any], learning_rate: Any) -> None:
        if self.amsgrad:
            super()._backend_update_step(gradients, variables, learning_rate)
            return
        time = tf.cast(self.iterations.value + 1, tf.float32)
        beta_1, beta_2 = tf.constant(self.beta_1, tf.float32), tf.constant(self.beta_2, tf.float32)
        powers = tf.pow(beta_1, time), tf.pow(beta_2, time)
        for gradient, variable in zip(gradients, variables, strict=True):
            index = self._get_variable_index(variable)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.value.handle,
                m=self._momentums[index].value.handle,
                v=self._velocities[index].value.handle,
                beta1_power=powers[0],
                beta2_power=powers[1],
                lr=learning_rate,
                beta1=beta_1,
                beta2=beta_2,
                epsilon=tf.constant(self.epsilon, tf.float32),
                grad=gradient,
            )


class FusedAdamW(FusedAdam, keras.optimizers.AdamW):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019), the decay as Keras does it."""
