"""Layers with kernels in, the same layers with an equalised learning rate out (Karras et al. 2018, section 4.1).

Kernels are held as normal numbers of standard deviation 1 / rate, and multiplied by rate / sqrt(fan_in) in calls;
biases are multiplied by `rate`. So an adaptive optimizer moves all of them at one pace, times `rate` (Karras et al.
2019, appendix C: 0.01 for the mapping network).
"""

import functools
import math
from typing import Any

import keras
import tensorflow as tf

from gendsl.parts.kernels import KERNELS, Axes, fan_in
from gendsl.parts.stand_in import standing_in


class Equalized:
    """What a layer of equalised learning rate adds to its class: kernels and biases scaled in calls."""

    output_axes: Axes = (-1,)
    rate: float
    compute_dtype: Any  # of the Keras class

    def __init__(self, *arguments: Any, rate: float = 1.0, **options: Any) -> None:
        self.__dict__["rate"] = float(rate)
        super().__init__(*arguments, **options)

    def add_weight(self, *arguments: Any, **options: Any) -> Any:
        """The weight; that of a trainable kernel or bias is remembered with its factor."""
        base: Any = super()  # the Keras class that stands behind this one
        shape = options.get("shape")
        if not options.get("trainable", True) or not shape:
            return base.add_weight(*arguments, **options)
        weight = base.add_weight(*arguments, **{**options, "autocast": False})
        factor = self.rate
        if len(shape) > 1:
            factor /= math.sqrt(fan_in(options["name"], self.output_axes, shape))
        # Past Keras's tracking, which knows these variables already.
        self.__dict__.setdefault("_equalized", []).append((weight, factor))
        return weight

    def scaled(self) -> list[tuple[Any, Any]]:
        """Each weight with what calls make of it, in the layer's compute dtype."""
        return [
            (weight, tf.cast(weight.value * factor, self.compute_dtype))
            for weight, factor in self.__dict__.get("_equalized", ())
        ]

    def get_config(self) -> dict[str, Any]:
        """The class's own, and `rate`."""
        base: Any = super()
        return {**base.get_config(), "rate": self.rate}

    def save_own_variables(self, store: Any) -> None:
        """All variables by number: Keras's own layers would save only those that they know of."""
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Any) -> None:
        """The counterpart of `save_own_variables`."""
        keras.layers.Layer.load_own_variables(self, store)


def _equalized(cls: Any, axes: Axes) -> Any:
    @functools.wraps(cls.call)
    def call(self: Any, *arguments: Any, **options: Any) -> Any:
        with standing_in(self, self.scaled()):
            return cls.call(self, *arguments, **options)

    name = f"Equalized{cls.__name__}"
    made = type(name, (Equalized, cls), {"call": call, "output_axes": axes, "__module__": __name__})
    return keras.saving.register_keras_serializable(package="gendsl", name=name)(made)


EQUALIZED: dict[Any, Any] = {cls: _equalized(cls, axes) for cls, axes in KERNELS}  # class -> its equalised class


def first_kernels(rate: float) -> Any:
    """The initializer of equalised kernels, unless another is asked for: normal numbers of deviation 1 / rate."""
    return keras.initializers.RandomNormal(stddev=1.0 / rate)
