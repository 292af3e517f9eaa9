"""Constant expressions in, values out: exact rationals, sizes that wait for the data, quantities, texts."""

from fractions import Fraction
from typing import Any

from gendsl import rules
from gendsl.check.arithmetic import ARITHMETIC, COMPARE
from gendsl.check.context import Context
from gendsl.check.scope import (
    LOST,
    BlockMeaning,
    Constant,
    Deferred,
    FieldMeaning,
    Missing,
    NetworkMeaning,
    Node,
    ObjectiveMeaning,
    Operand,
    Scope,
)
from gendsl.diagnostics import Label
from gendsl.plan.blocks import numbers_in
from gendsl.plan.plan import Field, Quantity
from gendsl.source import Span
from gendsl.spelling import did_you_mean
from gendsl.syntax import tree
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.dimensions import Symbolic, symbol

UNITS = ("steps", "step", "epochs", "epoch", "minutes", "minute", "hours", "degrees", "checks", "semitones", "samples")
_HUGE = 10**309


class RangeValue(tuple[Any, Any]):
    """`low..high`."""

    __slots__ = ()


def constant(value: tree.Value, scope: Scope, context: Context) -> Any:
    """The value of a constant expression; `LOST` after a mistake, which is reported.

    Integers are int, other rationals Fraction, irrational results float; sizes and lists are tuples.
    """
    match value:
        case tree.Number():
            return LOST if value.beyond else number(value)  # reported where it was read
        case tree.Name():
            return _named(value, scope, context)
        case tree.Binary():
            return _binary(value, scope, context)
        case tree.Unary():
            operand = constant(value.operand, scope, context)
            if operand is LOST:
                return LOST
            if value.operator == "-" and _numeric(operand):
                return -1 * operand if isinstance(operand, Symbolic) else -operand
            if value.operator == "-" and isinstance(operand, Quantity):
                return Quantity(-operand.value, operand.unit)
            if value.operator == "not" and isinstance(operand, bool):
                return not operand
            return _wrong(
                context, value.operand.span, "a number" if value.operator == "-" else "`on` or `off`", operand
            )
        case tree.Parenthesised():
            return constant(value.value, scope, context)
        case tree.Size():
            return value.value
        case tree.String():
            return value.value
        case tree.Switch():
            return value.value
        case tree.Quantity():
            return _quantity(value, context)
        case tree.ListOf():
            items = tuple(constant(item, scope, context) for item in value.items)
            return LOST if LOST in items else items
        case tree.Range():
            low, high = constant(value.low, scope, context), constant(value.high, scope, context)
            return LOST if low is LOST or high is LOST else RangeValue((low, high))
        case tree.Member():
            return _member(value, scope, context)
        case tree.Call():
            shown = value.function.text if isinstance(value.function, tree.Name) else "this"
            if shown in WORDS["schedule"]:
                context.problems.add(
                    rules.wrong_type,
                    value.span,
                    f"`{shown}(…)` is a schedule, and this place computes with constants",
                    help="a schedule stands there alone: write the factor into its numbers",
                )
                return LOST
            context.problems.add(
                rules.wrong_type,
                value.span,
                f"`{shown}(…)` is not a constant",
                help="write a number, a size or a name of one here",
            )
            return LOST
        case tree.Arrow():
            context.problems.add(
                rules.wrong_type, value.span, "`->` stands only in a network's declaration", help="remove it"
            )
            return LOST


def number(value: tree.Number) -> int | Fraction:
    """An integer where it is one, else the exact rational."""
    text = value.text
    if text.isdigit():
        return int(text)
    exact = value.value
    return int(exact) if exact.denominator == 1 else exact


def plain(value: Any) -> Any:
    """A rational as the int or float that a plan holds."""
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    if isinstance(value, RangeValue | tuple):
        return tuple(plain(item) for item in value)
    return value


def _numeric(value: Any) -> bool:
    return isinstance(value, int | Fraction | float | Symbolic) and not isinstance(value, bool)


def _quantity(value: tree.Quantity, context: Context) -> Any:
    unit = value.unit.text
    if unit not in UNITS:
        context.problems.add(
            rules.unknown_unit,
            value.unit.span,
            f"`{unit}` is no unit",
            help=did_you_mean(unit, UNITS) or "the units are steps, epochs, minutes, degrees and checks",
        )
        return LOST
    if value.number.beyond:
        return LOST
    return Quantity(plain(number(value.number)), unit if unit.endswith("s") else unit + "s")


def _named(name: tree.Name, scope: Scope, context: Context) -> Any:
    meaning = scope.find(name.text)
    match meaning:
        case Constant():
            return meaning.value
        case Deferred():
            context.used.add(name.text)
            return force(name, meaning, scope, context)
        case Missing():
            return LOST
        case None:
            if categories := _also_word(name.text):
                context.problems.add(
                    rules.wrong_type,
                    name.span,
                    f"`{name.text}` is {categories}, not a constant",
                    help="write a number, or a name of one here",
                )
                return LOST
            context.unknown_name(name, scope)
            return LOST
        case NetworkMeaning() | FieldMeaning() | BlockMeaning() | ObjectiveMeaning() | Node() | Operand():
            context.problems.add(
                rules.wrong_type,
                name.span,
                f"`{name.text}` is {described(meaning)}, not a constant",
                help=_member_help(name.text, meaning) or "write a number, or a name of one here",
            )
            return LOST


def _also_word(name: str) -> str:
    from gendsl.check.context import KINDS
    from gendsl.vocabulary import categories_of

    return next((KINDS[category] for category in categories_of(name) if category in KINDS), "")


def _member_help(name: str, meaning: Any) -> str:
    if isinstance(meaning, FieldMeaning):
        return f"its sizes are `{name}.{next(iter(members(meaning.field)))}` and so on"
    return ""


def described(meaning: Any) -> str:
    """What a meaning is, in a word."""
    match meaning:
        case NetworkMeaning():
            return "a network"
        case FieldMeaning():
            return "a data field"
        case BlockMeaning():
            return "a block"
        case ObjectiveMeaning():
            return "an objective"
        case Node():
            return "a value of the network"
        case Operand():
            return f"a value of type {meaning.type}"
    return "a constant"


def force(name: tree.Name, meaning: Deferred, scope: Scope, context: Context) -> Any:
    """Evaluates a binding once; a binding that depends on itself is reported."""
    if meaning.result is not None:
        return meaning.result.value
    if meaning.evaluating:
        context.problems.add(
            rules.circular,
            meaning.span,
            f"`{name.text}` depends on itself",
            labels=(Label(name.span, "it is used here"),),
            help="let it begin with a number",
        )
        return LOST
    meaning.evaluating = True
    home = scope
    while home.parent is not None and home.names.get(name.text) is not meaning:
        home = home.parent
    value = constant(meaning.value, home, context)
    meaning.evaluating = False
    if value is not LOST or not context.trial:  # what a trial reports is thrown away: it is to be said once more
        meaning.result = Constant(value)
    return value


def members(field: Field) -> dict[str, Any]:
    """The sizes of a field, after its transforms."""
    match field.kind:
        case "image":
            names = ("height", "width", "channels")
            out: dict[str, Any] = dict(zip(names, field.shape, strict=False))
        case "label":
            out = {"classes": field.classes if field.classes is not None else symbol(f"{field.name}.classes")}
        case "text":
            vocabulary = field.classes if field.classes is not None else symbol(f"{field.name}.vocabulary")
            out = {
                "vocabulary": vocabulary,
                "length": field.shape[0] if field.shape else symbol(f"{field.name}.length"),
            }
        case "row":
            layout = field.arguments.get("layout")
            many = symbol(f"{field.name}.numbers") if layout is None else numbers_in(layout)
            out = {"width": field.shape[0], "numbers": many}
        case _:
            out = {"width": field.shape[0] if field.shape else symbol(f"{field.name}.width")}
    return out


def _member(value: tree.Member, scope: Scope, context: Context) -> Any:
    if isinstance(value.value, tree.Name):
        meaning = scope.find(value.value.text)
        if isinstance(meaning, FieldMeaning):
            found = members(meaning.field)
            if value.name.text in found:
                return found[value.name.text]
            context.problems.add(
                rules.unknown_member,
                value.name.span,
                f"`{value.value.text}` has no `{value.name.text}`",
                help=did_you_mean(value.name.text, found) or f"it has {', '.join(found)}",
            )
            return LOST
        if meaning is None:
            context.unknown_name(value.value, scope)
            return LOST
        if isinstance(meaning, Missing) or (isinstance(meaning, Constant) and meaning.value is LOST):
            return LOST
    context.problems.add(
        rules.unknown_member,
        value.span,
        f"`{value.span.text}` is not a constant",
        help="members of data fields are constants, such as `image.channels`",
    )
    return LOST


def _wrong(context: Context, span: Span, expected: str, value: Any) -> Any:
    context.problems.add(rules.wrong_type, span, f"expected {expected}, found {kind_of(value)}")
    return LOST


def kind_of(value: Any) -> str:
    """What a value is, in a word."""
    match value:
        case bool():
            return "`on`" if value else "`off`"
        case int():
            return f"the whole number {value}"
        case Fraction() | float():
            return f"the number {float(value):g}"
        case str():
            return f'the text "{value}"'
        case Symbolic():
            return f"the size {value}"
        case Quantity():
            return f"the quantity {value.value} {value.unit}"
        case RangeValue():
            return "a range"
        case tuple():
            return "the size " + "x".join(map(str, value)) if all(isinstance(v, int) for v in value) else "a list"
    return "something else"


def _binary(node: tree.Binary, scope: Scope, context: Context) -> Any:
    left, right = constant(node.left, scope, context), constant(node.right, scope, context)
    if left is LOST or right is LOST:
        return LOST
    operator = node.operator
    if operator in ("and", "or"):
        if not isinstance(left, bool):
            return _wrong(context, node.left.span, "`on` or `off`", left)
        if not isinstance(right, bool):
            return _wrong(context, node.right.span, "`on` or `off`", right)
        return (left and right) if operator == "and" else (left or right)
    if isinstance(left, Quantity) or isinstance(right, Quantity):
        return _quantities(node, left, right, context)
    if not _numeric(left):
        return _wrong(context, node.left.span, "a number", left)
    if not _numeric(right):
        return _wrong(context, node.right.span, "a number", right)
    try:
        if operator in COMPARE:
            return COMPARE[operator](left, right)
        value = ARITHMETIC[operator](left, right)
    except ZeroDivisionError:
        context.problems.add(
            rules.bad_arithmetic, node.right.span, "this divides by zero", help="divide by another number"
        )
        return LOST
    except (OverflowError, ValueError):
        value = None
    except TypeError:
        context.problems.add(
            rules.bad_arithmetic,
            node.span,
            f"`{operator}` needs known sizes, and `{left if isinstance(left, Symbolic) else right}` waits for the data",
            help="declare the size in `data`",
        )
        return LOST
    if value is None or (_numeric(value) and not isinstance(value, Symbolic) and abs(value) > _HUGE):
        context.problems.add(
            rules.bad_arithmetic, node.span, "the result is beyond the range of numbers", help="numbers reach to 1e308"
        )
        return LOST
    return int(value) if isinstance(value, Fraction) and value.denominator == 1 else value


def _quantities(node: tree.Binary, left: Any, right: Any, context: Context) -> Any:
    operator = node.operator
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        if operator in "+-" and left.unit == right.unit:
            return Quantity(left.value + (right.value if operator == "+" else -right.value), left.unit)
        message = f"`{operator}` does not join {left.unit} and {right.unit}"
    elif (
        isinstance(left, Quantity)
        and operator in "*/"
        and _numeric(right)
        and not isinstance(right, Symbolic)
        and right
    ):
        return Quantity(
            plain(left.value * Fraction(right) if operator == "*" else left.value / Fraction(right)), left.unit
        )
    elif isinstance(right, Quantity) and operator == "*" and _numeric(left) and not isinstance(left, Symbolic):
        return Quantity(plain(Fraction(left) * Fraction(right.value)), right.unit)
    else:
        message = f"`{operator}` does not join a quantity and a number"
    context.problems.add(
        rules.bad_arithmetic, node.span, message, help="quantities are added to their like, and scaled by numbers"
    )
    return LOST
