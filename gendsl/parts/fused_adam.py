"""Gradients and Keras's Adam in, weights updated in as few passes through memory as pay out."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

# The kernel hands more than a few numbers to several threads, which takes longer than a small variable's work.
_ONE_THREAD, _WORTH_THREADS = 256, 50_000


class FusedAdam(keras.optimizers.Adam):
    """Adam (Kingma & Ba 2015, algorithm 1) with Keras's slots and formula, one TensorFlow kernel a variable.

    Small variables of a processor are updated by operations; with `amsgrad`, which the kernel does not know, it is
    Keras's own.
    """

    def _backend_update_step(self, gradients: Sequence[Any], variables: Sequence[Any], learning_rate: Any) -> None:
        if self.amsgrad:
            super()._backend_update_step(gradients, variables, learning_rate)
            return
        time = tf.cast(self.iterations.value + 1, tf.float32)
        powers = [tf.pow(tf.constant(beta, tf.float32), time) for beta in (self.beta_1, self.beta_2)]
        rate = learning_rate * tf.sqrt(1 - powers[1]) / (1 - powers[0])
        on_processor = not tf.config.list_logical_devices("GPU")
        for gradient, variable in zip(gradients, variables, strict=True):
            index = self._get_variable_index(variable)
            weights, mean, square = variable.value, self._momentums[index].value, self._velocities[index].value
            if on_processor and _ONE_THREAD < variable.shape.num_elements() < _WORTH_THREADS:
                mean.assign(gradient if self.beta_1 == 0 else mean + (gradient - mean) * (1 - self.beta_1))
                square.assign_add((tf.square(gradient) - square) * (1 - self.beta_2))
                weights.assign_sub(mean * rate / (tf.sqrt(square) + self.epsilon))
                continue
            tf.raw_ops.ResourceApplyAdam(
                var=weights.handle,
                m=mean.handle,
                v=square.handle,
                beta1_power=powers[0],
                beta2_power=powers[1],
                lr=learning_rate,
                beta1=tf.constant(self.beta_1, tf.float32),
                beta2=tf.constant(self.beta_2, tf.float32),
                epsilon=tf.constant(self.epsilon, tf.float32),
                grad=gradient,
            )


class FusedAdamW(FusedAdam, keras.optimizers.AdamW):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019), the decay as Keras does it."""
