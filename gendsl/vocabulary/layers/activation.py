"""Words for activations, all of Keras's: elementwise functions, and a few along the last axis."""

from collections.abc import Mapping
from typing import Any

from gendsl.vocabulary.dimensions import Shape, floor_divide, known, product
from gendsl.vocabulary.word import Choice, Inferred, LayerWord, Mismatch, Parameter, Real, Toggle, Weight


def _elementwise(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    return Inferred(shapes[0], (), product(shapes[0]))


def _along(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if not given:
        return Mismatch("works along the last axis, and is given a single number", "a layer such as `dense` before it")
    if known(given[-1]) and given[-1] == 1:
        return Mismatch(
            "works along the last axis, which has one number only: the result is constant", "`sigmoid` fits"
        )
    return Inferred(given, (), 3 * product(given))


def _halved(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if not given or (isinstance(given[-1], int) and given[-1] % 2):
        return Mismatch(
            f"gates one half of the channels by the other, and is given {given[-1] if given else 'a single number'}",
            "give it an even number of channels",
        )
    shape = (*given[:-1], floor_divide(given[-1], 2))
    return Inferred(shape, (), 2 * product(shape))


def _per_channel(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if not given:
        return Mismatch("learns a slope a channel, and is given a single number", "a layer such as `dense` before it")
    shape = (*(1,) * (len(given) - 1), given[-1])
    return Inferred(given, (Weight("alpha", shape),), product(given))


def _plain(name: str, doc: str, *, keras: str = "", source: str = "") -> LayerWord:
    function = keras or name
    infer = {"softmax": _along, "log_softmax": _along, "sparsemax": _along}.get(name, _elementwise)
    return LayerWord(
        name=name,
        category="layer",
        doc=doc,
        source=source or f"keras.activations.{function}",
        example=f"dense 64 | {name}",
        infer=infer,
        keras="keras.layers:Activation",
        renames={},
        reach="own",
        configure=lambda arguments, shapes: {"activation": function},
    )


def _number(name: str, default: float, doc: str, *, above: bool = False, minimum: float | None = None) -> Parameter:
    return Parameter(name=name, kind=Real(minimum=minimum, above=above), default=default, doc=doc)


def _with(name: str, doc: str, *parameters: Parameter, source: str = "", **renames: str) -> LayerWord:
    """An activation with parameters: `gendsl.parts.activation:Function` calls Keras's with them."""
    out = {parameter.name: "" for parameter in parameters}
    return LayerWord(
        name=name,
        category="layer",
        doc=doc,
        source=source or f"keras.activations.{name}",
        parameters=parameters,
        example=f"dense 64 | {name}",
        infer=_elementwise,
        keras="gendsl.parts.activation:Function",
        renames=out,
        reach="own",
        configure=lambda arguments, shapes: {
            "function": name,
            "arguments": {renames.get(key, key): arguments[key] for key in out},
        },
    )


WORDS = (
    LayerWord(
        name="relu",
        category="layer",
        doc="The positive part: max(x, 0).",
        source="keras.activations.relu; Nair and Hinton 2010",
        example="dense 64 | relu",
        infer=_elementwise,
        keras="gendsl.parts.rectifier:Rectifier",
        renames={},
        reach="own",
        homogeneous=True,
    ),
    LayerWord(
        name="leaky_relu",
        category="layer",
        doc="x where it is positive, a small multiple of it elsewhere.",
        source="keras.layers.LeakyReLU; Maas et al. 2013",
        parameters=(_number("slope", 0.2, "the multiple", minimum=0),),
        example="conv 64, kernel: 4, stride: 2 | leaky_relu 0.2",
        infer=_elementwise,
        keras="gendsl.parts.rectifier:Rectifier",
        renames={},
        reach="own",
        homogeneous=True,
    ),
    LayerWord(
        name="prelu",
        category="layer",
        doc="Leaky relu with a learned slope for each channel.",
        source="keras.layers.PReLU; He et al. 2015, equation 1",
        example="conv 64 | prelu",
        infer=_per_channel,
        keras="keras.layers:PReLU",
        renames={},
        reach="own",
        configure=lambda arguments, shapes: {"shared_axes": list(range(1, len(shapes[0])))},
    ),
    LayerWord(
        name="elu",
        category="layer",
        doc="x where it is positive, alpha·(exp(x) - 1) elsewhere.",
        source="keras.layers.ELU; Clevert et al. 2015, equation 15",
        parameters=(_number("alpha", 1.0, "the limit below"),),
        example="dense 64 | elu",
        infer=_elementwise,
        keras="keras.layers:ELU",
        renames={},
        reach="own",
    ),
    _plain("relu6", "The positive part, at most 6."),
    _plain(
        "selu", "A scaled elu that keeps mean 0 and variance 1.", source="keras.activations.selu; Klambauer et al. 2017"
    ),
    _plain("silu", "x·sigmoid(x).", source="keras.activations.silu; Ramachandran et al. 2017"),
    _plain("swish", "x·sigmoid(x).", keras="silu", source="keras.activations.silu; Ramachandran et al. 2017"),
    _with(
        "gelu",
        "x·Φ(x), Φ the normal distribution's cumulative function.",
        Parameter(
            name="approximate",
            kind=Toggle(),
            default=False,
            positional=False,
            doc="whether it is computed by a tanh",
        ),
        source="keras.activations.gelu; Hendrycks and Gimpel 2016",
    ),
    _with(
        "celu", "A continuously differentiable elu.", _number("alpha", 1.0, "the limit below", minimum=0, above=True)
    ),
    LayerWord(
        name="glu",
        category="layer",
        doc="One half of the channels times a gate of the other: their sigmoid, or as `gate` says (`glu swish` is "
        "SwiGLU, `glu gelu` GEGLU).",
        source="Dauphin et al. 2017, https://arxiv.org/abs/1612.08083, equation 1; gates: Shazeer 2020, "
        "https://arxiv.org/abs/2002.05202, equation 5",
        parameters=(
            Parameter(
                name="gate",
                kind=Choice(("sigmoid", "swish", "gelu", "relu", "linear")),
                default="sigmoid",
                doc="what is made of the other half",
            ),
        ),
        example="dense 2*512 | glu swish | dense 192",
        infer=_halved,
        keras="gendsl.parts.gated:Gated",
        renames={},
        reach="own",
    ),
    _plain("mish", "x·tanh(softplus(x)).", source="keras.activations.mish; Misra 2019"),
    _plain("tanh", "The hyperbolic tangent, in -1..1."),
    _plain("hard_tanh", "x, clipped to -1..1."),
    _plain("tanh_shrink", "x - tanh(x)."),
    _plain("sigmoid", "1/(1 + exp(-x)), in 0..1."),
    _plain("hard_sigmoid", "x/6 + 1/2, clipped to 0..1."),
    _plain("log_sigmoid", "The logarithm of the sigmoid."),
    _plain("sparse_sigmoid", "x/2 + 1/2, clipped to 0..1."),
    _plain("hard_silu", "x·hard_sigmoid(x)."),
    _plain("hard_swish", "x·hard_sigmoid(x).", keras="hard_silu"),
    _plain("softplus", "log(1 + exp(x)), a smooth relu."),
    _plain("sparse_plus", "A softplus that is 0 below -1 and x above 1."),
    _with("squareplus", "(x + sqrt(x² + b))/2, a smooth relu.", _number("b", 4, "how smooth", minimum=0)),
    _plain("softsign", "x/(1 + |x|), in -1..1."),
    _with("soft_shrink", "x, moved towards 0 by a threshold.", _number("threshold", 0.5, "by how much", minimum=0)),
    _with("hard_shrink", "x, 0 within a threshold.", _number("threshold", 0.5, "how far from 0", minimum=0)),
    _with(
        "threshold",
        "x above a threshold, a constant elsewhere.",
        _number("threshold", 0.0, "where it begins"),
        _number("value", 0.0, "the constant"),
        value="default_value",
    ),
    _plain("exponential", "exp(x)."),
    _plain("linear", "x itself."),
    _plain("softmax", "exp(x) over its sum along the last axis."),
    _plain("log_softmax", "The logarithm of the softmax."),
    _plain(
        "sparsemax",
        "The nearest point of the simplex along the last axis.",
        source="keras.activations.sparsemax; Martins and Astudillo 2016",
    ),
    LayerWord(
        name="row_activation",
        category="layer",
        doc="The activations of a table's row, by what each stretch of it is: tanh for numbers (as they are where the "
        "encoding is `standard`), the sigmoid for indicators of missing cells, Gumbel softmax for modes and "
        "categories. It draws in sampling, too: by the seed and the step, as all layers do.",
        source="Xu et al. 2019 (CTGAN), https://arxiv.org/abs/1907.00503, section 4.4; Jang et al. 2016",
        parameters=(_number("temperature", 0.2, "of the Gumbel softmax", minimum=0, above=True),),
        example="dense row.width | row_activation 0.2",
        infer=lambda arguments, shapes: (
            Inferred(shapes[0], (), 4 * product(shapes[0]))
            if len(shapes[0]) == 1
            else Mismatch("takes a table's row (n)", "`dense row.width` before it")
        ),
        keras="gendsl.parts.row_activation:RowActivation",
        renames={},
        configure=lambda arguments, shapes: {
            "layout": [(kind, width, bounded) for _, _, kind, _, width, bounded, _ in arguments["layout"]]
        },
    ),
)
