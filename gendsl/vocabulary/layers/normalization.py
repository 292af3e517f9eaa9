"""Words for normalisations, with the conditional ones: they keep the shape and set the mean and the variance."""

from collections.abc import Mapping
from typing import Any

from gendsl.vocabulary.dimensions import Shape, known, product, shown
from gendsl.vocabulary.layers.common import (
    BIAS,
    CENTER,
    CONSTRAIN,
    EPSILON,
    INIT,
    SCALE,
    constrained,
    described,
)
from gendsl.vocabulary.layers.dense import CLASSES, no_classes
from gendsl.vocabulary.word import (
    Count,
    Infer,
    Inferred,
    LayerWord,
    Mismatch,
    Parameter,
    Real,
    Reference,
    Toggle,
    Weight,
)

_MOMENTUM = Parameter(
    name="momentum",
    kind=Real(minimum=0, maximum=1),
    default=0.99,
    positional=False,
    doc="how much of the moving mean and variance stays at each step",
)

_SYNCHRONIZED = Parameter(
    name="synchronized",
    kind=Toggle(),
    default=False,
    positional=False,
    doc="whether several replicas normalise by the moments of the whole batch, not each by those of its part",
)


def _epsilon(value: float) -> Parameter:
    return Parameter(name="epsilon", kind=EPSILON.kind, default=value, positional=False, doc="added to the variance")


def _no_axis(given: Shape) -> Mismatch | None:
    if given:
        return None
    return Mismatch("normalises channels, and is given a single number", "a layer such as `dense` before it makes some")


def _no_space(given: Shape) -> Mismatch | None:
    """A mismatch where a channel has but one number, whose normalisation is always zero."""
    if len(given) < 2 or (known(*given[:-1]) and product(given[:-1]) == 1):
        return Mismatch(
            f"normalises each channel over its places, and in {described(given)} it has only one: all would be zero",
            "`layer_norm` or `batch_norm` fit here",
        )
    return None


def _affine(arguments: Mapping[str, Any], given: Shape) -> tuple[Weight, ...]:
    weights: tuple[Weight, ...] = ()
    if arguments["scale"]:
        weights += (Weight("gamma", (given[-1],)),)
    if arguments["center"]:
        weights += (Weight("beta", (given[-1],)),)
    return weights


def _batch(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if mismatch := _no_axis(given):
        return mismatch
    state = (Weight("moving_mean", (given[-1],), False), Weight("moving_variance", (given[-1],), False))
    return Inferred(given, _affine(arguments, given) + state, 4 * product(given))


def _layer(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if mismatch := _no_axis(given):
        return mismatch
    if known(given[-1]) and given[-1] == 1:
        return Mismatch(
            "normalises over the channels, and is given only one: all would be zero", "`batch_norm` fits here"
        )
    return Inferred(given, _affine(arguments, given), 8 * product(given))


def _group(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if mismatch := _no_axis(given):
        return mismatch
    channels, groups = given[-1], arguments["groups"]
    if isinstance(channels, int) and isinstance(groups, int) and channels % groups:
        return Mismatch(
            f"falls into {groups} groups, which do not divide the {channels} channels it is given",
            f"take a divisor of {channels}: `group_norm {_divisor(channels, groups)}`",
        )
    if channels == groups and (mismatch := _no_space(given)):
        return mismatch
    return Inferred(given, _affine(arguments, given), 8 * product(given))


def _divisor(number: int, limit: int) -> int:
    return max(divisor for divisor in range(1, min(limit, number) + 1) if number % divisor == 0)


def _instance(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if mismatch := _no_space(given):
        return mismatch
    return Inferred(given, _affine(arguments, given), 8 * product(given))


def _root_mean_square(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if mismatch := _no_axis(given):
        return mismatch
    return Inferred(given, (Weight("scale", (given[-1],)),), 4 * product(given))


def _pixel(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if mismatch := _no_axis(given):
        return mismatch
    return Inferred(given, (), 4 * product(given))


def _conditional_batch(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    given, label = shapes
    if mismatch := _no_axis(given):
        return mismatch
    if label:
        return Mismatch(
            f"embeds a label, and is given {shown(label)}", "for features there is `film`, after a norm of your choice"
        )
    classes, channels = arguments["classes"], given[-1]
    if classes is None:
        return no_classes()
    weights = (
        Weight("gamma", (classes, channels)),
        Weight("beta", (classes, channels)),
        Weight("moving_mean", (channels,), False),
        Weight("moving_variance", (channels,), False),
    )
    return Inferred(given, weights, 4 * product(given))


def _modulated(*, instance: bool) -> Infer:
    def infer(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
        given, style = shapes
        mismatch = _no_space(given) if instance else _no_axis(given)
        if mismatch:
            return mismatch
        if len(style) != 1:
            return Mismatch(
                f"is steered by features (n), and is given {described(style)}",
                "`embed` makes features of a label, `time_embed` of a time"
                if not style
                else "`flatten` gives features",
            )
        channels = given[-1]
        parts = 2 if arguments.get("scale", True) else 1
        weights: tuple[Weight, ...] = (Weight("kernel", (style[0], parts * channels)),)
        flops = 2 * style[0] * parts * channels + (10 if instance else parts) * product(given)
        if arguments["bias"]:
            weights += (Weight("bias", (parts * channels,)),)
            flops = flops + parts * channels
        return Inferred(given, constrained(arguments, weights), flops)

    return infer


WORDS = (
    LayerWord(
        name="batch_norm",
        category="layer",
        doc="Normalises each channel over the batch; outside training by moving statistics.",
        source="keras.layers.BatchNormalization; Ioffe and Szegedy 2015",
        parameters=(_MOMENTUM, EPSILON, SCALE, CENTER, _SYNCHRONIZED),
        example="conv 64 | batch_norm | relu",
        infer=_batch,
        keras="gendsl.parts.batch_norm:BatchNorm",
        renames={},
        batch_coupled=True,
        reach="own",
    ),
    LayerWord(
        name="layer_norm",
        category="layer",
        doc="Normalises over the channels, at each place.",
        source="keras.layers.LayerNormalization; Ba et al. 2016",
        parameters=(EPSILON, SCALE, CENTER),
        example="residual { layer_norm | attention heads: 4, causal: on }",
        infer=_layer,
        keras="keras.layers:LayerNormalization",
        renames={},
        reach="own",
    ),
    LayerWord(
        name="group_norm",
        category="layer",
        doc="Normalises over the places and the channels of each group.",
        source="keras.layers.GroupNormalization; Wu and He 2018",
        parameters=(Parameter(name="groups", kind=Count(), default=32, doc="how many groups"), EPSILON, SCALE, CENTER),
        example="group_norm 8 | swish",
        infer=_group,
        keras="keras.layers:GroupNormalization",
        renames={},
    ),
    LayerWord(
        name="instance_norm",
        category="layer",
        doc="Normalises each channel of each example over its places.",
        source="keras.layers.GroupNormalization(groups=-1); Ulyanov et al. 2016",
        parameters=(_epsilon(1e-5), SCALE, CENTER),
        example="conv 64, stride: 2 | instance_norm | relu",
        infer=_instance,
        keras="keras.layers:GroupNormalization",
        renames={},
        configure=lambda arguments, shapes: {"groups": -1},
    ),
    LayerWord(
        name="rms_norm",
        category="layer",
        doc="Divides by the root mean square of the channels, at each place, and scales.",
        source="keras.layers.RMSNormalization; Zhang and Sennrich 2019",
        parameters=(_epsilon(1e-6),),
        example="residual { rms_norm | attention heads: 4 }",
        infer=_root_mean_square,
        keras="keras.layers:RMSNormalization",
        renames={},
        reach="own",
    ),
    LayerWord(
        name="pixel_norm",
        category="layer",
        doc="Divides by the root mean square of the channels, at each place, with nothing learned.",
        source="Karras et al. 2018, section 4.2",
        parameters=(_epsilon(1e-8),),
        example="conv 64 | leaky_relu 0.2 | pixel_norm",
        infer=_pixel,
        keras="gendsl.parts.pixel_norm:PixelNorm",
        renames={},
        reach="own",
    ),
    LayerWord(
        name="conditional_batch_norm",
        category="layer",
        doc="Batch norm whose gain and bias are embedded from a label; it has no affine of its own.",
        source="de Vries et al. 2017; Miyato and Koyama 2018, section 5.1",
        parameters=(
            Parameter(name="label", kind=Reference(), doc="a label"),
            CLASSES,
            _MOMENTUM,
            EPSILON,
            _SYNCHRONIZED,
        ),
        example="conditional_batch_norm y | relu",
        infer=_conditional_batch,
        keras="gendsl.parts.conditional_batch_norm:ConditionalBatchNorm",
        renames={},
        integers=(1,),
        batch_coupled=True,
        reach="own",
    ),
    LayerWord(
        name="film",
        category="layer",
        doc="Scales and shifts each channel: (1 + s)·x + b, where s and b are a linear map of some features.",
        source="Perez et al. 2018, equation 2; Nichol and Dhariwal 2021, section 3; the shift alone: Ho et al. 2020, "
        "appendix B",
        parameters=(
            Parameter(name="features", kind=Reference(), doc="features (n)"),
            Parameter(
                name="scale", kind=Toggle(), default=True, positional=False, doc="whether it scales, too: else x + b"
            ),
            BIAS,
            INIT,
            CONSTRAIN,
        ),
        example="group_norm 8 | film t | swish",
        infer=_modulated(instance=False),
        keras="gendsl.parts.film:Film",
        renames={"bias": "use_bias", "init": "kernel_initializer", "constrain": ""},
        reach="own",
    ),
    LayerWord(
        name="adain",
        category="layer",
        doc="Adaptive instance norm: normalises each channel over its places, then scales and shifts it by a style.",
        source="Huang and Belongie 2017, equation 8; Karras et al. 2019, equation 1",
        parameters=(
            Parameter(name="style", kind=Reference(), doc="features (n)"),
            _epsilon(1e-5),
            BIAS,
            INIT,
            CONSTRAIN,
        ),
        example="conv 64 | adain w | leaky_relu 0.2",
        infer=_modulated(instance=True),
        keras="gendsl.parts.adain:Adain",
        renames={"bias": "use_bias", "init": "kernel_initializer", "constrain": ""},
    ),
)
