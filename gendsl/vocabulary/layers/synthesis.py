"""Words of large image GANs: self-attention, modulated convolutions, learned constants and injected noise."""

from collections.abc import Mapping
from typing import Any

from gendsl.vocabulary.dimensions import Dimension, Shape, floor_divide, known, product, shown
from gendsl.vocabulary.layers.common import BIAS, CONSTRAIN, INIT, constrained, described, numbers, rank_mismatch
from gendsl.vocabulary.word import (
    Count,
    Inferred,
    LayerWord,
    Mismatch,
    OneOf,
    Parameter,
    Reference,
    SizeOf,
    Toggle,
    Weight,
)


def _self_attention(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if mismatch := rank_mismatch(given, 3):
        return mismatch
    height, width, channels = given
    pool = arguments["pool"]
    for length in (height, width):
        if known(length, pool) and pool > length:
            return Mismatch(f"pools {pool}x{pool} places, and is given {shown(given)}", "take a smaller `pool`")
    for name in ("reduce", "values"):
        if known(channels, arguments[name]) and arguments[name] > channels:
            return Mismatch(
                f"divides the channels by {arguments[name]}, and is given {channels}: none would be left",
                f"take a smaller `{name}`",
            )
    narrow, wide = floor_divide(channels, arguments["reduce"]), floor_divide(channels, arguments["values"])
    weights: tuple[Weight, ...] = ()
    for name, inputs, outputs in (
        ("query", channels, narrow),
        ("key", channels, narrow),
        ("value", channels, wide),
        ("output", wide, channels),
    ):
        weights += (Weight(f"{name}_kernel", (inputs, outputs)),)
        if arguments["bias"]:
            weights += (Weight(f"{name}_bias", (outputs,)),)
    places = height * width
    seen = floor_divide(height, pool) * floor_divide(width, pool)
    flops = 2 * places * channels * (2 * narrow + 2 * wide) + 2 * places * seen * (narrow + wide) + 2 * product(given)
    return Inferred(given, (*constrained(arguments, weights), Weight("gamma", ())), flops)


def _modulated(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    given, style = shapes
    if mismatch := rank_mismatch(given, 3):
        return mismatch
    if len(style) != 1:
        return Mismatch(
            f"is steered by features (n), and is given {described(style)}",
            "`embed` makes features of a label" if not style else "`flatten` gives features",
        )
    (height, width, channels), filters, size = given, arguments["filters"], arguments["kernel"]
    factor: Dimension = arguments["upsample"]
    kernel = (size, size, channels, filters)
    weights: tuple[Weight, ...] = (
        Weight("kernel", kernel),
        Weight("style_kernel", (style[0], channels)),
        Weight("style_bias", (channels,)),
    )
    if arguments["bias"]:
        weights += (Weight("bias", (filters,)),)
    out = (height * factor, width * factor, filters)
    flops = 2 * product(kernel) * height * width + 2 * style[0] * channels + product(given)
    if arguments["upsample"] > 1:
        flops = flops + 2 * 16 * product(out)
    if arguments["demodulate"]:
        flops = flops + product(kernel) * 2 + 2 * channels * filters + product(out)
    if arguments["bias"]:
        flops = flops + product(out)
    return Inferred(out, constrained(arguments, weights), flops)


def _noise(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if not given:
        return Mismatch("adds noise to channels, and is given a single number", "a layer such as `dense` before it")
    return Inferred(given, (Weight("strength", ()),), 2 * product(given))


def _constant(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    sizes = numbers(arguments, "sizes")
    return Inferred(sizes, (Weight("constant", sizes),))


WORDS = (
    LayerWord(
        name="self_attention",
        category="layer",
        doc="Adds to each place of an image, times a learned number that begins at 0, a mean of what a 1x1 convolution "
        "sees in all places, weighted by the softmax of the inner products of two more.",
        source="Zhang et al. 2019 (SAGAN), equations 1 to 3; its authors' code pools keys and values and halves the "
        "channels of the values",
        parameters=(
            Parameter(
                name="reduce",
                kind=Count(),
                default=8,
                positional=False,
                doc="what the channels of queries and keys are divided by",
            ),
            Parameter(
                name="values",
                kind=Count(),
                default=2,
                positional=False,
                doc="what the channels of the values are divided by",
            ),
            Parameter(
                name="pool",
                kind=Count(),
                default=2,
                positional=False,
                doc="by how much keys and values are max-pooled; 1 for not at all",
            ),
            Parameter(
                name="bias", kind=Toggle(), default=False, positional=False, doc="whether the convolutions have biases"
            ),
            INIT,
            CONSTRAIN,
        ),
        example="conv 256 | self_attention | conv 128",
        infer=_self_attention,
        keras="gendsl.parts.self_attention:SelfAttention",
        renames={"bias": "use_bias", "init": "kernel_initializer", "constrain": ""},
    ),
    LayerWord(
        name="modulated_conv",
        category="layer",
        doc="A convolution of an image whose kernel is scaled for each example by a style: s = 1 + A·style + b for "
        "each input channel; each filter is then divided by its length.",
        source="Karras et al. 2020 (StyleGAN2), equations 1 and 3",
        parameters=(
            Parameter(name="filters", kind=Count(), doc="how many channels it gives"),
            Parameter(name="style", kind=Reference(), doc="features (n)"),
            Parameter(name="kernel", kind=Count(), default=3, positional=False, doc="the kernel's size"),
            Parameter(
                name="upsample",
                kind=Count(maximum=2),
                default=1,
                positional=False,
                doc="2 doubles height and width by a transposed convolution and a blur by (1, 3, 3, 1)",
            ),
            Parameter(
                name="demodulate",
                kind=Toggle(),
                default=True,
                positional=False,
                doc="whether each filter is divided by its length",
            ),
            BIAS,
            INIT,
            CONSTRAIN,
        ),
        example="modulated_conv 512, w, upsample: 2 | inject_noise | leaky_relu 0.2",
        infer=_modulated,
        keras="gendsl.parts.modulated_conv:ModulatedConv",
        renames={"kernel": "kernel_size", "bias": "use_bias", "init": "kernel_initializer", "constrain": ""},
    ),
    LayerWord(
        name="inject_noise",
        category="layer",
        doc="Adds one normal number a place, the same for all channels, times a learned number that begins at 0; in "
        "sampling, too.",
        source="Karras et al. 2019 (StyleGAN), section 2; Karras et al. 2020, figure 2",
        example="modulated_conv 512, w | inject_noise | leaky_relu 0.2",
        infer=_noise,
        keras="gendsl.parts.inject_noise:InjectNoise",
        renames={},
    ),
    LayerWord(
        name="learned_constant",
        category="layer",
        doc="Gives the same learned numbers for each example, whatever flows in.",
        source="Karras et al. 2019 (StyleGAN), section 2",
        parameters=(
            Parameter(name="sizes", kind=OneOf((Count(), SizeOf())), many=True, doc="`4, 4, 512` or `4x4x512`"),
            INIT,
        ),
        example="from w | learned_constant 4, 4, 512 | modulated_conv 512, w",
        infer=_constant,
        keras="gendsl.parts.learned_constant:LearnedConstant",
        renames={"sizes": "", "init": "initializer"},
        configure=lambda arguments, shapes: {"sizes": numbers(arguments, "sizes")},
    ),
)
