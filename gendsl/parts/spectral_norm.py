"""Layers with kernels in, the same layers with kernels of spectral norm 1 out: w / sigma(w) (Miyato et al. 2018).

Unlike `keras.layers.SpectralNormalization` a call changes no state, and the gradient flows through sigma (equation 12):
`u` and `v` are constants of a call, and only `power_iteration` moves them.
"""

import functools
import math
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from typing import Any

import keras
import tensorflow as tf

from gendsl.parts.kernels import EMBEDDINGS, KERNELS, Axes, matrix, output_axes
from gendsl.parts.stand_in import standing_in


def _normalised(vector: tf.Tensor) -> tf.Tensor:
    return vector / tf.maximum(tf.norm(vector), 1e-12)


class SpectralNorm:
    """What a layer of spectral norm adds to its class: two vectors a kernel, and kernels divided by sigma in calls."""

    output_axes: Axes = (-1,)
    compute_dtype: Any  # of the Keras class

    def add_weight(self, *args: Any, **options: Any) -> Any:
        """The weight; beside a trainable one of two axes or more the vectors (out,) and (rest,) of its matrix."""
        base: Any = super()  # the Keras class that stands behind this one
        shape, name = options.get("shape"), options.get("name")
        if not options.get("trainable", True) or shape is None or len(shape) < 2:
            return base.add_weight(*args, **options)
        weight = base.add_weight(*args, **{**options, "autocast": False})
        outputs = output_axes(str(name), self.output_axes, len(shape))
        width = math.prod(int(shape[axis]) for axis in outputs)
        vectors = []
        for suffix, length in (("u", width), ("v", int(weight.shape.num_elements()) // width)):
            vectors.append(
                base.add_weight(
                    name=f"{name}_{suffix}",
                    shape=(length,),
                    initializer=keras.initializers.RandomNormal(stddev=1.0),
                    dtype="float32",
                    trainable=False,
                    autocast=False,
                )
            )
        # Past Keras's tracking, which knows these variables already.
        self.__dict__.setdefault("_spectral", []).append((weight, outputs, *vectors))
        return weight

    def power_iteration(self) -> None:
        """One float32 power iteration of every kernel: v = W u, then u = Wᵀ v, each of length 1."""
        for weight, outputs, u, v in self.__dict__.get("_spectral", ()):
            kernel = matrix(weight, outputs)
            left = _normalised(tf.linalg.matvec(kernel, u.value))
            u.assign(_normalised(tf.linalg.matvec(kernel, left, transpose_a=True)))
            v.assign(left)

    def vectors(self) -> list[Any]:
        """The variables that its power iteration moves."""
        return [vector for *_, u, v in self.__dict__.get("_spectral", ()) for vector in (u, v)]

    def norms(self) -> list[tf.Tensor]:
        """The estimate of sigma, a float32 scalar, for each kernel."""
        return [_sigma(*held) for held in self.__dict__.get("_spectral", ())]

    def divided(self) -> AbstractContextManager[None]:
        """Inside, the layer's kernels are w / sigma(w), in the layer's compute dtype."""
        kernels = [
            (weight, tf.cast(weight.value / _sigma(weight, *rest), self.compute_dtype))
            for weight, *rest in self.__dict__.get("_spectral", ())
        ]
        return standing_in(self, kernels)

    def save_own_variables(self, store: Any) -> None:
        """All variables by number: Keras's own layers would save only those that they know of."""
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Any) -> None:
        """The counterpart of `save_own_variables`."""
        keras.layers.Layer.load_own_variables(self, store)


def _sigma(weight: Any, outputs: Axes, u: Any, v: Any) -> tf.Tensor:
    right, left = tf.stop_gradient(u.value), tf.stop_gradient(v.value)
    sigma = tf.tensordot(left, tf.linalg.matvec(matrix(weight, outputs), right), 1)
    return tf.where(tf.abs(sigma) > 1e-12, sigma, 1.0)  # a kernel of zeros stays as it is


def _spectral(cls: Any, axes: Axes) -> Any:
    @functools.wraps(cls.call)
    def call(self: Any, *args: Any, **options: Any) -> Any:
        with self.divided():
            return cls.call(self, *args, **options)

    name = f"Spectral{cls.__name__}"
    made = type(name, (SpectralNorm, cls), {"call": call, "output_axes": axes, "__module__": __name__})
    return keras.saving.register_keras_serializable(package="gendsl", name=name)(made)


SPECTRAL: dict[Any, Any] = {
    cls: _spectral(cls, axes) for cls, axes in (*KERNELS, *EMBEDDINGS)
}  # class -> its class of spectral norm


def layers_of(model: Any) -> Iterator[Any]:
    """Every layer of a model, those of models inside it included."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)
        else:
            yield layer


def power_iteration(model: Any, *, frozen: Collection[int] = ()) -> None:
    """One float32 power iteration for every layer of spectral norm in a model, assigned; in graph or eagerly.

    Layers whose vectors are `frozen`, by id, are left alone. So are models inside it: a network that is used as a layer
    advances where an update trains it by name.
    """
    for layer in model.layers:
        if isinstance(layer, SpectralNorm) and not any(id(vector) in frozen for vector in layer.vectors()):
            layer.power_iteration()


def vectors_of(model: Any) -> list[Any]:
    """The variables that `power_iteration` moves."""
    return [v for layer in model.layers if isinstance(layer, SpectralNorm) for v in layer.vectors()]
