"""A network's declared inputs and results in, their shapes and types out."""

from typing import Any

from gendsl import rules
from gendsl.check.arguments import value_of
from gendsl.check.constants import constant
from gendsl.check.context import Context
from gendsl.check.scope import LOST, FieldMeaning, Missing, Scope
from gendsl.frozen import dataclass, replace
from gendsl.plan.plan import Call, Field, Input
from gendsl.source import Span
from gendsl.spelling import did_you_mean
from gendsl.syntax import tree
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.dimensions import Dimension, Shape
from gendsl.vocabulary.types import Distribution, Tensor, Type, Unknown
from gendsl.vocabulary.word import SizeOf, WordOf


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared result: its type, and the shape that the layers must give. `leading` axes may stand before it."""

    name: str
    type: Type
    shape: Shape
    span: Span
    origin: str
    leading: bool = False


@dataclass(frozen=True, slots=True)
class DeclaredInput:
    """A declared input, with the number of its classes where it is a class."""

    input: Input
    classes: Dimension | None
    span: Span


def fields_of(scope: Scope) -> dict[str, Field]:
    """The data fields in reach."""
    out = {}
    for name in scope.all():
        meaning = scope.find(name)
        if isinstance(meaning, FieldMeaning):
            out[name] = meaning.field
    return out


def input_of(argument: tree.Argument, scope: Scope, context: Context) -> DeclaredInput | None:
    """An input of a network from `x: image`; None after a reported mistake."""
    if argument.name is None:
        context.problems.add(
            rules.bad_input,
            argument.span,
            "an input needs a name and a type",
            help=f"write `x: {argument.span.text}`",
        )
        return None
    name, value = argument.name.text, argument.value
    if isinstance(value, tree.Name):
        return _named_input(name, value, scope, context)
    if isinstance(value, tree.Binary) and value.operator == "or":
        return _optional_input(name, value, scope, context)
    if isinstance(value, tree.Call) and isinstance(value.function, tree.Name):
        head = value.function.text
        if head == "features":
            size = value_of(SizeOf(0, one=True), value.arguments[0].value, scope, context) if value.arguments else LOST
            if size is LOST:
                if not value.arguments:
                    context.problems.add(
                        rules.bad_input, value.span, "`features` needs its size", help="write `features(128)`"
                    )
                return None
            return DeclaredInput(Input(name, "features", None, size), None, value.span)
        if head in WORDS.get("prior", {}):
            call = value_of(WordOf("prior"), value, scope, context)
            if call is LOST:
                return None
            if call.word == "categorical":
                classes = call.arguments["classes"]
                shape = () if call.arguments["length"] is None else (call.arguments["length"],)
                return DeclaredInput(Input(name, "prior", call, shape, integer=True), classes, value.span)
            return DeclaredInput(Input(name, "prior", call, call.arguments["size"]), None, value.span)
    if isinstance(value, tree.Size | tree.ListOf | tree.Number | tree.Binary):
        size = value_of(SizeOf(0, one=True), value, scope, context)
        return None if size is LOST else DeclaredInput(Input(name, "features", None, size), None, value.span)
    shown = value.function if isinstance(value, tree.Call) else value
    text = shown.text if isinstance(shown, tree.Name) else value.span.text
    context.problems.add(
        rules.bad_input,
        value.span,
        f"`{text}` is no type of an input",
        help=did_you_mean(text, [*WORDS.get("prior", {}), "features"])
        or "write a data field, `normal(64)`, `time`, `condition` or a size",
    )
    return None


def _optional_input(name: str, value: tree.Binary, scope: Scope, context: Context) -> DeclaredInput | None:
    """`label or none`: one class more, which stands for none."""
    found = _named_input(name, value.left, scope, context) if isinstance(value.left, tree.Name) else None
    if found is None and isinstance(value.left, tree.Name):
        return None
    nothing = isinstance(value.right, tree.Name) and value.right.text == "none"
    if found is None or not nothing or found.input.kind not in ("field", "condition"):
        context.problems.add(
            rules.bad_input,
            value.span,
            f"`{value.span.text}` is no type of an input",
            help="a label, a condition or another field may be left out: `y: label or none`",
        )
        return None
    classes = None if found.classes is None else found.classes + 1
    return DeclaredInput(replace(found.input, optional=True), classes, value.span)


def _named_input(name: str, value: tree.Name, scope: Scope, context: Context) -> DeclaredInput | None:
    meaning = scope.find(value.text)
    if isinstance(meaning, FieldMeaning):
        field = meaning.field
        context.used.add(value.text)
        if field.kind == "condition":
            return DeclaredInput(Input(name, "condition", field.name, field.shape), None, value.span)
        integer = field.kind in ("label", "text")
        return DeclaredInput(Input(name, "field", field.name, field.shape, integer), field.classes, value.span)
    if value.text == "time" and meaning is None:
        return DeclaredInput(Input(name, "time", None, ()), None, value.span)
    if isinstance(meaning, Missing) or value.text in context.skipped:
        return None
    fields = fields_of(scope)
    if value.text in WORDS.get("prior", {}):
        context.problems.add(
            rules.bad_input, value.span, f"`{value.text}` needs its size", help=f"write `{value.text}(64)`"
        )
        return None
    size = constant(value, scope, context.on_trial())
    if isinstance(size, int | tuple) and not isinstance(size, bool):
        shape = value_of(SizeOf(0, one=True), value, scope, context)
        return None if shape is LOST else DeclaredInput(Input(name, "features", None, shape), None, value.span)
    context.problems.add(
        rules.bad_input,
        value.span,
        f"`{value.text}` is no data field and no other type of an input",
        help=did_you_mean(value.text, [*fields, "time"])
        or (
            f"the data has {', '.join(f'`{f}`' for f in fields)}" if fields else "write `normal(64)`, `time` or a size"
        ),
    )
    return None


def results_of(value: tree.Value, scope: Scope, context: Context) -> tuple[Declared, ...] | None:
    """The declared results, one or a list of them; None after a reported mistake."""
    if isinstance(value, tree.ListOf):
        several = [_result(item, scope, context) for item in value.items]
        return tuple(one for one in several if one is not None) if all(several) else None
    one = _result(value, scope, context)
    return None if one is None else (one,)


def _result(value: tree.Value, scope: Scope, context: Context) -> Declared | None:
    if isinstance(value, tree.Name):
        meaning = scope.find(value.text)
        if isinstance(meaning, FieldMeaning):
            return _field_result(meaning.field, value, context)
        if isinstance(meaning, Missing) or value.text in context.skipped:
            return None
        if value.text not in WORDS.get("result", {}):
            fields = fields_of(scope)
            context.problems.add(
                rules.bad_result,
                value.span,
                f"`{value.text}` is no data field and no result type",
                help=did_you_mean(value.text, [*fields, *WORDS.get("result", {})])
                or "results are "
                + ", ".join([*(f"`{field}`" for field in fields), "logits(…)", "features(…)", "normal(…)"])
                + ", bernoulli(…), discretized_logistic(…) and categorical(…)",
            )
            return None
    if isinstance(value, tree.Size | tree.Number):
        size = value_of(SizeOf(0, one=True), value, scope, context)
        return None if size is LOST else Declared("", Tensor(size, "features"), size, value.span, value.span.text)
    call = value_of(WordOf("result"), value, scope, context)
    if call is LOST:
        return None
    return _called_result(call, value, scope, context)


def _field_result(field: Field, value: tree.Name, context: Context) -> Declared | None:
    if field.kind in ("label", "text"):
        context.problems.add(
            rules.bad_result,
            value.span,
            f"`{value.text}` holds whole numbers, which no layer gives",
            help=f"declare what they are drawn from: `categorical({value.text}.{_counted(field)})`",
        )
        return None
    origin = f"`{field.name}` of the data"
    return Declared("", Tensor(field.shape, field.name), field.shape, value.span, origin)


def _called_result(call: Call, value: tree.Value, scope: Scope, context: Context) -> Declared | None:
    arguments: dict[str, Any] = dict(call.arguments)
    origin = value.span.text
    if call.word == "categorical":
        classes = arguments["classes"]
        return Declared("", Distribution("categorical", (), classes), (classes,), value.span, origin, leading=True)
    of = arguments["of"]
    shape: Shape
    meaning = ""
    if isinstance(of, str):
        field = fields_of(scope)[of]
        shape, meaning = field.shape, field.name
        if field.kind in ("label", "text"):
            context.problems.add(
                rules.bad_result,
                value.span,
                f"`{of}` holds whole numbers",
                help=f"write `categorical({of}.{_counted(field)})`",
            )
            return None
    else:
        shape = of
    match call.word:
        case "normal":
            if not shape:
                return None
            return Declared("", Distribution("normal", shape), (*shape[:-1], 2 * shape[-1]), value.span, origin)
        case "bernoulli":
            return Declared("", Distribution("bernoulli", shape), shape, value.span, origin)
        case "discretized_logistic":
            return _on_levels(of, shape, arguments, value, scope, context)
        case "logits":
            return Declared("", Tensor(shape, "logits"), shape, value.span, origin)
        case "features":
            return Declared("", Tensor(shape, meaning or "features"), shape, value.span, origin)
    return Declared("", Unknown(), shape, value.span, origin)


def _on_levels(
    of: Any, shape: Shape, arguments: dict[str, Any], value: tree.Value, scope: Scope, context: Context
) -> Declared | None:
    """A discretised logistic: its levels span the range that is given, else that of the field."""
    field = fields_of(scope)[of] if isinstance(of, str) else None
    bounds = arguments["range"] or (field.arguments.get("range") if field is not None else None)
    if not shape or bounds is None:
        context.problems.add(
            rules.bad_result,
            value.span,
            "`discretized_logistic` needs to know which levels there are"
            if shape
            else "`discretized_logistic` is of numbers along an axis",
            help="say where the lowest and the highest lie: `discretized_logistic(…, levels: 256, range: -1..1)`",
        )
        return None
    low, high = (float(end) for end in bounds)
    type = Distribution("discretized_logistic", shape, arguments["levels"], (low, high))
    return Declared("", type, (*shape[:-1], 2 * shape[-1]), value.span, value.span.text)


def _counted(field: Field) -> str:
    """The member that counts what a field can be."""
    return "classes" if field.kind == "label" else "vocabulary"
