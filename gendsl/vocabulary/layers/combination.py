"""Words that join the flow with labelled values: concat, add, multiply, fade."""

from collections.abc import Mapping
from typing import Any

from gendsl.vocabulary.dimensions import Dimension, Shape, known, product, same
from gendsl.vocabulary.layers.common import described
from gendsl.vocabulary.word import Infer, Inferred, LayerWord, Mismatch, Parameter, Reference, Scheduled, Weight


def _concat(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    first = shapes[0]
    if not all(shapes):
        return Mismatch(
            "joins channels, and one value is a single number", "`one_hot` or `embed` makes features of a label"
        )
    width: Dimension = first[-1]
    space = first[:-1]
    for shape in shapes[1:]:
        if len(shape) != len(first) or not all(map(same, first[:-1], shape[:-1])):
            return Mismatch(
                f"joins channels of values that are alike but for them, and is given {_listed(shapes)}",
                _concat_help(shapes),
            )
        width = width + shape[-1]
        space = tuple(a if known(a) else b for a, b in zip(space, shape, strict=False))
    return Inferred((*space, width))


def _concat_help(shapes: tuple[Shape, ...]) -> str:
    if len({len(shape) for shape in shapes}) > 1:
        return "bring them to the same number of axes: `flatten`, a pool, or `dense n | reshape height, width, n`"
    return "bring them to the same size with `upsample`, `average_pool` or `crop`"


def _listed(shapes: tuple[Shape, ...]) -> str:
    return " and ".join(map(described, shapes))


def _elementwise(*, gates: bool) -> Infer:
    def infer(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
        result = list(shapes[0])
        for shape in shapes[1:]:
            if len(shape) != len(result):
                return _differs(shapes, gates)
            for axis, (left, right) in enumerate(zip(result, shape, strict=True)):
                spread = gates or axis < len(result) - 1
                if same(left, right):
                    result[axis] = left if known(left) or not known(right) else right
                elif spread and left == 1:
                    result[axis] = right
                elif not (spread and right == 1):
                    return _differs(shapes, gates)
        out = tuple(result)
        return Inferred(out, (), (len(shapes) - 1) * product(out))

    return infer


def _differs(shapes: tuple[Shape, ...], gates: bool) -> Mismatch:
    channels = {str(shape[-1]) for shape in shapes if shape}
    ranks = {len(shape) for shape in shapes}
    help = "bring them to the same size with `upsample`, `average_pool` or `crop`"
    if len(ranks) > 1:
        longest = max(shapes, key=len)
        sizes = ", ".join(["1"] * (len(longest) - 1) + [str(longest[-1])])
        help = f"`reshape {sizes}` lets one number a channel act on all places" if len(longest) > 1 else ""
    elif len(channels) > 1:
        help = "`dense` or `conv …, kernel: 1` on one side brings them to the same number of channels"
    what = "multiplies" if gates else "adds"
    return Mismatch(f"{what} values of one shape, and is given {_listed(shapes)}", help)


def _faded(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    flow, other = shapes
    if len(flow) != len(other) or not all(map(same, flow, other)):
        return Mismatch(
            f"fades from one value into another of the same shape, and is given {_listed(shapes)}",
            "bring them to the same shape with `upsample`, `average_pool` or `conv …, kernel: 1`",
        )
    out = tuple(a if known(a) else b for a, b in zip(flow, other, strict=True))
    return Inferred(out, (Weight("share", (), trainable=False),), 3 * product(out))


def _joining(name: str, keras: str, doc: str, infer: Infer, example: str, configure: Any = None) -> LayerWord:
    return LayerWord(
        name=name,
        category="layer",
        doc=doc,
        source=f"keras.layers.{keras}",
        parameters=(Parameter(name="values", kind=Reference(), many=True, doc="labels or inputs"),),
        example=example,
        infer=infer,
        keras=f"keras.layers:{keras}",
        renames={},
        reach="own",
        configure=configure,
        homogeneous=name != "multiply",
    )


WORDS = (
    _joining(
        "concat",
        "Concatenate",
        "Joins the flow with other values along the last axis.",
        _concat,
        "upsample 2 | concat high | conv 64",
        lambda arguments, shapes: {"axis": -1},
    ),
    _joining(
        "add",
        "Add",
        "Adds other values to the flow; an axis of size 1 before the channels acts on all places.",
        _elementwise(gates=False),
        "project features, y | add score",
    ),
    _joining(
        "multiply",
        "Multiply",
        "Multiplies the flow by other values; an axis of size 1 acts along its whole length.",
        _elementwise(gates=True),
        "conv 64 | multiply gate",
    ),
    LayerWord(
        name="fade",
        category="layer",
        doc="Fades from another value into the flow: (1 - share) * other + share * flow. What has no effect, where "
        "the share is 0 or 1 in all of a phase, is neither computed nor trained in it.",
        source="Karras et al. 2018, https://arxiv.org/abs/1710.10196, section 2 and figure 2",
        parameters=(
            Parameter(name="other", kind=Reference(), doc="a label or an input"),
            Parameter(
                name="share",
                kind=Scheduled(minimum=0),
                positional=False,
                doc="a schedule from 0 to 1 over the run's steps",
            ),
        ),
        example="conv 3, kernel: 1 | fade low, share: ramp(0, 1, after: 2_000 steps, over: 2_000 steps)",
        infer=_faded,
        keras="gendsl.parts.fade:Fade",
        renames={"share": ""},
        reach="own",
        homogeneous=True,
    ),
)
