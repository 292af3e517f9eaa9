"""Layers in, their kernels as matrices out: which axes of a kernel count its outputs, said once for all who ask.

Embeddings are counted among kernels by spectral norm alone; elsewhere `KERNELS` leaves them out.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from gendsl.parts.adain import Adain
from gendsl.parts.attention import Attention
from gendsl.parts.film import Film
from gendsl.parts.modulated_conv import ModulatedConv
from gendsl.parts.project import Project
from gendsl.parts.self_attention import SelfAttention

Axes = tuple[int, ...]

KERNELS: tuple[tuple[Any, Axes], ...] = (  # class, the axes of its kernels that count outputs
    (keras.layers.Dense, (-1,)),
    (keras.layers.Conv1D, (-1,)),
    (keras.layers.Conv2D, (-1,)),
    (keras.layers.Conv3D, (-1,)),
    (keras.layers.Conv2DTranspose, (-2,)),
    (keras.layers.DepthwiseConv2D, (-2, -1)),
    (keras.layers.SeparableConv2D, (-1,)),
    (Adain, (-1,)),
    (Attention, (-1,)),
    (Film, (-1,)),
    (ModulatedConv, (-1,)),
    (SelfAttention, (-1,)),
)
EMBEDDINGS: tuple[tuple[Any, Axes], ...] = ((keras.layers.Embedding, (-1,)), (Project, (-1,)))


def output_axes(name: str, axes: Axes, rank: int) -> Axes:
    """The axes, from 0, that count the outputs of a kernel of a name, in a layer whose kernels have these axes."""
    return tuple(sorted(axis % rank for axis in ((-2, -1) if name == "depthwise_kernel" else axes)))


def fan_in(name: str, axes: Axes, shape: Sequence[int]) -> int:
    """How many numbers make one output."""
    return math.prod(shape) // math.prod(shape[axis] for axis in output_axes(name, axes, len(shape)))


def matrix(weight: Any, outputs: Axes) -> tf.Tensor:
    """A kernel as a float32 matrix (inputs, outputs)."""
    value = tf.convert_to_tensor(weight.value)
    order = [axis for axis in range(len(weight.shape)) if axis not in outputs] + list(outputs)
    if order != sorted(order):
        value = tf.transpose(value, order)
    width = math.prod(int(weight.shape[axis]) for axis in outputs)
    return tf.cast(tf.reshape(value, (-1, width)), tf.float32)


def kernels_of(model: Any) -> Iterator[tuple[Any, Axes]]:
    """Each trainable kernel of a model with the axes of its outputs; those of models inside it are left out."""
    for layer in model.layers:
        axes = next((axes for cls, axes in KERNELS if isinstance(layer, cls)), None)
        if axes is None:
            continue
        for weight in layer.trainable_variables:
            if len(weight.shape) > 1:
                yield weight, output_axes(weight.name, axes, len(weight.shape))


def orthogonality(model: Any) -> tf.Tensor:
    """The sum over kernels of |WᵀW ⊙ (1 - I)|², a float32 scalar; Brock et al. 2019, equation 3.

    W has a column for each output, so that what is penalised is how alike any two filters are, not how long."""
    total = tf.zeros([])
    for weight, outputs in kernels_of(model):
        columns = matrix(weight, outputs)
        products = tf.matmul(columns, columns, transpose_a=True)
        total += tf.reduce_sum(tf.square(tf.linalg.set_diag(products, tf.zeros(tf.shape(products)[:1]))))
    return total
