"""Layers with kernels in, the same layers with kernels of spectral norm 1 out: w / sigma(w) (Miyato et al. 2018).

Unlike `keras.layers.SpectralNormalization` a call changes no state, and the gradient flows through sigma (equation 12):
`u` and `v` are constants of a call, and only `power_iteration` moves them.
"""

import functools
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import keras
import tensorflow as tf

from gendsl.parts.adain import Adain
from gendsl.parts.attention import Attention
from gendsl.parts.film import Film
from gendsl.parts.modulated_conv import ModulatedConv
from gendsl.parts.project import Project
from gendsl.parts.self_attention import SelfAttention
from gendsl.parts.stand_in import standing_in

_COVERED: tuple[tuple[Any, tuple[int, ...]], ...] = (  # class, the axes of its kernels that count outputs
    (keras.layers.Dense, (-1,)),
    (keras.layers.Conv1D, (-1,)),
    (keras.layers.Conv2D, (-1,)),
    (keras.layers.Conv3D, (-1,)),
    (keras.layers.Conv2DTranspose, (-2,)),
    (keras.layers.DepthwiseConv2D, (-2, -1)),
    (keras.layers.SeparableConv2D, (-1,)),
    (keras.layers.Embedding, (-1,)),
    (Adain, (-1,)),
    (Attention, (-1,)),
    (Film, (-1,)),
    (ModulatedConv, (-1,)),
    (Project, (-1,)),
    (SelfAttention, (-1,)),
)


def _normalised(vector: tf.Tensor) -> tf.Tensor:
    return vector / tf.maximum(tf.norm(vector), 1e-12)


class SpectralNorm:
    """What a layer of spectral norm adds to its class: two vectors a kernel, and kernels divided by sigma in calls."""

    output_axes: tuple[int, ...] = (-1,)
    compute_dtype: Any  # of the Keras class

    def add_weight(self, *args: Any, **options: Any) -> Any:
        """The weight; beside a trainable one of two axes or more the vectors (out,) and (rest,) of its matrix."""
        base: Any = super()  # the Keras class that stands behind this one
        shape, name = options.get("shape"), options.get("name")
        if not options.get("trainable", True) or shape is None or len(shape) < 2:
            return base.add_weight(*args, **options)
        weight = base.add_weight(*args, **{**options, "autocast": False})
        axes = (-2, -1) if name == "depthwise_kernel" else self.output_axes
        kept = sorted(axis % len(shape) for axis in axes)
        order = [axis for axis in range(len(shape)) if axis not in kept] + kept
        width = 1
        for axis in kept:
            width *= int(shape[axis])
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
        self.__dict__.setdefault("_spectral", []).append((weight, order, width, *vectors))
        return weight

    def power_iteration(self) -> None:
        """One float32 power iteration of every kernel: v = W u, then u = Wᵀ v, each of length 1."""
        for weight, order, width, u, v in self.__dict__.get("_spectral", ()):
            matrix = _matrix(weight, order, width)
            left = _normalised(tf.linalg.matvec(matrix, u.value))
            u.assign(_normalised(tf.linalg.matvec(matrix, left, transpose_a=True)))
            v.assign(left)

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


def _matrix(weight: Any, order: list[int], width: int) -> tf.Tensor:
    value = tf.convert_to_tensor(weight.value)
    if order != sorted(order):
        value = tf.transpose(value, order)
    return tf.cast(tf.reshape(value, (-1, width)), tf.float32)


def _sigma(weight: Any, order: list[int], width: int, u: Any, v: Any) -> tf.Tensor:
    right, left = tf.stop_gradient(u.value), tf.stop_gradient(v.value)
    sigma = tf.tensordot(left, tf.linalg.matvec(_matrix(weight, order, width), right), 1)
    return tf.where(tf.abs(sigma) > 1e-12, sigma, 1.0)  # a kernel of zeros stays as it is


def _spectral(cls: Any, output_axes: tuple[int, ...]) -> Any:
    @functools.wraps(cls.call)
    def call(self: Any, *args: Any, **options: Any) -> Any:
        with self.divided():
            return cls.call(self, *args, **options)

    name = f"Spectral{cls.__name__}"
    made = type(name, (SpectralNorm, cls), {"call": call, "output_axes": output_axes, "__module__": __name__})
    return keras.saving.register_keras_serializable(package="gendsl", name=name)(made)


SPECTRAL: dict[Any, Any] = {cls: _spectral(cls, axes) for cls, axes in _COVERED}  # class -> its class of spectral norm


def layers_of(model: Any) -> Iterator[Any]:
    """Every layer of a model, those of models inside it included."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)
        else:
            yield layer


def power_iteration(model: Any) -> None:
    """One float32 power iteration for every layer of spectral norm in a model, assigned; in graph or eagerly.

    Models inside it are left alone: a network that is used as a layer advances where an update trains it by name.
    """
    for layer in model.layers:
        if isinstance(layer, SpectralNorm):
            layer.power_iteration()
