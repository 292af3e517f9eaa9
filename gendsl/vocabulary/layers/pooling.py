"""Words that summarise neighbouring places, all places, or the batch, without weights."""

from collections.abc import Mapping
from typing import Any

from gendsl.vocabulary.dimensions import Shape, known, product
from gendsl.vocabulary.layers.common import PADDING, described, rank_mismatch, sizes
from gendsl.vocabulary.layers.convolution import window
from gendsl.vocabulary.word import Count, Inferred, LayerWord, Mismatch, Parameter, SizeOf


def _pool(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if mismatch := rank_mismatch(given, 2, 3, 4):
        return mismatch
    rank = len(given) - 1
    size = sizes(arguments["size"], rank)
    stride = size if arguments["stride"] is None else sizes(arguments["stride"], rank)
    if len(size) != rank or len(stride) != rank:
        return Mismatch(
            f"has sizes for {len(size) if len(size) != rank else len(stride)} axes, and {described(given)} has {rank} "
            "before the channels",
            "one number stands for all",
        )
    space = window(given[:-1], size, stride, arguments["padding"])
    if isinstance(space, Mismatch):
        return space
    shape = (*space, given[-1])
    return Inferred(shape, (), product(size) * product(shape))


def _configure_pool(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> dict[str, Any]:
    rank = len(shapes[0]) - 1
    size = sizes(arguments["size"], rank)
    stride = size if arguments["stride"] is None else sizes(arguments["stride"], rank)
    return {"pool_size": size if rank > 1 else size[0], "strides": stride if rank > 1 else stride[0]}


def _global(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if mismatch := rank_mismatch(given, 2, 3, 4):
        return mismatch
    return Inferred((given[-1],), (), product(given))


def _minibatch_stddev(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if not given:
        return Mismatch("takes features or images, and is given a single number", "put it before the last `dense`")
    features, channels = arguments["features"], given[-1]
    if known(features, channels) and channels % features:
        return Mismatch(
            f"averages over {features} groups of channels, which do not divide the {channels} it is given",
            f"take a divisor of {channels} as `features`",
        )
    return Inferred((*given[:-1], channels + features), (), 4 * product(given))


def _pooling(name: str, keras: str, doc: str) -> LayerWord:
    return LayerWord(
        name=name,
        category="layer",
        doc=doc,
        source=f"keras.layers.{keras}2D",
        parameters=(
            Parameter(name="size", kind=SizeOf(one=True), default=2, doc="the window's size; one number for all axes"),
            Parameter(
                name="stride",
                kind=SizeOf(one=True),
                default=None,
                positional=False,
                doc="the window's step; else its size",
            ),
            PADDING,
        ),
        example=f"conv 64 | {name} 2",
        infer=_pool,
        keras=f"keras.layers:{keras}{{rank}}D",
        renames={"size": "", "stride": ""},
        configure=_configure_pool,
        homogeneous=name == "average_pool",
    )


def _global_pooling(name: str, keras: str, doc: str, source: str) -> LayerWord:
    return LayerWord(
        name=name,
        category="layer",
        doc=doc,
        source=source,
        example=f"conv 64 | {name} | dense 1",
        infer=_global,
        keras=keras,
        renames={},
        homogeneous=name != "global_max_pool",
    )


WORDS = (
    _pooling("average_pool", "AveragePooling", "The mean of each window; padding does not count."),
    _pooling("max_pool", "MaxPooling", "The greatest number of each window."),
    _global_pooling(
        "global_average_pool",
        "keras.layers:GlobalAveragePooling{rank}D",
        "The mean of each channel over all places.",
        "keras.layers.GlobalAveragePooling2D",
    ),
    _global_pooling(
        "global_max_pool",
        "keras.layers:GlobalMaxPooling{rank}D",
        "The greatest number of each channel.",
        "keras.layers.GlobalMaxPooling2D",
    ),
    _global_pooling(
        "global_sum_pool",
        "gendsl.parts.global_sum_pool:GlobalSumPool",
        "The sum of each channel over all places.",
        "Miyato and Koyama 2018, figure 14",
    ),
    LayerWord(
        name="minibatch_stddev",
        category="layer",
        doc="Adds channels that tell how much the examples of a group differ.",
        source="Karras et al. 2018, section 3",
        parameters=(
            Parameter(
                name="group",
                kind=Count(),
                default=4,
                doc="how many examples are compared: the largest divisor of the batch up to this",
            ),
            Parameter(name="features", kind=Count(), default=1, positional=False, doc="how many channels are added"),
        ),
        example="minibatch_stddev | flatten | dense 1",
        infer=_minibatch_stddev,
        keras="gendsl.parts.minibatch_stddev:MinibatchStddev",
        renames={},
        batch_coupled=True,
    ),
)
