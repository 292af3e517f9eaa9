"""Words for layers that mix all features, or look them up: dense, embed, position and time embeddings, project."""

from collections.abc import Mapping
from typing import Any

from gendsl.vocabulary.dimensions import Shape, known, product, same, shown
from gendsl.vocabulary.layers.common import BIAS, CONSTRAIN, INIT, constrained, described
from gendsl.vocabulary.word import (
    Choice,
    Count,
    Inferred,
    LayerWord,
    Mismatch,
    Parameter,
    Real,
    Reference,
    Weight,
)

CLASSES = Parameter(
    name="classes",
    kind=Count(),
    default=None,
    positional=False,
    doc="how many classes the label has; known where the label is a data field's",
)


def no_classes() -> Mismatch:
    """The mismatch of a layer that embeds a class of which nobody knows how many there are."""
    return Mismatch("embeds a class, but how many classes there are is not known", "say it with `classes: 10`")


def _dense(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if not given:
        return Mismatch(
            "takes features, and is given a single number",
            "`one_hot` or `embed` makes features of a label, `time_embed` of a time",
        )
    units, width = arguments["units"], given[-1]
    weights: tuple[Weight, ...] = (Weight("kernel", (width, units)),)
    positions = product(given[:-1])
    flops = 2 * positions * width * units
    if arguments["bias"]:
        weights += (Weight("bias", (units,)),)
        flops = flops + positions * units
    return Inferred((*given[:-1], units), constrained(arguments, weights), flops)


def _embed(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if len(given) > 2:
        return Mismatch(f"takes a label or tokens, and is given {described(given)}", "images go through `conv`")
    width = arguments["width"]
    weights = (Weight("embeddings", (arguments["vocabulary"], width)),)
    return Inferred((*given, width), constrained(arguments, weights), 0)


def _unembed(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    given, embedded = shapes
    vocabulary = arguments["vocabulary"]
    if vocabulary is None:
        return Mismatch(
            "takes what an `embed` gives, whose table it shares, and this comes from another layer",
            "label it: `embed text.vocabulary, 128 as table`, and then `unembed table`",
        )
    if not given or not same(given[-1], embedded[-1]):
        return Mismatch(
            f"compares vectors with those of a table, which have {embedded[-1]} numbers, and is given "
            f"{described(given)}",
            f"`dense {embedded[-1]}` before it",
        )
    return Inferred((*given[:-1], vocabulary), (), 2 * product(given) * vocabulary)


def _position_embed(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if len(given) not in (2, 3):
        return Mismatch(
            f"takes a sequence (length, channels) or an image, and is given {described(given)}",
            "`embed` before it makes a sequence of tokens",
        )
    if arguments["kind"] == "learned":
        return Inferred(given, (Weight("embeddings", given),), product(given))
    if len(given) != 2:
        return Mismatch(
            "has sines and cosines for the places of a sequence, and is given an image",
            "leave out `sinusoidal`: places are then learned",
        )
    return Inferred(given, (), 3 * product(given))


def _time_embed(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    width = arguments["width"]
    if given:
        return Mismatch(f"takes a single number, and is given {shown(given)}", "start from the time: `from t`")
    if known(width) and (width % 2 or width < 4):
        return Mismatch(f"has as many sines as cosines, and {width} is not an even number from 4", "say an even width")
    return Inferred((width,), (), 3 * width)


def _project(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    features, label = shapes
    if len(features) != 1:
        return Mismatch(
            f"takes features (n), and is given {described(features)}",
            "`global_sum_pool` or `flatten` before it gives features",
        )
    if label:
        return Mismatch(f"takes a label as its second value, and is given {shown(label)}", "give it a `label` input")
    if arguments["classes"] is None:
        return no_classes()
    weights = (Weight("embeddings", (arguments["classes"], features[0])),)
    return Inferred((1,), constrained(arguments, weights), 2 * features[0])


def _one_hot(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if len(given) > 1:
        return Mismatch(
            f"takes a label or tokens, and is given {shown(given)}", "only whole numbers have a one-hot code"
        )
    classes = arguments["classes"]
    if classes is None:
        return Mismatch("codes a class, but how many classes there are is not known", "say it with `classes: 10`")
    return Inferred((*given, classes), (), 0)


WORDS = (
    LayerWord(
        name="dense",
        category="layer",
        doc="A linear map of the last axis: x·kernel + bias.",
        source="keras.layers.Dense",
        parameters=(Parameter(name="units", kind=Count(), doc="how many features it gives"), BIAS, INIT, CONSTRAIN),
        example="dense 128 | relu",
        infer=_dense,
        keras="keras.layers:Dense",
        renames={"bias": "use_bias", "init": "kernel_initializer", "constrain": ""},
        homogeneous=True,
        reach="own",
    ),
    LayerWord(
        name="embed",
        category="layer",
        doc="Looks up a learned vector for each whole number: a label gives (width), tokens (length, width).",
        source="keras.layers.Embedding",
        parameters=(
            Parameter(name="vocabulary", kind=Count(), doc="how many different numbers there are"),
            Parameter(name="width", kind=Count(), doc="the length of each vector"),
            INIT,
            CONSTRAIN,
        ),
        example="embed text.vocabulary, 256",
        infer=_embed,
        keras="keras.layers:Embedding",
        renames={
            "vocabulary": "input_dim",
            "width": "output_dim",
            "init": "embeddings_initializer",
            "constrain": "",
        },
        integers=(0,),
        reach="own",
    ),
    LayerWord(
        name="unembed",
        category="layer",
        doc="A logit for each vector of an `embed`'s table: the inner product with it. Both share the table, which is "
        "trained by both.",
        source="Press and Wolf 2017, https://arxiv.org/abs/1608.05859, section 1; Vaswani et al. 2017, section 3.4",
        parameters=(
            Parameter(name="table", kind=Reference(), doc="what an `embed` gives, by its label"),
            Parameter(
                name="vocabulary",
                kind=Count(),
                default=None,
                positional=False,
                doc="how many vectors the table has: known of the `embed`",
            ),
        ),
        example="embed text.vocabulary, 128 as table; layer_norm | unembed table",
        infer=_unembed,
        keras="gendsl.parts.unembed:Unembed",
        renames={"vocabulary": ""},
        reach="own",
    ),
    LayerWord(
        name="position_embed",
        category="layer",
        doc="Adds a vector for each position of a sequence or pixel of an image.",
        source="Vaswani et al. 2017, section 3.5; learned as in Radford et al. 2018",
        parameters=(
            Parameter(
                name="kind",
                kind=Choice(("learned", "sinusoidal")),
                default="learned",
                doc="`learned`, or `sinusoidal`: sines and cosines, without weights",
            ),
            INIT,
        ),
        example="embed text.vocabulary, 128 | position_embed",
        infer=_position_embed,
        keras="gendsl.parts.position_embed:PositionEmbed",
        renames={"init": "initializer"},
        reach="earlier",
    ),
    LayerWord(
        name="time_embed",
        category="layer",
        doc="Sines and cosines of a time at geometrically spaced frequencies.",
        source="Vaswani et al. 2017, section 3.5; Ho et al. 2020, appendix B",
        parameters=(
            Parameter(name="width", kind=Count(), doc="how many numbers it gives, an even number"),
            Parameter(
                name="period",
                kind=Real(minimum=0, above=True),
                default=10_000,
                positional=False,
                doc="the longest period, over 2 pi",
            ),
        ),
        example="from t; time_embed 64 | dense 256 | swish",
        infer=_time_embed,
        keras="gendsl.parts.time_embed:TimeEmbed",
        renames={},
    ),
    LayerWord(
        name="project",
        category="layer",
        doc="The inner product of features with a learned embedding of a label: one number.",
        source="Miyato and Koyama 2018, equation 3",
        parameters=(
            Parameter(name="features", kind=Reference(), doc="features (n)"),
            Parameter(name="label", kind=Reference(), doc="a label"),
            CLASSES,
            INIT,
            CONSTRAIN,
        ),
        example="project features, y",
        infer=_project,
        keras="gendsl.parts.project:Project",
        renames={"init": "embeddings_initializer", "constrain": ""},
        flow=False,
        integers=(1,),
    ),
    LayerWord(
        name="one_hot",
        category="layer",
        doc="Codes each whole number as a vector of zeros with a one at its place.",
        source="keras.ops.one_hot",
        parameters=(CLASSES,),
        example="from y | one_hot",
        infer=_one_hot,
        keras="gendsl.parts.one_hot:OneHot",
        renames={},
        integers=(0,),
        reach="own",
    ),
)
