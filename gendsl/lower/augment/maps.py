"""Pictures and draws in, pictures seen through an affine map out: rotate, scale, zoom, stretch, shift, rotate90.

A map says where the pixel of a place comes from, both about the middle of the picture. Maps that follow one another are
made into one, so that a picture is sampled once (Karras et al. 2020, appendix B).
"""

import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from gendsl.lower.augment.numbers import below, either_way, normal, steadily, two_to
from gendsl.lower.augment.places import picked, sides

# Six numbers (batch,) float32: (row, column) of a place comes from (a row + b column + e, c row + d column + f).
Map = tuple[Any, Any, Any, Any, Any, Any]
_SAME = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def after(first: Map, second: Map) -> Map:
    """The map of both, one after the other; written out, since a product of matrices may be rounded to TensorFloat."""
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, a * k + b * m + e, c * k + d * m + f


def where(chosen: Any, one: Map) -> Map:
    """The map of those examples that are chosen, (batch,) bool; that of the others changes nothing."""
    a, b, c, d, e, f = (tf.where(chosen, value, same) for value, same in zip(one, _SAME, strict=True))
    return a, b, c, d, e, f


def sampled(images: Any, one: Map, mode: str) -> Any:
    """Bilinear samples of pictures (batch, h, w, c) where a map says; outside as `picked` has it."""
    height, width = sides(images)
    a, b, c, d, e, f = (value[:, None, None] for value in one)
    down = tf.range(height, dtype=tf.float32)[None, :, None] - (height - 1) / 2
    across = tf.range(width, dtype=tf.float32)[None, None, :] - (width - 1) / 2
    rows = a * down + b * across + e + (height - 1) / 2
    columns = c * down + d * across + f + (width - 1) / 2
    top, left = tf.floor(rows), tf.floor(columns)
    total = tf.zeros((), images.dtype)
    for row, down_weight in ((top, top + 1 - rows), (top + 1, rows - top)):
        for column, across_weight in ((left, left + 1 - columns), (left + 1, columns - left)):
            weight = tf.cast(down_weight * across_weight, images.dtype)[..., None]
            total = total + weight * picked(images, tf.cast(row, tf.int32), tf.cast(column, tf.int32), mode)
    return total


def rotate(arguments: Mapping[str, Any], images: Any, uniform: Any) -> Map:
    """Turns by up to `angle` degrees either way."""
    turn = either_way(uniform[:, 0]) * math.radians(float(arguments["angle"].value))
    return _turn(steadily(tf.cos, turn), steadily(tf.sin, turn))


def rotate90(arguments: Mapping[str, Any], images: Any, uniform: Any) -> Map:
    """Turns by 0, 90, 180 or 270 degrees; exact where height and width are equal."""
    quarters = below(uniform[:, 0], 4)
    cosine, sine = (
        tf.gather(tf.constant(values), quarters) for values in ((1.0, 0.0, -1.0, 0.0), (0.0, 1.0, 0.0, -1.0))
    )
    return _turn(cosine, sine)


def scale(arguments: Mapping[str, Any], images: Any, uniform: Any) -> Map:
    """A factor from 1 - share to 1 + share."""
    factor = 1 + either_way(uniform[:, 0]) * float(arguments["share"])
    return _zoom(1 / factor, 1 / factor)


def zoom(arguments: Mapping[str, Any], images: Any, uniform: Any) -> Map:
    """A factor of 2 to the power of a normal number."""
    exponent = float(arguments["std"]) * normal(uniform)[0]
    return _zoom(two_to(-exponent), two_to(-exponent))


def stretch(arguments: Mapping[str, Any], images: Any, uniform: Any) -> Map:
    """The width times 2 to the power of a normal number, the height divided by it."""
    exponent = float(arguments["std"]) * normal(uniform)[0]
    return _zoom(two_to(exponent), two_to(-exponent))


def shift(arguments: Mapping[str, Any], images: Any, uniform: Any) -> Map:
    """A normal share of each side, not rounded to pixels."""
    height, width = sides(images)
    down, across = normal(uniform)
    one, none = tf.ones_like(down), tf.zeros_like(down)
    std = float(arguments["std"])
    return one, none, none, one, std * height * down, std * width * across


def _turn(cosine: Any, sine: Any) -> Map:
    none = tf.zeros_like(cosine)
    return cosine, sine, -sine, cosine, none, none


def _zoom(rows: Any, columns: Any) -> Map:
    none = tf.zeros_like(rows)
    return rows, none, none, columns, none, none
