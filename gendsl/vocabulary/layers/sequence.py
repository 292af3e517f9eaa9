"""Words for layers along a sequence, or over the pixels of an image: attention, lstm, gru, bidirectional."""

from collections.abc import Callable, Mapping
from typing import Any

from gendsl.vocabulary.dimensions import Dimension, Shape, floor_divide, product
from gendsl.vocabulary.layers.common import BIAS, CONSTRAIN, INIT, constrained, described, rank_mismatch, word_of
from gendsl.vocabulary.word import (
    Choice,
    Count,
    Inferred,
    LayerWord,
    Mismatch,
    Parameter,
    Real,
    Reference,
    Toggle,
    Weight,
    WordOf,
)


def _attention(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    given, context = shapes[0], shapes[-1]
    for shape in shapes:
        if len(shape) not in (2, 3):
            return Mismatch(
                f"takes a sequence (length, channels) or an image, and is given {described(shape)}",
                "`embed` makes a sequence of tokens, `reshape length, channels` of features",
            )
    channels, heads, width = given[-1], arguments["heads"], arguments["width"]
    if width is None:
        if isinstance(channels, int) and isinstance(heads, int) and channels % heads:
            return Mismatch(
                f"shares {channels} channels among {heads} heads, which do not divide them",
                f"take a divisor of {channels} as `heads`, or say the `width` of a head",
            )
        width = floor_divide(channels, heads)
    if mismatch := _position_mismatch(arguments, shapes, width) or _groups_mismatch(arguments):
        return mismatch
    groups = arguments["groups"] or heads
    inner, shared = heads * width, groups * width
    weights: tuple[Weight, ...] = ()
    for name, inputs, outputs in (
        ("query", channels, inner),
        ("key", context[-1], shared),
        ("value", context[-1], shared),
        ("output", inner, channels),
    ):
        weights += (Weight(f"{name}_kernel", (inputs, outputs)),)
        if arguments["bias"]:
            weights += (Weight(f"{name}_bias", (outputs,)),)
    queries, keys = product(given[:-1]), product(context[:-1])
    flops = 4 * queries * channels * inner + 4 * keys * context[-1] * shared + 4 * queries * keys * inner
    return Inferred(given, constrained(arguments, weights), flops)


def _groups_mismatch(arguments: Mapping[str, Any]) -> Mismatch | None:
    heads, groups = arguments["heads"], arguments["groups"]
    if groups is not None and isinstance(heads, int) and isinstance(groups, int) and heads % groups:
        return Mismatch(
            f"shares {groups} heads of keys and values among {heads} heads, which they do not divide",
            f"take a divisor of {heads} as `groups`",
        )
    return None


def _position_mismatch(arguments: Mapping[str, Any], shapes: tuple[Shape, ...], width: Dimension) -> Mismatch | None:
    rotary = arguments["position"] == "rotary"
    if len(shapes) > 1 and arguments["causal"]:
        return Mismatch(
            "cannot be causal over a context, whose places are not the flow's", "leave out `causal`, or the context"
        )
    if len(shapes) > 1 and rotary:
        return Mismatch(
            "turns queries and keys by places of one sequence, and a context has its own",
            "leave out `position: rotary`, or the context",
        )
    if arguments["window"] is not None and [len(shape) for shape in shapes] != [2]:
        return Mismatch(
            "sees a window of one sequence, and an image or a context has no places before and after",
            "leave out `window`",
        )
    part = 2 * (len(shapes[0]) - 1)
    if rotary and isinstance(width, int) and width % part:
        return Mismatch(
            f"turns pairs of numbers along each axis, so a head's width is a multiple of {part}, not {width}",
            "take fewer `heads`, or say the `width` of a head",
        )
    return None


def _attention_reach(arguments: Mapping[str, Any], along: tuple[bool, ...]) -> str:
    if len(along) > 1:  # a context that stays; one that grows would be seen by all places
        return "own" if along == (True, False) else "all"
    return "earlier" if arguments["causal"] else "all"


def _recurrent_reach(arguments: Mapping[str, Any], along: tuple[bool, ...]) -> str:
    return "earlier" if arguments["sequences"] and not arguments["backwards"] else "all"


def _recurrent(gates: int, biases: int) -> Callable[[Mapping[str, Any], tuple[Shape, ...]], Inferred | Mismatch]:
    def infer(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
        (given,) = shapes
        if mismatch := rank_mismatch(given, 2):
            return mismatch
        if word_of(arguments.get("constrain")) == "spectral_norm":
            return Mismatch(
                "has no spectral norm: its kernel is applied again and again, so its norm bounds nothing",
                "`constrain: clip(0.01)` bounds its weights",
            )
        if word_of(arguments.get("constrain")) == "equalized":
            return Mismatch(
                "has no equalised learning rate: its kernel is applied again and again",
                "take it off with `constrain: clip(100)` on this layer, or put the layer into a network of its own",
            )
        (length, channels), units = given, arguments["units"]
        weights: tuple[Weight, ...] = (
            Weight("kernel", (channels, gates * units)),
            Weight("recurrent_kernel", (units, gates * units)),
        )
        if arguments["bias"]:
            shape = (gates * units,) if biases == 1 else (biases, gates * units)
            weights += (Weight("bias", shape),)
        flops = length * (2 * gates * units * (channels + units) + (gates + 5) * units)
        return Inferred((length, units) if arguments["sequences"] else (units,), weights, flops)

    return infer


def _bidirectional(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    inner = arguments["layer"]
    word = next((word for word in RECURRENT if word.name == inner.word), None)
    if word is None:
        return Mismatch(
            f"runs a recurrent layer both ways, and `{inner.word}` is none",
            "write `bidirectional lstm(64)` or `gru(64)`",
        )
    if inner.arguments["backwards"]:
        return Mismatch("reads both ways already, and its layer has `backwards: on`", "leave out `backwards`")
    constrain = inner.arguments["constrain"] or arguments["constrain"]
    one = word.infer({**inner.arguments, "constrain": constrain}, shapes)
    if isinstance(one, Mismatch):
        return one
    weights = tuple(
        Weight(f"{way}_{weight.name}", weight.shape, weight.trainable)
        for way in ("forward", "backward")
        for weight in one.weights
    )
    shape = one.shape
    if arguments["merge"] == "concat":
        shape = (*shape[:-1], 2 * shape[-1])
    return Inferred(shape, weights, 2 * one.flops)


_RECURRENT_PARAMETERS = (
    Parameter(name="units", kind=Count(), doc="how many numbers its state has"),
    Parameter(
        name="sequences",
        kind=Toggle(),
        default=False,
        positional=False,
        doc="`on` gives the state at each step, `off` only the last",
    ),
    Parameter(name="backwards", kind=Toggle(), default=False, positional=False, doc="whether it reads from the end"),
    BIAS,
    INIT,
    CONSTRAIN,
)
_RECURRENT_RENAMES = {
    "sequences": "return_sequences",
    "backwards": "go_backwards",
    "bias": "use_bias",
    "init": "kernel_initializer",
    "constrain": "",
}

RECURRENT = (
    LayerWord(
        name="lstm",
        category="layer",
        doc="A long short-term memory along a sequence.",
        source="keras.layers.LSTM; Hochreiter and Schmidhuber 1997",
        parameters=_RECURRENT_PARAMETERS,
        example="lstm 128, sequences: on",
        infer=_recurrent(4, 1),
        keras="keras.layers:LSTM",
        renames=_RECURRENT_RENAMES,
        reach=_recurrent_reach,
    ),
    LayerWord(
        name="gru",
        category="layer",
        doc="A gated recurrent unit along a sequence.",
        source="keras.layers.GRU; Cho et al. 2014",
        parameters=_RECURRENT_PARAMETERS,
        example="gru 128",
        infer=_recurrent(3, 2),
        keras="keras.layers:GRU",
        renames=_RECURRENT_RENAMES,
        reach=_recurrent_reach,
    ),
)

WORDS = (
    LayerWord(
        name="attention",
        category="layer",
        doc="Multi-head attention over a sequence or over the pixels of an image; with a context, over that.",
        source="Vaswani et al. 2017, section 3.2; rotary positions: Su et al. 2021, equation 34; groups: Ainslie et "
        "al. 2023; windows: Beltagy et al. 2020, section 3.1",
        parameters=(
            Parameter(
                name="context",
                kind=Reference(),
                default=None,
                positional=False,
                doc="a sequence or image to attend to (cross-attention); else the flow itself",
            ),
            Parameter(name="heads", kind=Count(), default=1, doc="how many heads"),
            Parameter(
                name="width",
                kind=Count(),
                default=None,
                positional=False,
                doc="the width of a head; else the channels over the heads",
            ),
            Parameter(
                name="groups",
                kind=Count(),
                default=None,
                positional=False,
                doc="how many heads of keys and values the heads share; each has its own if unsaid, 1 is multi-query",
            ),
            Parameter(
                name="causal",
                kind=Toggle(),
                default=False,
                positional=False,
                doc="whether each place sees only itself and those before it",
            ),
            Parameter(
                name="window",
                kind=Count(),
                default=None,
                positional=False,
                doc="sees only places less than so many away in a sequence, itself included",
            ),
            Parameter(
                name="position",
                kind=Choice(("none", "rotary")),
                default="none",
                positional=False,
                doc="`rotary` turns queries and keys by their place",
            ),
            Parameter(
                name="dropout",
                kind=Real(minimum=0, maximum=1),
                default=0,
                positional=False,
                doc="the share of the weights that are zero in training",
            ),
            BIAS,
            INIT,
            CONSTRAIN,
        ),
        example="residual { rms_norm | attention heads: 4, causal: on, position: rotary }",
        infer=_attention,
        keras="gendsl.parts.attention:Attention",
        renames={"bias": "use_bias", "init": "kernel_initializer", "constrain": ""},
        reach=_attention_reach,
    ),
    *RECURRENT,
    LayerWord(
        name="bidirectional",
        category="layer",
        doc="Runs a recurrent layer along a sequence both ways, and merges what the two give.",
        source="keras.layers.Bidirectional; Schuster and Paliwal 1997",
        parameters=(
            Parameter(name="layer", kind=WordOf("layer"), doc="`lstm(n)` or `gru(n)`"),
            Parameter(
                name="merge",
                kind=Choice(("concat", "add", "multiply", "average")),
                default="concat",
                positional=False,
                doc="how the two are joined",
            ),
            CONSTRAIN,
        ),
        example="bidirectional lstm(64, sequences: on)",
        infer=_bidirectional,
        keras="keras.layers:Bidirectional",
        renames={"merge": "", "constrain": ""},
        configure=lambda arguments, shapes: {
            "merge_mode": {"concat": "concat", "add": "sum", "multiply": "mul", "average": "ave"}[arguments["merge"]]
        },
    ),
)
