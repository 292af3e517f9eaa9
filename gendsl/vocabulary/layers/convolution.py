"""Words for convolutions: images, sequences and volumes in, with sizes that TensorFlow gives them out."""

from collections.abc import Mapping
from typing import Any

from gendsl.vocabulary.dimensions import Dimension, Shape, ceil_divide, floor_divide, known, product
from gendsl.vocabulary.layers.common import BIAS, CONSTRAIN, INIT, PADDING, constrained, rank_mismatch, size, sizes
from gendsl.vocabulary.word import Choice, Count, Infer, Inferred, LayerWord, Mismatch, Parameter, Weight

_FILTERS = Parameter(name="filters", kind=Count(), doc="how many channels it gives")
_GROUPS = Parameter(
    name="groups", kind=Count(), default=1, positional=False, doc="parts into which the channels fall, each on its own"
)
_AXIS_NAMES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
_RENAMES = {
    "kernel": "kernel_size",
    "stride": "strides",
    "dilation": "dilation_rate",
    "bias": "use_bias",
    "init": "kernel_initializer",
    "constrain": "",
}


def window(
    given: tuple[Dimension, ...],
    kernel: tuple[Dimension, ...],
    stride: tuple[Dimension, ...],
    padding: str,
    dilation: tuple[Dimension, ...] | None = None,
) -> tuple[Dimension, ...] | Mismatch:
    """The sizes that a sliding window gives, axis by axis, as TensorFlow counts them; a mismatch where none fits."""
    dilation = dilation or (1,) * len(given)
    out: list[Dimension] = []
    for axis, (length, reach, step, gap) in enumerate(zip(given, kernel, stride, dilation, strict=True)):
        if padding != "valid":
            out.append(ceil_divide(length, _int(step)))
            continue
        span = (reach - 1) * gap + 1
        if isinstance(length, int) and isinstance(span, int) and span > length:
            name = _AXIS_NAMES[len(given)][axis]
            return Mismatch(
                f"reaches over {span} along the {name}, and is given {length}",
                "`padding: same`, or a smaller kernel, makes it fit",
            )
        out.append(floor_divide(length - span, _int(step)) + 1)
    return tuple(out)


def _int(value: Dimension) -> int:
    return value if isinstance(value, int) else 1


def _steps_mismatch(stride: tuple[Dimension, ...], dilation: tuple[Dimension, ...]) -> Mismatch | None:
    if any(s != 1 for s in stride) and any(d != 1 for d in dilation):
        return Mismatch("cannot have both a stride and a dilation", "leave one of them out")
    return None


def _groups_mismatch(channels: Dimension, filters: Dimension, groups: Dimension) -> Mismatch | None:
    for number, name in ((channels, "channels it is given"), (filters, "filters")):
        if isinstance(number, int) and isinstance(groups, int) and number % groups:
            return Mismatch(
                f"falls into {groups} groups, which do not divide the {number} {name}",
                f"take a divisor of {number} as `groups`",
            )
    return None


def _convolution(rank: int) -> Infer:
    def infer(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
        (given,) = shapes
        if mismatch := rank_mismatch(given, rank + 1):
            return mismatch
        kernel, stride = sizes(arguments["kernel"], rank), sizes(arguments["stride"], rank)
        dilation, groups = sizes(arguments["dilation"], rank), arguments["groups"]
        filters, channels = arguments["filters"], given[-1]
        mismatch = _steps_mismatch(stride, dilation) or _groups_mismatch(channels, filters, groups)
        if mismatch:
            return mismatch
        space = window(given[:-1], kernel, stride, arguments["padding"], dilation)
        if isinstance(space, Mismatch):
            return space
        kernel_shape = (*kernel, floor_divide(channels, _int(groups)), filters)
        weights: tuple[Weight, ...] = (Weight("kernel", kernel_shape),)
        flops = 2 * product(kernel_shape) * product(space)
        if arguments["bias"]:
            weights += (Weight("bias", (filters,)),)
            flops = flops + filters * product(space)
        return Inferred((*space, filters), constrained(arguments, weights), flops)

    return infer


def _up_conv(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if mismatch := rank_mismatch(given, 3):
        return mismatch
    kernel, stride = sizes(arguments["kernel"], 2), sizes(arguments["stride"], 2)
    filters, channels = arguments["filters"], given[-1]
    space: tuple[Dimension, ...] = tuple(
        length * step + (max(_int(reach) - _int(step), 0) if arguments["padding"] == "valid" else 0)
        for length, reach, step in zip(given[:-1], kernel, stride, strict=True)
    )
    kernel_shape = (*kernel, filters, channels)
    weights: tuple[Weight, ...] = (Weight("kernel", kernel_shape),)
    flops = 2 * product(kernel_shape) * product(given[:-1])
    if arguments["bias"]:
        weights += (Weight("bias", (filters,)),)
        flops = flops + filters * product(space)
    return Inferred((*space, filters), constrained(arguments, weights, outputs=(-2,)), flops)


def _depthwise(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    found = _channelwise(arguments, shapes)
    if isinstance(found, Mismatch):
        return found
    space, kernel_shape, flops = found
    width = kernel_shape[-2] * kernel_shape[-1]
    weights: tuple[Weight, ...] = (Weight("kernel", kernel_shape),)
    if arguments["bias"]:
        weights += (Weight("bias", (width,)),)
        flops = flops + width * product(space)
    return Inferred((*space, width), constrained(arguments, weights, outputs=(-2, -1)), flops)


def _separable(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    found = _channelwise(arguments, shapes)
    if isinstance(found, Mismatch):
        return found
    space, kernel_shape, flops = found
    width, filters = kernel_shape[-2] * kernel_shape[-1], arguments["filters"]
    depthwise = constrained(arguments, (Weight("depthwise_kernel", kernel_shape),), outputs=(-2, -1))
    pointwise = constrained(arguments, (Weight("pointwise_kernel", (1, 1, width, filters)),))
    weights = depthwise + pointwise
    flops = flops + 2 * width * filters * product(space)
    if arguments["bias"]:
        weights += (Weight("bias", (filters,)),)
        flops = flops + filters * product(space)
    return Inferred((*space, filters), weights, flops)


def _channelwise(
    arguments: Mapping[str, Any], shapes: tuple[Shape, ...]
) -> tuple[tuple[Dimension, ...], Shape, Dimension] | Mismatch:
    """Sizes, kernel and FLOPs of a kernel that is applied to each channel on its own."""
    (given,) = shapes
    if mismatch := rank_mismatch(given, 3):
        return mismatch
    kernel, stride = sizes(arguments["kernel"], 2), (arguments["stride"],) * 2
    dilation = sizes(arguments["dilation"], 2)
    if mismatch := _steps_mismatch(stride, dilation):
        return mismatch
    space = window(given[:-1], kernel, stride, arguments["padding"], dilation)
    if isinstance(space, Mismatch):
        return space
    kernel_shape = (*kernel, given[-1], arguments["multiplier"])
    return space, kernel_shape, 2 * product(kernel_shape) * product(space)


def _blur(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if mismatch := rank_mismatch(given, 3):
        return mismatch
    kernel, stride = arguments["kernel"], arguments["stride"]
    for length in given[:-1]:
        if known(length, kernel) and kernel // 2 >= length:
            return Mismatch(
                f"reflects {kernel // 2} pixels at the border, and is given only {length}", "take a smaller `kernel`"
            )
    space = tuple(ceil_divide(length, _int(stride)) for length in given[:-1])
    return Inferred((*space, given[-1]), (), 2 * kernel * kernel * product((*space, given[-1])))


def _conv(name: str, rank: int, doc: str, example: str) -> LayerWord:
    padding = PADDING
    if rank == 1:
        padding = Parameter(
            name="padding",
            kind=Choice(("same", "valid", "causal")),
            default="same",
            positional=False,
            doc="`causal` pads before the sequence only, so that no step sees a later one",
        )
    return LayerWord(
        name=name,
        category="layer",
        doc=doc,
        source=f"keras.layers.Conv{rank}D",
        parameters=(
            _FILTERS,
            size("kernel", rank, 3, "the kernel's size"),
            size("stride", rank, 1, "the kernel's step"),
            padding,
            size("dilation", rank, 1, "the spacing of the kernel's taps"),
            _GROUPS,
            BIAS,
            INIT,
            CONSTRAIN,
        ),
        example=example,
        infer=_convolution(rank),
        keras=f"keras.layers:Conv{rank}D",
        renames=_RENAMES,
        reach=_sequence_reach if rank == 1 else "all",
        homogeneous=True,
    )


def _sequence_reach(arguments: Mapping[str, Any], along: tuple[bool, ...]) -> str:
    kernel, stride = (sizes(arguments[name], 1)[0] for name in ("kernel", "stride"))
    if stride != 1:
        return "all"
    return "own" if kernel == 1 else "earlier" if arguments["padding"] == "causal" else "all"


_MULTIPLIER = Parameter(
    name="multiplier", kind=Count(), default=1, positional=False, doc="how many results each channel gives"
)
_STRIDE = Parameter(name="stride", kind=Count(), default=1, positional=False, doc="the kernel's step")

WORDS = (
    _conv("conv", 2, "A convolution of an image.", "conv 64, kernel: 4, stride: 2"),
    _conv("conv1d", 1, "A convolution of a sequence.", "conv1d 64, kernel: 5, padding: causal"),
    _conv("conv3d", 3, "A convolution of a volume or a video.", "conv3d 32, kernel: 3"),
    LayerWord(
        name="up_conv",
        category="layer",
        doc="A transposed convolution of an image: with padding `same` the size is multiplied by the stride.",
        source="keras.layers.Conv2DTranspose; Dumoulin and Visin 2016, section 4",
        parameters=(
            _FILTERS,
            size("kernel", 2, 3, "the kernel's size"),
            size("stride", 2, 1, "by how much the image grows"),
            PADDING,
            BIAS,
            INIT,
            CONSTRAIN,
        ),
        example="up_conv 64, kernel: 4, stride: 2",
        infer=_up_conv,
        keras="keras.layers:Conv2DTranspose",
        renames={key: value for key, value in _RENAMES.items() if key != "dilation"},
        homogeneous=True,
    ),
    LayerWord(
        name="depthwise_conv",
        category="layer",
        doc="A convolution of each channel of an image on its own.",
        source="keras.layers.DepthwiseConv2D; Howard et al. 2017, section 3.1",
        parameters=(
            size("kernel", 2, 3, "the kernel's size", positional=True),
            _STRIDE,
            PADDING,
            size("dilation", 2, 1, "the spacing of the kernel's taps"),
            _MULTIPLIER,
            BIAS,
            INIT,
            CONSTRAIN,
        ),
        example="depthwise_conv 3, stride: 2",
        infer=_depthwise,
        keras="keras.layers:DepthwiseConv2D",
        renames={**_RENAMES, "multiplier": "depth_multiplier", "init": "depthwise_initializer"},
        homogeneous=True,
    ),
    LayerWord(
        name="separable_conv",
        category="layer",
        doc="A convolution of each channel on its own, then a 1x1 convolution that mixes them.",
        source="keras.layers.SeparableConv2D; Chollet 2017",
        parameters=(
            _FILTERS,
            size("kernel", 2, 3, "the kernel's size"),
            _STRIDE,
            PADDING,
            size("dilation", 2, 1, "the spacing of the kernel's taps"),
            _MULTIPLIER,
            BIAS,
            INIT,
            CONSTRAIN,
        ),
        example="separable_conv 64, kernel: 3",
        infer=_separable,
        keras="keras.layers:SeparableConv2D",
        renames={
            **_RENAMES,
            "multiplier": "depth_multiplier",
            "init": "depthwise_initializer pointwise_initializer",
        },
        homogeneous=True,
    ),
    LayerWord(
        name="blur",
        category="layer",
        doc="A binomial low-pass filter of an image, reflected at its border; with a stride an anti-aliased shrinking.",
        source="Zhang 2019, section 3.2",
        parameters=(
            Parameter(name="kernel", kind=Count(minimum=2, maximum=15), default=3, doc="how many taps: 3 is 1, 2, 1"),
            Parameter(name="stride", kind=Count(), default=1, positional=False, doc="the filter's step"),
        ),
        example="conv 64 | blur 3, stride: 2",
        infer=_blur,
        keras="gendsl.parts.blur:Blur",
        renames={},
        homogeneous=True,
    ),
)
