"""Values of a training step that XLA compiles for processors in, the same values out, by the products it does well.

XLA's product of matrices is near what a processor can do, unless it is to go along the rows of its left factor, as the
gradient of a kernel does: that takes twice as long, and a transposed copy is cheap. Its sums of long rows are up to
four times slower than a product with ones. And what a gradient could share with its value it computes again.

Outside `compiled_for_processors`, and for other numbers than float32 or sizes that are not known, Keras's own.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from tensorflow.compiler.tf2xla.python import xla

_ROOT_2, _ROOT_2_PI = 2.0**0.5, 2.5066282746310002


class _Compiled(threading.local):
    """Whether what this thread traces is compiled by XLA for processors."""

    yes = False


_compiled = _Compiled()


@contextmanager
def compiled_for_processors() -> Iterator[None]:
    """What is traced inside is compiled by XLA for processors."""
    before, _compiled.yes = _compiled.yes, True
    try:
        yield
    finally:
        _compiled.yes = before


def _suits(value: Any) -> bool:
    """Whether a value is written for XLA: float32, all sizes known, in what it compiles for processors."""
    return _compiled.yes and value.dtype == tf.float32 and value.shape.is_fully_defined()


def _by_itself(value: Any) -> Any:
    """The value, made as it stands: XLA would draw a transposition into the product, a norm into each use of it."""
    return tf.custom_gradient(lambda value: (xla.optimization_barrier(value)[0], lambda upstream: upstream))(value)


def _row_sums(value: Any) -> Any:
    """(…, 1) of (…, n)."""
    size = value.shape[-1]
    sums = tf.matmul(tf.reshape(value, (-1, size)), tf.ones((size, 1)))
    return tf.reshape(sums, [*value.shape[:-1], 1])


def _row_means(value: Any) -> Any:
    return _row_sums(value) / value.shape[-1]


def linear(value: Any, kernel: Any, bias: Any = None) -> Any:
    """(…, columns) of (…, rows): value · kernel + bias, of a kernel (rows, columns) and a bias (columns,) or None."""
    if not _suits(value):
        result = ops.matmul(value, kernel)
        return result if bias is None else result + bias
    rows, columns = kernel.shape
    added = tf.zeros([columns]) if bias is None else ops.convert_to_tensor(bias)
    flat = tf.custom_gradient(_affine)(tf.reshape(value, (-1, rows)), ops.convert_to_tensor(kernel), added)
    return tf.reshape(flat, [*value.shape[:-1], columns])


def _affine(value: Any, kernel: Any, bias: Any) -> tuple[Any, Any]:
    """(n, columns) of (n, rows)."""
    value = _by_itself(value)

    def gradient(upstream: Any) -> Any:
        back = tf.matmul(upstream, kernel, transpose_b=True)
        rows, columns = kernel.shape
        if rows > columns:  # the smaller one is turned
            turned = _by_itself(tf.transpose(upstream))
            return back, tf.transpose(_by_itself(tf.matmul(turned, value))), _row_sums(turned)[:, 0]
        # A row of ones below: the sums that are the bias's gradient come with the product.
        turned = _by_itself(tf.concat([tf.transpose(value), tf.ones((1, value.shape[0]))], 0))
        both = tf.matmul(turned, upstream)
        return back, both[:rows], both[rows]

    return tf.matmul(value, kernel) + bias, gradient


def softmax(scores: Any) -> Any:
    """The softmax (…, n) of scores (…, n), along the last axis."""
    return tf.custom_gradient(_softmax)(scores) if _suits(scores) else tf.nn.softmax(scores)


def _softmax(scores: Any) -> tuple[Any, Any]:
    powers = tf.exp(scores - tf.reduce_max(scores, -1, keepdims=True))
    shares = powers / _row_sums(powers)
    return shares, lambda upstream: shares * (upstream - _row_sums(upstream * shares))


def gelu(value: Any, approximate: bool = False) -> Any:
    """x·Φ(x) of each number, of any shape; Hendrycks & Gimpel 2016, section 2. Φ's values are kept for the gradient."""
    if approximate or not _suits(value):
        return keras.activations.gelu(value, approximate=approximate)
    return tf.custom_gradient(_gelu)(value)


def _gelu(value: Any) -> tuple[Any, Any]:
    below = 0.5 * (1 + tf.math.erf(value / _ROOT_2))
    return value * below, lambda upstream: upstream * (below + value * tf.exp(-0.5 * value * value) / _ROOT_2_PI)


def global_norm(gradients: Sequence[Any]) -> Any:
    """The root of the sum of all squares of gradients of any shapes, float32 (); None where TensorFlow's own is as fast
    (Pascanu et al. 2013, algorithm 1)."""
    if not all(_suits(gradient) for gradient in gradients):
        return None
    matrices = [tf.reduce_sum(_row_sums(tf.square(one))) for one in gradients if one.shape.rank > 1]
    rest = [tf.reshape(one, [-1]) for one in gradients if one.shape.rank < 2]
    return tf.sqrt(tf.add_n([*matrices, *([tf.reduce_sum(tf.square(tf.concat(rest, 0)))] if rest else [])]))


def _divided(value: Any, epsilon: Any) -> tuple[Any, Any]:
    """(n, channels) divided by the root mean square of each row."""
    inverse = tf.math.rsqrt(_row_means(tf.square(value)) + epsilon)
    divided = value * inverse
    return divided, lambda upstream: (inverse * (upstream - divided * _row_means(upstream * divided)), None)


def _centred(value: Any) -> tuple[Any, Any]:
    """(n, channels) less the mean of each row."""
    return value - _row_means(value), lambda upstream: upstream - _row_means(upstream)


@keras.saving.register_keras_serializable(package="gendsl")
class Dense(keras.layers.Dense):
    """Keras's layer, its gradients by products that XLA does well."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not _suits(inputs):
            return super().call(inputs, training)
        return self.activation(linear(inputs, self.kernel, self.bias))


@keras.saving.register_keras_serializable(package="gendsl")
class LayerNormalization(keras.layers.LayerNormalization):
    """Keras's layer of the last axis, its sums by products; Ba et al. 2016, equation 3."""

    def call(self, inputs: Any) -> Any:
        if not _suits(inputs):
            return super().call(inputs)
        result = tf.custom_gradient(_divided)(
            tf.custom_gradient(_centred)(tf.reshape(inputs, (-1, inputs.shape[-1]))), self.epsilon
        )
        if self.gamma is not None:
            result *= ops.convert_to_tensor(self.gamma)
        if self.beta is not None:
            result += ops.convert_to_tensor(self.beta)
        return tf.reshape(result, inputs.shape)


@keras.saving.register_keras_serializable(package="gendsl")
class RMSNormalization(keras.layers.RMSNormalization):
    """Keras's layer of the last axis, its sums by products; Zhang & Sennrich 2019, equation 4."""

    def call(self, inputs: Any) -> Any:
        if not _suits(inputs):
            return super().call(inputs)
        result = tf.custom_gradient(_divided)(tf.reshape(inputs, (-1, inputs.shape[-1])), self.epsilon)
        return tf.reshape(result * ops.convert_to_tensor(self.scale), inputs.shape)


SAME: dict[Any, Any] = {  # a class of Keras -> the class that gives the same
    keras.layers.Dense: Dense,
    keras.layers.LayerNormalization: LayerNormalization,
    keras.layers.RMSNormalization: RMSNormalization,
}
