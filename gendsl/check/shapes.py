"""A declared result and what the layers give in, the proof that they agree out, or where and why they part."""

from typing import Any

from gendsl import rules
from gendsl.check.context import Context
from gendsl.check.results import Declared
from gendsl.diagnostics import Label
from gendsl.syntax import tree
from gendsl.vocabulary.dimensions import Shape, known, product, same_shape, shown
from gendsl.vocabulary.types import Distribution, Type

_HALVES = {  # results whose layers give two numbers for each
    "normal": "a normal of {} takes its means and its log-variances",
    "mixed": "a mixed of {} takes a row, then the log-variances of its numbers",
    "discretized_logistic": "a discretized_logistic of {} takes its locations and its log-scales",
}


def report_result(
    values: list[Any], value: int, declared: Declared, arrow: tree.Arrow, context: Context
) -> Type | None:
    """The type of a result that is as declared, or None after a reported mismatch."""
    given: Shape | None = values[value].shape
    if given is None:
        return declared.type
    if declared.leading and same_shape(given[-1:], declared.shape):
        assert isinstance(declared.type, Distribution)
        return Distribution(declared.type.family, given[:-1], declared.type.classes)
    if not declared.leading and same_shape(given, declared.shape):
        return declared.type
    name = (
        arrow.left.function.text
        if isinstance(arrow.left, tree.Call) and isinstance(arrow.left.function, tree.Name)
        else "the network"
    )
    parting = values[value]
    before = None
    for earlier in reversed(values[: value + 1]):
        if earlier.shape is not None and earlier.shape != given:
            before = earlier
            break
        parting = earlier
    if parting.word == "input":
        parting = values[value]
    note = (
        f"{shown(before.shape)} becomes {shown(given)} here"
        if before is not None and parting is not before
        else f"{shown(given)} here"
    )
    context.problems.add(
        rules.shape_mismatch,
        parting.span,
        f"`{name}` is declared to give {_wanted(declared)} but its layers give {shown(given)}",
        note=note,
        labels=(
            Label(declared.span, f"{_wanted(declared)}, from {declared.origin}"),
            *((Label(parting.call, "in this call"),) if parting.call is not None else ()),
        ),
        help=_help(values[: value + 1], given, declared),
    )
    return None


def _wanted(declared: Declared) -> str:
    return ("…x" if declared.leading else "") + shown(declared.shape)


def _help(values: list[Any], given: Shape, declared: Declared) -> str:
    want = declared.shape
    if declared.leading:
        return f"end with `dense {shown(want)}`"
    if isinstance(declared.type, Distribution) and declared.type.family in _HALVES:
        half = shown(declared.type.event)
        if given[-1:] == declared.type.event[-1:]:
            return f"{_HALVES[declared.type.family].format(half)}: end with {shown(want)}"
    if len(given) != len(want):
        if len(want) == 1 and len(given) > 1:
            return f"end with `flatten | dense {shown(want)}`"
        if len(given) == 1 and known(*want):
            return f"end with `dense {'*'.join(map(str, want))} | reshape {', '.join(map(str, want))}`"
        return f"bring {shown(given)} to {shown(want)}, for example by `reshape`"
    if len(want) == 3 and given[:2] == want[:2]:
        return f"the channels part: end with a `conv {shown(want[2:])}`"
    if len(want) == 3 and known(*given, *want):
        return _scaled(values, _integers(given), _integers(want))
    return _as_many(given, want)


def _scaled(values: list[Any], given: list[int], want: list[int]) -> str:
    """The help for a picture of another size."""
    for earlier in reversed(values):
        shape = earlier.shape
        if earlier.word == "reshape" and shape is not None and len(shape) == 3 and known(*shape):
            scale = [(g // s, w) for g, s, w in zip(given[:2], shape[:2], want[:2], strict=True) if s and g % s == 0]
            if len(scale) == 2 and all(factor and w % factor == 0 for factor, w in scale):
                to = [w // factor for factor, w in scale]
                return (
                    f"start from `reshape {to[0]}, {to[1]}, …` instead of `reshape {shape[0]}, {shape[1]}, …`, "
                    "and change the `dense` before it alike"
                )
    if all(w and g % w == 0 for g, w in zip(given[:2], want[:2], strict=True)):
        return f"it is {given[0] // want[0]} times too high: upsample less often, or pool"
    if all(g and w % g == 0 for g, w in zip(given[:2], want[:2], strict=True)):
        return f"it is {want[0] // given[0]} times too small: upsample once more, with `up_conv` or `upsample`"
    return _as_many(tuple(given), tuple(want))


def _integers(shape: Shape) -> list[int]:
    return [side for side in shape if isinstance(side, int)]


def _as_many(given: Shape, want: Shape) -> str:
    """The help where only the numbers can be compared."""
    if known(*given, *want) and product(given) == product(want):
        return f"the numbers are as many: `reshape {', '.join(map(str, want))}`"
    if len(want) == 1:
        return f"end with `dense {shown(want)}`"
    return f"bring {shown(given)} to {shown(want)}"
