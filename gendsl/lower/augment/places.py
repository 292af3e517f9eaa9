"""Pictures and draws in, pictures whose pixels have moved by whole places out: flip, translate, crop, cutout.

Pixels are moved by gathering them, so that the gradient by the images is the exact adjoint (that of
ImageProjectiveTransformV3 is not), and so is the gradient of the gradient.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from gendsl.lower.augment.numbers import below, whole


def sides(images: Any) -> tuple[int, int]:
    """Height and width of pictures (batch, h, w, c)."""
    return images.shape[1], images.shape[2]


def picked(images: Any, rows: Any, columns: Any, mode: str) -> Any:
    """The pixels at whole places; rows and columns, int32, broadcast to (batch, height, width).

    Outside there is zero, or with the mode `reflect` the mirror image, its edge not repeated.
    """
    height, width = sides(images)
    batch = tf.shape(images)[0]
    if mode == "reflect":
        within = None
        rows, columns = mirrored(rows, height), mirrored(columns, width)
    else:
        within = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        rows, columns = tf.clip_by_value(rows, 0, height - 1), tf.clip_by_value(columns, 0, width - 1)
    place = rows * width + columns + (tf.range(batch) * (height * width))[:, None, None]
    pixels = tf.gather(tf.reshape(images, (batch * height * width, images.shape[3])), place)
    return pixels if within is None else tf.where(within[..., None], pixels, tf.zeros((), images.dtype))


def mirrored(place: Any, side: int) -> Any:
    """The places from 0 to side - 1 that whole places of an endless row of mirrors show."""
    period = max(2 * (side - 1), 1)
    place = place % period
    return tf.minimum(place, period - place)


def flip(arguments: Mapping[str, Any], images: Any, uniform: Any) -> Any:
    """The mirror images."""
    return tf.reverse(images, [2 if arguments["axis"] == "horizontal" else 1])


def translate(arguments: Mapping[str, Any], images: Any, uniform: Any) -> Any:
    """DiffAugment's: whole pixels from -r to r, r = share of the side rounded half up."""
    height, width = sides(images)
    share = float(arguments["share"])
    rows = tf.range(height)[None, :] + whole(uniform[:, 0], int(height * share + 0.5))[:, None]
    columns = tf.range(width)[None, :] + whole(uniform[:, 1], int(width * share + 0.5))[:, None]
    return picked(images, rows[:, :, None], columns[:, None, :], arguments.get("mode", "constant"))


def crop(arguments: Mapping[str, Any], images: Any, uniform: Any) -> Any:
    """Shifts by up to `padding` pixels; the mirror image comes in."""
    places = []
    for axis, side in enumerate(sides(images)):
        shift = whole(uniform[:, axis], min(int(arguments["padding"]), side - 1))
        places.append(tf.range(side)[None, :] + shift[:, None])
    return picked(images, places[0][:, :, None], places[1][:, None, :], "reflect")


def cutout(arguments: Mapping[str, Any], images: Any, uniform: Any) -> Any:
    """DiffAugment's: a rectangle of a share of each side, its centre anywhere, set to zero."""
    keep = tf.zeros((), tf.bool)
    for axis, side in enumerate(sides(images)):
        cut = int(side * float(arguments["share"]) + 0.5)
        centre = below(uniform[:, axis], side + 1 - cut % 2)[:, None]
        place = tf.range(side)[None, :]
        out = (place < centre - cut // 2) | (place >= centre - cut // 2 + cut)
        keep = keep | (out[:, :, None, None] if axis == 0 else out[:, None, :, None])
    return tf.where(keep, images, tf.zeros((), images.dtype))
