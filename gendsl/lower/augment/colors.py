"""Pictures and draws in, pictures in other colors out: color, brightness, contrast, luma_flip, hue, saturation.

Colors (batch, h, w, 1 or 3) are counted from the middle of their range, 1 being half of it, so that -1 is black and 1
white. Luma is the mean of the channels (Karras et al. 2020, appendix B). Grey has no hue and no saturation.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from gendsl.lower.augment.numbers import either_way, normal, steadily, two_to

Recolor = Callable[[Mapping[str, Any], Any, Any], Any]


def recolored(images: Any, recolor: Callable[[Any], Any], *, span: tuple[float, float]) -> Any:
    """Pictures (batch, h, w, c) of the range `span` in their new colors; alpha, the last of 2 or 4 channels, stays."""
    middle, half = (span[0] + span[1]) / 2, (span[1] - span[0]) / 2
    alpha = None
    if images.shape[-1] in (2, 4):
        images, alpha = images[..., :-1], images[..., -1:]
    images = recolor((images - middle) / half) * half + middle
    return images if alpha is None else tf.concat([images, alpha], axis=3)


def color(arguments: Mapping[str, Any], colors: Any, uniform: Any) -> Any:
    """Brightness, saturation, contrast about the picture's own mean: DiffAugment's, in its order."""
    share = float(arguments["share"])
    brightness, saturation, contrast = (_each(either_way(uniform[:, at]), colors) * share for at in range(3))
    colors = colors + brightness
    grey = _luma(colors)
    colors = (colors - grey) * (1 + 2 * saturation) + grey
    mean = tf.reduce_mean(colors, axis=(1, 2, 3), keepdims=True)
    return (colors - mean) * (1 + contrast) + mean


def brightness(arguments: Mapping[str, Any], colors: Any, uniform: Any) -> Any:
    """Adds a normal number."""
    return colors + _each(float(arguments["std"]) * normal(uniform)[0], colors)


def contrast(arguments: Mapping[str, Any], colors: Any, uniform: Any) -> Any:
    """Multiplies by 2 to the power of a normal number."""
    return colors * _each(two_to(float(arguments["std"]) * normal(uniform)[0]), colors)


def luma_flip(arguments: Mapping[str, Any], colors: Any, uniform: Any) -> Any:
    """Dark becomes light, and hue and saturation stay: the reflection along the grey axis."""
    return colors - 2 * _luma(colors)


def hue(arguments: Mapping[str, Any], colors: Any, uniform: Any) -> Any:
    """Turns about the grey axis, by Rodrigues's formula."""
    if colors.shape[-1] == 1:
        return colors
    turn = either_way(uniform[:, 0]) * math.radians(float(arguments["angle"].value))
    cosine, sine = (_each(steadily(function, turn), colors) for function in (tf.cos, tf.sin))
    across = (tf.roll(colors, 1, axis=3) - tf.roll(colors, -1, axis=3)) / math.sqrt(3)  # the axis times the color
    return colors * cosine + across * sine + _luma(colors) * (1 - cosine)


def saturation(arguments: Mapping[str, Any], colors: Any, uniform: Any) -> Any:
    """Multiplies the distance from grey by 2 to the power of a normal number."""
    grey = _luma(colors)
    return (colors - grey) * _each(two_to(float(arguments["std"]) * normal(uniform)[0]), colors) + grey


def _luma(colors: Any) -> Any:
    return tf.reduce_mean(colors, axis=3, keepdims=True)


def _each(value: Any, colors: Any) -> Any:
    """A number an example (batch,) as one that multiplies or adds to its colors."""
    return tf.cast(value, colors.dtype)[:, None, None, None]
