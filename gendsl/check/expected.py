"""A kind of value in, words for people out: what a place takes, and what was found there instead."""

from typing import Any

from gendsl import rules
from gendsl.check.context import KINDS, Context
from gendsl.check.scope import (
    LOST,
)
from gendsl.source import Span
from gendsl.syntax import tree
from gendsl.vocabulary import WORDS
from gendsl.vocabulary import word as vocabulary
from gendsl.vocabulary.word import Kind


def expected(kind: Kind) -> str:
    """What a kind takes, in words."""
    match kind:
        case vocabulary.Count():
            return "a whole number" + (f" from {kind.minimum}" if kind.minimum != 1 else "")
        case vocabulary.Real():
            return "a number" + _bounds(kind)
        case vocabulary.Toggle():
            return "`on` or `off`"
        case vocabulary.Text():
            return "a text"
        case vocabulary.Path():
            return "a path in quotes"
        case vocabulary.Choice():
            return ("one of " if len(kind.names) > 1 else "") + ", ".join(f"`{name}`" for name in kind.names)
        case vocabulary.SizeOf():
            of = {0: "a size", 1: "a size of one number"}.get(kind.rank, f"a size of {kind.rank} numbers")
            return of + (" or one number" if kind.one else "")
        case vocabulary.RangeOf():
            return "a range such as 0..1"
        case vocabulary.ListOf():
            return f"a list, each {expected(kind.item)}"
        case vocabulary.Amount():
            return "a number of " + " or ".join(kind.units)
        case vocabulary.Scheduled():
            return "a number or a schedule"
        case vocabulary.WordOf():
            return KINDS.get(kind.category, f"a word of the kind {kind.category}")
        case vocabulary.Reference():
            return "a label or an input"
        case vocabulary.NetworkName():
            return "a network"
        case vocabulary.FieldName():
            return "a data field"
        case vocabulary.FreeName():
            return "a name"
        case vocabulary.Expression():
            return "an expression"
        case vocabulary.OneOf():
            return " or ".join(expected(one) for one in kind.kinds)
    return "a value"


def _such_as(kind: Kind) -> str:
    match kind:
        case vocabulary.Count():
            return f", such as {max(kind.minimum, 64) if kind.maximum is None else kind.minimum}"
        case vocabulary.Real():
            return ", such as 0.5"
        case vocabulary.Scheduled():
            return ", such as 2e-4 or `cosine(1e-3, 0)`"
        case vocabulary.SizeOf():
            return ", such as " + "x".join(["4"] * max(kind.rank, 1))
        case vocabulary.Amount():
            return f", such as 10 {kind.units[0]}"
        case vocabulary.WordOf():
            words = list(WORDS.get(kind.category, {}))
            return f", such as `{words[0]}`" if words else ""
    return ""


def _bounds(kind: vocabulary.Real) -> str:
    if kind.minimum is not None and kind.maximum is not None:
        return f" {'above' if kind.above else 'from'} {kind.minimum:g} to {kind.maximum:g}"
    if kind.minimum is not None:
        return f" {'above' if kind.above else 'from'} {kind.minimum:g}"
    return f" up to {kind.maximum:g}" if kind.maximum is not None else ""


def wrong_type(context: Context, span: Span, kind: Kind, found: str) -> Any:
    """Reports a value of another kind than its place takes; gives `LOST`."""
    text = span.text
    quoted = text[:1] == '"' and text[-1:] == '"' and not isinstance(kind, vocabulary.Text | vocabulary.Path)
    plain_text = text[1:-1].replace(" ", "_") if isinstance(kind, vocabulary.FreeName) else text[1:-1]
    help = f"write `{plain_text}`, without quotes" if quoted and plain_text else ""
    if isinstance(kind, vocabulary.Text | vocabulary.Path) and text.replace("_", "").isalnum():
        help = f'write `"{text}"`, in quotes'
    help = help or f"write {expected(kind)}{_such_as(kind)}"
    context.problems.add(rules.wrong_type, span, f"expected {expected(kind)}, found {found}", help=help)
    return LOST


def value_shown(value: tree.Value) -> str:
    """What was found, in words."""
    match value:
        case tree.Name():
            return f"the name `{value.text}`"
        case tree.String():
            return f"the text {value.text}"
        case tree.Call():
            return f"the call `{_head(value)}(…)`"
        case tree.Number() | tree.Size():
            return f"`{value.text}`"
        case tree.Quantity():
            return f"the quantity {value.span.text}"
        case tree.ListOf():
            return "a list"
        case tree.Range():
            return "a range"
        case tree.Switch():
            return "`on`" if value.value else "`off`"
    return "an expression"


def _head(value: tree.Value) -> str:
    while isinstance(value, tree.Call):
        value = value.function
    return value.text if isinstance(value, tree.Name) else value.span.text
