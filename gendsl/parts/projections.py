"""A layer and the shapes of its linear maps in, their weights in the layer out; and a value through some of them."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import keras
from keras import ops

from gendsl.parts.xla_cpu import linear


def add_projections(layer: Any, shapes: Mapping[str, tuple[int, int]]) -> None:
    """Gives a layer `NAME_kernel` of each shape (rows, columns), and `NAME_bias` (columns,) or None, as its `use_bias`
    and `kernel_initializer` say."""
    for name, shape in shapes.items():
        # A copy each: one initializer with a seed would fill all alike.
        config = keras.initializers.serialize(layer.kernel_initializer)
        kernel = layer.add_weight(
            name=f"{name}_kernel", shape=shape, initializer=keras.initializers.deserialize(config)
        )
        bias = layer.add_weight(name=f"{name}_bias", shape=shape[1:], initializer="zeros") if layer.use_bias else None
        setattr(layer, f"{name}_kernel", kernel)
        setattr(layer, f"{name}_bias", bias)


def projected(layer: Any, value: Any, name: str) -> Any:
    """(…, columns) of (…, rows) through the linear map of that name."""
    return linear(value, getattr(layer, f"{name}_kernel"), getattr(layer, f"{name}_bias"))


def projected_at_once(layer: Any, value: Any, names: Sequence[str]) -> list[Any]:
    """What `projected` gives for each name, by one product of matrices: several narrow ones take longer."""
    kernels = [ops.convert_to_tensor(getattr(layer, f"{name}_kernel")) for name in names]
    biases = [getattr(layer, f"{name}_bias") for name in names]
    bias = None if biases[0] is None else ops.concatenate([ops.convert_to_tensor(one) for one in biases], -1)
    result = linear(value, ops.concatenate(kernels, -1), bias)
    ends = list(accumulate(kernel.shape[-1] for kernel in kernels))
    parts: list[Any] = ops.split(result, ends[:-1], -1)
    return parts
