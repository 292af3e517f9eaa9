"""Statements of `augment { }` and `both { }` in, functions of pictures and draws out: differentiable, and keyed.

Every transform is a function of images (batch, height, width, channels) and four uniform numbers an example. `both_of`
draws them by a `Key` for the whole batch; real data draws them by (seed, epoch, index), see `gendsl.lower.data.draws`.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import tensorflow as tf

from gendsl.lower.augment import colors, maps, places
from gendsl.lower.augment.mixing import mixed
from gendsl.parts.keys import Key
from gendsl.plan.plan import Call, Field

Normals = Callable[[int, Any], Any]  # standard normal numbers for the transform of a number, of the images' shape
Partners = Callable[[int], Any]  # other pictures for the transform of a number, of the images' shape

DRAWS = 4  # uniform numbers a transform has for each example; the last decides whether it is applied


def span_of(field: Field) -> tuple[float, float]:
    """What black and white become in an image field: its `range`, 0..1 if unsaid."""
    low, high = field.arguments.get("range") or (0, 1)
    return float(low), float(high)


def both_of(calls: tuple[Call, ...], *, span: tuple[float, float] = (-1.0, 1.0)) -> Callable[..., Any]:
    """A function of images (batch, h, w, c) and a key that gives the transformed images, of the same shape and type.

    `span` is the images' range. The function's `chance`, float32 (), multiplies the probability of each transform.
    Source: Zhao et al. 2020, Differentiable Augmentation for Data-Efficient GAN Training.
    """

    def both(images: Any, key: Key, *, chance: Any = None) -> Any:
        uniform = key.at("augment").uniform((tf.shape(images)[0], len(calls), DRAWS))

        def normals(number: int, images: Any) -> Any:
            return key.at(f"augment/{number}").normal(tf.shape(images))

        return transformed(calls, images, uniform, normals, span=span, chance=chance)

    return both


def transformed(
    calls: Sequence[Call],
    images: Any,
    uniform: Any,
    normals: Normals,
    *,
    span: tuple[float, float],
    chance: Any = None,
    partners: Partners | None = None,
) -> Any:
    """Images (batch, h, w, c) after all transforms in order, each by its uniform numbers (batch, transforms, 4).

    A transform is done to the share `probability` of the examples, times `chance`; the others stay bit for bit.
    `mixup` mixes each image with its partner.
    """
    for (mode, first), run in groupby(enumerate(calls), _kind):
        if calls[first].word == "mixup":
            assert partners is not None, "generated pictures have none"
            images = mixed(calls[first].arguments, images, partners(first), uniform[:, first])
            continue
        if mode is None:
            images = _done(calls[first], images, uniform[:, first], normals, first, span, chance)
            continue
        seen: maps.Map | None = None
        for number, call in run:
            one = _MAPS[call.word](call.arguments, images, uniform[:, number])
            chosen = _chosen(call, uniform[:, number], chance)
            one = one if chosen is None else maps.where(chosen, one)
            seen = one if seen is None else maps.after(seen, one)
        assert seen is not None
        images = maps.sampled(images, seen, mode)
    return images


def _kind(numbered: tuple[int, Call]) -> tuple[str | None, int]:
    """What the maps that can be made into one have in common: what lies outside; all else stands alone."""
    number, call = numbered
    return (call.arguments.get("mode", "constant"), -1) if call.word in _MAPS else (None, number)


def _done(
    call: Call, images: Any, uniform: Any, normals: Normals, number: int, span: tuple[float, float], chance: Any
) -> Any:
    """One transform that is no map, on the examples that are chosen."""
    if call.word == "noise":
        done = images + tf.cast(float(call.arguments["std"]) * normals(number, images), images.dtype)
    elif call.word in _COLORS:
        recolor = _COLORS[call.word]
        done = colors.recolored(images, lambda values: recolor(call.arguments, values, uniform), span=span)
    else:
        done = _PLACES[call.word](call.arguments, images, uniform)
    chosen = _chosen(call, uniform, chance)
    return done if chosen is None else tf.where(chosen[:, None, None, None], done, images)


def _chosen(call: Call, uniform: Any, chance: Any) -> Any:
    """Which examples a transform is done to, (batch,) bool; None for all."""
    probability = float(call.arguments.get("probability", 1.0))
    if chance is None:
        return None if probability == 1.0 else uniform[:, DRAWS - 1] < probability
    return uniform[:, DRAWS - 1] < probability * chance


_PLACES: Mapping[str, Callable[[Mapping[str, Any], Any, Any], Any]] = {
    "flip": places.flip,
    "translate": places.translate,
    "crop": places.crop,
    "cutout": places.cutout,
}
_MAPS: Mapping[str, Callable[[Mapping[str, Any], Any, Any], maps.Map]] = {
    "rotate": maps.rotate,
    "rotate90": maps.rotate90,
    "scale": maps.scale,
    "zoom": maps.zoom,
    "stretch": maps.stretch,
    "shift": maps.shift,
}
_COLORS: Mapping[str, colors.Recolor] = {
    "color": colors.color,
    "brightness": colors.brightness,
    "contrast": colors.contrast,
    "luma_flip": colors.luma_flip,
    "hue": colors.hue,
    "saturation": colors.saturation,
}
