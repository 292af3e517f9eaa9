"""Words that move numbers about or grow and shrink images, without weights: reshape, pad, upsample, pixel_shuffle…"""

from collections.abc import Mapping
from typing import Any

from gendsl.vocabulary.dimensions import Dimension, Shape, floor_divide, known, product, same, shown
from gendsl.vocabulary.layers.common import described, numbers, rank_mismatch, sizes
from gendsl.vocabulary.word import (
    Choice,
    Count,
    Inferred,
    LayerWord,
    Mismatch,
    OneOf,
    Parameter,
    SizeOf,
)


def _flatten(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    return Inferred((product(shapes[0]),))


def _reshape(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,), target = shapes, numbers(arguments, "sizes")
    before, after = product(given), product(target)
    if not same(before, after):
        return Mismatch(
            f"makes {shown(target)}, which is {after} numbers, and is given {before} ({described(given)})",
            f"give it {after} numbers, as `dense {after}` before it would, or other sizes",
        )
    return Inferred(target)


def _permute(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,), order = shapes, numbers(arguments, "axes")
    if sorted(map(str, order)) != sorted(str(axis + 1) for axis in range(len(given))):
        axes = ", ".join(str(axis + 1) for axis in range(len(given)))
        return Mismatch(
            f"names each of the {len(given)} axes of {described(given)} once",
            f"write {axes} in the order you want" if given else "",
        )
    return Inferred(tuple(given[axis - 1] for axis in order if isinstance(axis, int)))


def _spatial(given: Shape, value: Any, ranks: tuple[int, ...] = (2, 3, 4)) -> tuple[Dimension, ...] | Mismatch:
    """The argument's sizes along the axes before the channels."""
    if mismatch := rank_mismatch(given, *ranks):
        return mismatch
    found = sizes(value, len(given) - 1)
    if len(found) != len(given) - 1:
        return Mismatch(
            f"has {len(found)} sizes, and {described(given)} has {len(given) - 1} axes before the channels",
            "one number stands for all",
        )
    return found


def _pad(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,), mode = shapes, arguments["mode"]
    amounts = _spatial(given, arguments["amount"])
    if isinstance(amounts, Mismatch):
        return amounts
    for length, amount in zip(given, amounts, strict=False):
        limit = length - 1 if mode == "reflect" else length
        if mode != "constant" and isinstance(limit, int) and isinstance(amount, int) and amount > limit:
            return Mismatch(
                f"with mode `{mode}` has at most {limit} to repeat of {length}, and is to add {amount}",
                f"pad by at most {limit}, or with `mode: constant`",
            )
    space = tuple(length + 2 * amount for length, amount in zip(given, amounts, strict=False))
    return Inferred((*space, given[-1]))


def _crop(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    amounts = _spatial(given, arguments["amount"])
    if isinstance(amounts, Mismatch):
        return amounts
    space = tuple(length - 2 * amount for length, amount in zip(given, amounts, strict=False))
    for length, left in zip(given, space, strict=False):
        if isinstance(left, int) and left < 1:
            return Mismatch(f"takes {length} away on both sides together, or more, and is given {length}", "crop less")
    return Inferred((*space, given[-1]))


def _upsample(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    factors = _spatial(given, arguments["factor"])
    if isinstance(factors, Mismatch):
        return factors
    bilinear = arguments["mode"] == "bilinear"
    if bilinear and len(given) != 3:
        return Mismatch(f"is bilinear on images only, and is given {described(given)}", "leave out `mode`")
    space = tuple(length * factor for length, factor in zip(given, factors, strict=False))
    return Inferred((*space, given[-1]), (), (8 if bilinear else 0) * product((*space, given[-1])))


def _configure_upsample(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> dict[str, Any]:
    factors = sizes(arguments["factor"], len(shapes[0]) - 1)
    if len(factors) == 2:
        return {"size": factors, "interpolation": arguments["mode"]}
    return {"size": factors if len(factors) > 1 else factors[0]}


def _configure_crop(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> dict[str, Any]:
    pairs = tuple((amount, amount) for amount in sizes(arguments["amount"], len(shapes[0]) - 1))
    return {"cropping": pairs if len(pairs) > 1 else pairs[0]}


def _pixel_shuffle(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,), factor = shapes, arguments["factor"]
    if mismatch := rank_mismatch(given, 3):
        return mismatch
    height, width, channels = given
    if known(channels, factor) and channels % (factor * factor):
        return Mismatch(
            f"makes {factor}x{factor} pixels of each one, so it takes a multiple of {factor * factor} channels, "
            f"and is given {channels}",
            f"`conv n * {factor * factor}` before it gives n channels behind it",
        )
    return Inferred((height * factor, width * factor, floor_divide(channels, factor * factor)))


def _pack(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if not given:
        return Mismatch("joins the channels of several examples, and is given a single number", "`reshape 1` before it")
    return Inferred((*given[:-1], given[-1] * arguments["samples"]))


def _identity(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    return Inferred(shapes[0])


_NUMBER_OR_SIZE = OneOf((Count(), SizeOf()))
_AMOUNT = Parameter(
    name="amount", kind=SizeOf(one=True, minimum=0), doc="how much on each side; one number for all axes"
)

WORDS = (
    LayerWord(
        name="flatten",
        category="layer",
        doc="Lays all axes in one.",
        source="keras.layers.Flatten",
        example="conv 64, stride: 2 | flatten | dense 1",
        infer=_flatten,
        keras="keras.layers:Flatten",
        renames={},
        homogeneous=True,
    ),
    LayerWord(
        name="reshape",
        category="layer",
        doc="Arranges the numbers in other sizes.",
        source="keras.layers.Reshape",
        parameters=(
            Parameter(name="sizes", kind=_NUMBER_OR_SIZE, many=True, doc="the new sizes: `4, 4, 256` or `4x4x256`"),
        ),
        example="dense 4*4*256 | reshape 4, 4, 256",
        infer=_reshape,
        keras="keras.layers:Reshape",
        renames={"sizes": ""},
        configure=lambda arguments, shapes: {"target_shape": numbers(arguments, "sizes")},
        homogeneous=True,
    ),
    LayerWord(
        name="permute",
        category="layer",
        doc="Puts the axes in another order.",
        source="keras.layers.Permute",
        parameters=(
            Parameter(name="axes", kind=Count(), many=True, doc="the axes, counted from 1, in their new order"),
        ),
        example="permute 2, 1, 3",
        infer=_permute,
        keras="keras.layers:Permute",
        renames={"axes": ""},
        configure=lambda arguments, shapes: {"dims": numbers(arguments, "axes")},
        homogeneous=True,
    ),
    LayerWord(
        name="pad",
        category="layer",
        doc="Widens every axis before the channels on both sides: by zeros, or by a mirror of the border.",
        source="keras.ops.pad",
        parameters=(
            _AMOUNT,
            Parameter(
                name="mode",
                kind=Choice(("constant", "reflect", "symmetric")),
                default="constant",
                positional=False,
                doc="`constant` is zeros, `reflect` leaves out the border itself, `symmetric` repeats it",
            ),
        ),
        example="pad 3, mode: reflect | conv 64, kernel: 7, padding: valid",
        infer=_pad,
        keras="gendsl.parts.pad:Pad",
        renames={},
        configure=lambda arguments, shapes: {"amount": sizes(arguments["amount"], len(shapes[0]) - 1)},
        homogeneous=True,
    ),
    LayerWord(
        name="crop",
        category="layer",
        doc="Cuts the border off every axis before the channels, on both sides.",
        source="keras.layers.Cropping2D",
        parameters=(_AMOUNT,),
        example="crop 2",
        infer=_crop,
        keras="keras.layers:Cropping{rank}D",
        renames={"amount": ""},
        configure=_configure_crop,
        homogeneous=True,
    ),
    LayerWord(
        name="upsample",
        category="layer",
        doc="Repeats each pixel or step; or, on images, draws straight lines between them.",
        source="keras.layers.UpSampling2D; Odena et al. 2016",
        parameters=(
            Parameter(
                name="factor", kind=SizeOf(one=True), default=2, doc="by how much it grows; one number for all axes"
            ),
            Parameter(
                name="mode",
                kind=Choice(("nearest", "bilinear")),
                default="nearest",
                positional=False,
                doc="how the new values come about",
            ),
        ),
        example="upsample 2 | conv 64",
        infer=_upsample,
        keras="keras.layers:UpSampling{rank}D",
        renames={"factor": "", "mode": ""},
        configure=_configure_upsample,
        homogeneous=True,
    ),
    LayerWord(
        name="pixel_shuffle",
        category="layer",
        doc="Spreads groups of channels over pixels: height and width times the factor, channels over its square.",
        source="Shi et al. 2016, equation 4",
        parameters=(Parameter(name="factor", kind=Count(), default=2, doc="by how much the image grows"),),
        example="conv 4 * 64 | pixel_shuffle 2",
        infer=_pixel_shuffle,
        keras="gendsl.parts.pixel_shuffle:PixelShuffle",
        renames={},
        homogeneous=True,
    ),
    LayerWord(
        name="pack",
        category="layer",
        doc="Joins the channels of n examples into one, so that a discriminator judges them together.",
        source="Lin et al. 2018 (PacGAN), section 2",
        parameters=(Parameter(name="samples", kind=Count(), doc="how many examples; the batch is a multiple of it"),),
        example="pack 10 | dense 256",
        infer=_pack,
        keras="gendsl.parts.pack:Pack",
        renames={},
        batch_coupled=True,
    ),
    LayerWord(
        name="identity",
        category="layer",
        doc="Gives what it is given.",
        source="keras.layers.Identity",
        example="parallel merge: concat { path { dense 64 | relu }; path { identity } }",
        infer=_identity,
        keras="keras.layers:Identity",
        renames={},
        homogeneous=True,
        reach="own",
    ),
)
