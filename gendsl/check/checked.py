"""A constant and the kind of its place in, the checked value out, or a reported mistake."""

import math
from fractions import Fraction
from typing import Any

from gendsl import rules
from gendsl.check.constants import RangeValue, kind_of, plain
from gendsl.check.context import Context
from gendsl.check.expected import expected, wrong_type
from gendsl.check.scope import (
    LOST,
)
from gendsl.plan.plan import Quantity
from gendsl.source import Span
from gendsl.vocabulary import word as vocabulary
from gendsl.vocabulary.dimensions import Symbolic
from gendsl.vocabulary.word import Kind

_NO_NUMBERS = "the columns of this table are all of categories, which have no numbers: leave this out"


def checked(kind: Kind, result: Any, span: Span, context: Context) -> Any:
    """A constant as the value of a kind, or `LOST` with a reported mistake."""
    match kind:
        case vocabulary.Count():
            return _count(kind, result, span, context)
        case vocabulary.Real():
            if not isinstance(result, int | Fraction | float) or isinstance(result, bool):
                return wrong_type(context, span, kind, kind_of(result))
            low = kind.minimum is not None and (result <= kind.minimum if kind.above else result < kind.minimum)
            if low or (kind.maximum is not None and result > kind.maximum):
                context.problems.add(
                    rules.out_of_range,
                    span,
                    f"{float(result):g} is out of range",
                    help=f"write {expected(kind)}",
                )
                return LOST
            return plain(result)
        case vocabulary.Toggle():
            return result if isinstance(result, bool) else wrong_type(context, span, kind, kind_of(result))
        case vocabulary.Text():
            return result if isinstance(result, str) else wrong_type(context, span, kind, kind_of(result))
        case vocabulary.Path():
            return _path(kind, result, span, context)
        case vocabulary.SizeOf():
            return _size(kind, result, span, context)
        case vocabulary.RangeOf():
            if not isinstance(result, RangeValue) or not all(
                isinstance(end, int | Fraction | float) and not isinstance(end, bool) for end in result
            ):
                return wrong_type(context, span, kind, kind_of(result))
            if result[0] >= result[1]:
                context.problems.add(
                    rules.out_of_range, span, "the range ends before it begins", help="write the smaller number first"
                )
                return LOST
            return plain(result)
        case vocabulary.Amount():
            return _amount(kind, result, span, context)
    return plain(result)


def _count(kind: vocabulary.Count, result: Any, span: Span, context: Context) -> Any:
    if isinstance(result, Symbolic):
        return result
    if isinstance(result, bool) or not isinstance(result, int | Fraction | float):
        return wrong_type(context, span, kind, kind_of(result))
    if not isinstance(result, int):
        context.problems.add(
            rules.not_whole,
            span,
            f"{expected(kind)} is needed, and this is {float(result):g}",
            help=f"write {_nearest(result, kind.minimum)}, or choose numbers that divide",
        )
        return LOST
    if result < kind.minimum:
        context.problems.add(
            rules.not_whole if kind.minimum == 1 else rules.out_of_range,
            span,
            f"{expected(kind)} is needed, and this is {result}",
            help=f"write {kind.minimum} or more" if result or not _of_numbers(span) else _NO_NUMBERS,
        )
        return LOST
    if kind.maximum is not None and result > kind.maximum:
        context.problems.add(rules.out_of_range, span, f"{result} is too large", help=f"the largest is {kind.maximum}")
        return LOST
    return result


def _of_numbers(span: Span) -> bool:
    """Whether a count is of the numbers of a table's rows, which may be none."""
    return span.text.endswith(".numbers")


def _size(kind: vocabulary.SizeOf, result: Any, span: Span, context: Context) -> Any:
    parts = result if isinstance(result, tuple) and not isinstance(result, RangeValue) else None
    if parts is None:
        if not kind.one and kind.rank != 1:
            return wrong_type(context, span, kind, kind_of(result))
        one = _count(vocabulary.Count(kind.minimum), result, span, context)
        return LOST if one is LOST else (one,) * max(kind.rank, 1)
    out = tuple(_count(vocabulary.Count(kind.minimum), part, span, context) for part in parts)
    if LOST in out:
        return LOST
    if kind.rank and len(out) != kind.rank:
        return wrong_type(context, span, kind, kind_of(result))
    return out


def _amount(kind: vocabulary.Amount, result: Any, span: Span, context: Context) -> Any:
    if isinstance(result, int | Fraction | float) and not isinstance(result, bool):
        result = Quantity(plain(result), kind.units[0])
    if not isinstance(result, Quantity):
        return wrong_type(context, span, kind, kind_of(result))
    if result.unit not in kind.units:
        context.problems.add(
            rules.unknown_unit,
            span,
            f"{result.unit} are not counted here",
            help=f"write {expected(kind)}",
        )
        return LOST
    if result.unit == "epochs" and context.endless:
        context.problems.add(
            rules.unknown_unit,
            span,
            f"epochs are not counted here: the data of `{context.endless}` has no end",
            help="count in steps",
        )
        return LOST
    whole = result.unit in ("steps", "epochs", "checks")
    if result.value <= 0 or (whole and int(result.value) != result.value):
        context.problems.add(
            rules.not_whole if whole else rules.out_of_range,
            span,
            f"a {'whole ' if whole else ''}number of {result.unit} above 0 is needed, and this is "
            f"{float(result.value):g}",
            help=f"write {_nearest(result.value, 1)}" if whole else f"write more than 0 {result.unit}",
        )
        return LOST
    return result


def _nearest(value: Fraction | float, least: int) -> str:
    """The whole numbers on both sides of a value that are allowed, for people: `10 or 11`."""
    return " or ".join(map(str, sorted({max(math.floor(value), least), max(math.ceil(value), least)})))


def _path(kind: vocabulary.Path, result: Any, span: Span, context: Context) -> Any:
    if not isinstance(result, str):
        return wrong_type(context, span, kind, kind_of(result))
    parts = result.replace("\\", "/").split("/")
    why = (
        "it is empty"
        if not result
        else "it is absolute"
        if result.startswith(("/", "\\")) or result[1:2] == ":"
        else "it begins with `~`"
        if result.startswith("~")
        else "it is a URL"
        if "://" in result
        else "it goes up by `..`"
        if ".." in parts
        else "it holds a NUL"
        if "\0" in result
        else ""
    )
    if why:
        context.problems.add(
            rules.path_outside,
            span,
            f"this path leaves the project's folder: {why}",
            help="write a path relative to the spec, inside its folder; put the data there, or a link's target",
        )
        return LOST
    return result
