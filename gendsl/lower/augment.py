"""Statements of `augment { }` and `both { }` in, functions of pictures and draws out: differentiable, and keyed.

Every transform is a function of images (batch, height, width, channels) and four uniform numbers an example. `both_of`
draws them by a `Key` for the whole batch; real data draws them by (seed, epoch, index), see `gendsl.lower.data.draws`.
Pixels are moved by gathering them, so that the gradient by the images is the exact adjoint (that of
ImageProjectiveTransformV3 is not), and so is the gradient of the gradient.
"""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from gendsl.parts.keys import Key
from gendsl.plan.plan import Call

Normals = Callable[[], Any]  # standard normal numbers of the images' shape, where a transform asks for them
Transform = Callable[[Call, Any, Any, Normals, float], Any]

DRAWS = 4  # uniform numbers a transform has for each example; the last decides whether it is applied


def both_of(calls: tuple[Call, ...], *, half_range: float = 1.0) -> Callable[[Any, Key], Any]:
    """A function of images (batch, h, w, c) and a key that gives the transformed images, of the same shape and type.

    `half_range` is half the width of the images' range, 1 for -1..1: brightness is measured by it.
    Source: Zhao et al. 2020, Differentiable Augmentation for Data-Efficient GAN Training.
    """

    def transformed(images: Any, key: Key) -> Any:
        uniform = key.at("augment").uniform((tf.shape(images)[0], len(calls), DRAWS))
        for number, call in enumerate(calls):

            def normals(images: Any = images, number: int = number) -> Any:
                return key.at(f"augment/{number}").normal(tf.shape(images))

            images = applied(call, images, uniform[:, number], normals, half_range)
        return images

    return transformed


def applied(call: Call, images: Any, uniform: Any, normals: Normals, half_range: float) -> Any:
    """One transform on images (batch, h, w, c) by uniform numbers (batch, 4), on the share `probability` of them."""
    done = _TRANSFORMS[call.word](call, images, uniform, normals, half_range)
    probability = call.arguments.get("probability", 1.0)
    if probability == 1.0:
        return done
    chosen = uniform[:, DRAWS - 1] < tf.constant(probability, tf.float32)
    return tf.where(chosen[:, None, None, None], done, images)


def _flip(call: Call, images: Any, uniform: Any, normals: Normals, half_range: float) -> Any:
    return tf.reverse(images, [2 if call.arguments["axis"] == "horizontal" else 1])


def _translate(call: Call, images: Any, uniform: Any, normals: Normals, half_range: float) -> Any:
    """DiffAugment's: whole pixels from -r to r, r = share of the side rounded half up; zeros come in."""
    height, width = _sides(images)
    share = float(call.arguments["share"])
    rows = tf.range(height)[None, :] + _whole(uniform[:, 0], int(height * share + 0.5))[:, None]
    columns = tf.range(width)[None, :] + _whole(uniform[:, 1], int(width * share + 0.5))[:, None]
    return _picked(images, rows[:, :, None], columns[:, None, :])


def _cutout(call: Call, images: Any, uniform: Any, normals: Normals, half_range: float) -> Any:
    """DiffAugment's: a rectangle of a share of each side, its centre anywhere, set to zero."""
    keep = tf.zeros((), tf.bool)
    for axis, side in enumerate(_sides(images)):
        cut = int(side * float(call.arguments["share"]) + 0.5)
        centre = _below(uniform[:, axis], side + 1 - cut % 2)[:, None]
        place = tf.range(side)[None, :]
        out = (place < centre - cut // 2) | (place >= centre - cut // 2 + cut)
        keep = keep | (out[:, :, None, None] if axis == 0 else out[:, None, :, None])
    return tf.where(keep, images, tf.zeros((), images.dtype))


def _rotate(call: Call, images: Any, uniform: Any, normals: Normals, half_range: float) -> Any:
    turn = (2 * uniform[:, 0] - 1) * math.radians(float(call.arguments["angle"].value))
    return _sampled(images, tf.cos(turn), tf.sin(turn))


def _scale(call: Call, images: Any, uniform: Any, normals: Normals, half_range: float) -> Any:
    factor = 1 + (2 * uniform[:, 0] - 1) * float(call.arguments["share"])
    return _sampled(images, 1 / factor, tf.zeros_like(factor))


def _color(call: Call, images: Any, uniform: Any, normals: Normals, half_range: float) -> Any:
    """Brightness, saturation, contrast, in DiffAugment's order; alpha stays."""
    share = float(call.arguments["share"])
    channels = images.shape[-1]
    alpha = None
    if channels in (2, 4):
        images, alpha = images[..., :-1], images[..., -1:]
    change = tf.cast(2 * uniform[:, :3] - 1, images.dtype)[:, :, None, None, None] * share
    brightness, saturation, contrast = change[:, 0], change[:, 1], change[:, 2]
    images = images + brightness * half_range
    grey = tf.reduce_mean(images, axis=3, keepdims=True)
    images = (images - grey) * (1 + 2 * saturation) + grey
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    images = (images - mean) * (1 + contrast) + mean
    return images if alpha is None else tf.concat([images, alpha], axis=3)


def _noise(call: Call, images: Any, uniform: Any, normals: Normals, half_range: float) -> Any:
    return images + tf.cast(float(call.arguments["std"]) * normals(), images.dtype)


def _crop(call: Call, images: Any, uniform: Any, normals: Normals, half_range: float) -> Any:
    """Shifts by up to `padding` pixels; the mirror image comes in, its edge not repeated."""
    places = []
    for axis, side in enumerate(_sides(images)):
        shift = _whole(uniform[:, axis], min(int(call.arguments["padding"]), side - 1))
        place = tf.abs(tf.range(side)[None, :] + shift[:, None])
        places.append(side - 1 - tf.abs(side - 1 - place))
    return _picked(images, places[0][:, :, None], places[1][:, None, :])


def _sides(images: Any) -> tuple[int, int]:
    return images.shape[1], images.shape[2]


def _whole(uniform: Any, reach: int) -> Any:
    """A whole number (batch,) int32 from -reach to reach, each as likely, of uniform numbers in [0, 1)."""
    return _below(uniform, 2 * reach + 1) - reach


def _below(uniform: Any, count: int) -> Any:
    return tf.minimum(tf.cast(uniform * count, tf.int32), count - 1)


def _picked(images: Any, rows: Any, columns: Any) -> Any:
    """The pixels at whole places, zero outside; rows and columns broadcast to (batch, height, width)."""
    height, width = _sides(images)
    batch = tf.shape(images)[0]
    within = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    place = tf.clip_by_value(rows, 0, height - 1) * width + tf.clip_by_value(columns, 0, width - 1)
    place = place + (tf.range(batch) * (height * width))[:, None, None]
    pixels = tf.gather(tf.reshape(images, (batch * height * width, images.shape[3])), place)
    return tf.where(within[..., None], pixels, tf.zeros((), images.dtype))


def _sampled(images: Any, cosine: Any, sine: Any) -> Any:
    """Bilinear samples where (cosine -sine; sine cosine) (batch,) takes a pixel's place about the middle; 0 outside."""
    height, width = _sides(images)
    down = tf.range(height, dtype=tf.float32)[None, :, None] - (height - 1) / 2
    across = tf.range(width, dtype=tf.float32)[None, None, :] - (width - 1) / 2
    cosine, sine = cosine[:, None, None], sine[:, None, None]
    rows = cosine * down + sine * across + (height - 1) / 2
    columns = cosine * across - sine * down + (width - 1) / 2
    top, left = tf.floor(rows), tf.floor(columns)
    total = tf.zeros((), images.dtype)
    for row, down_weight in ((top, top + 1 - rows), (top + 1, rows - top)):
        for column, across_weight in ((left, left + 1 - columns), (left + 1, columns - left)):
            weight = tf.cast(down_weight * across_weight, images.dtype)[..., None]
            total = total + weight * _picked(images, tf.cast(row, tf.int32), tf.cast(column, tf.int32))
    return total


_TRANSFORMS: dict[str, Transform] = {
    "flip": _flip,
    "translate": _translate,
    "cutout": _cutout,
    "rotate": _rotate,
    "scale": _scale,
    "color": _color,
    "noise": _noise,
    "crop": _crop,
}
