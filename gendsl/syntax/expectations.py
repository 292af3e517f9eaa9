"""A token that fits nowhere in, a sentence out that says what was expected and what was probably meant."""

from gendsl import rules
from gendsl.diagnostics import Problems
from gendsl.source import Source, Span
from gendsl.syntax.tokens import Token

_SHOWN = {
    "NAME": "a name",
    "NUMBER": "a number",
    "PERCENT": "a percentage",
    "SIZE": "a size",
    "STRING": "a text",
    "SWITCH": "`on` or `off`",
    "SEPARATOR": "the end of the line",
    "$END": "the end of the file",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "COMMA": "`,`",
    "COLON": "`:`",
    "EQUAL": "`=`",
    "TILDE": "`~`",
    "VBAR": "`|`",
    "DOT": "`.`",
    "ARROW": "`->`",
    "AS": "`as`",
    "PARAM": "`param`",
}
_VALUES = frozenset(["NUMBER", "PERCENT", "SIZE", "STRING", "SWITCH", "LSQB"])
_OPERATORS = frozenset(["PLUS", "MINUS", "TIMES", "POWER", "COMPARE", "AND", "OR", "RANGE"])


def shown(token: Token) -> str:
    """How a token is named in a message."""
    if token.kind == "$END":
        return "the end of the file"
    if token.kind == "SEPARATOR":
        return "`;`" if token.text == ";" else "the end of the line"
    return f"`{token.text if len(token.text) <= 40 else token.text[:40] + '…'}`"


def report(
    source: Source, tokens: tuple[Token, ...], position: int, expected: frozenset[str], problems: Problems
) -> None:
    """Adds one diagnostic for the token at `position`, where only `expected` could stand."""
    token = tokens[position]
    before = tokens[position - 1] if position else None
    place = _place(source, token, before)
    message, help = _meant(tokens, position, expected) or (
        f"expected {_list(expected)}, found {shown(token)}",
        "",
    )
    problems.add(rules.syntax, place, message, help=help)


def _place(source: Source, token: Token, before: Token | None) -> Span:
    if token.kind in ("SEPARATOR", "$END") and before is not None:
        return Span(source, before.start, before.end)
    return Span(source, token.start, max(token.end, token.start + 1))


def _list(expected: frozenset[str]) -> str:
    parts = []
    if expected >= _VALUES:
        parts.append("a value")
        expected = expected - _VALUES - {"NAME", "LPAR", "MINUS", "NOT"}
    if len(expected & _OPERATORS) > 3:
        expected = expected - _OPERATORS
    order = list(_SHOWN)
    parts += [_SHOWN[kind] for kind in sorted(expected & _SHOWN.keys(), key=order.index)]
    parts += [f"`{kind.lower()}`" for kind in sorted(expected - _SHOWN.keys())]
    if len(parts) > 5:
        parts = [part for part in parts if part not in ("`as`", "`.`", "`|`")][:5]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}" if parts else "nothing more"


def _meant(tokens: tuple[Token, ...], position: int, expected: frozenset[str]) -> tuple[str, str] | None:
    """What people mean most often by this mistake: the message and the mend."""
    token = tokens[position]
    before = tokens[position - 1] if position else Token("", "", 0)
    earlier = tokens[position - 2] if position > 1 else Token("", "", 0)
    if (
        token.kind == "COLON"
        and before.kind == "NAME"
        and earlier.kind in ("NUMBER", "NAME", "RPAR", "STRING", "PERCENT")
    ):
        return (
            f"a comma is missing between `{earlier.text}` and `{before.text}:`",
            f"write `{earlier.text}, {before.text}: …`",
        )
    if token.kind == "COLON":
        return "a `:` stands only behind an argument's name", "name one argument by one word: `kernel: 3`"
    if token.kind == "EQUAL" and before.kind == "NAME" and earlier.kind in ("LPAR", "COMMA", "NAME"):
        return f"`{before.text}` is given by `=`", f"write `{before.text}: …`: arguments take `:`, bindings `=`"
    if token.kind == "EQUAL" and before.kind in ("NAME", "RPAR", "RSQB"):
        return "only a plain name can be bound by `=`", "write `name = value` on a line of its own"
    if before.kind in ("VBAR",) and token.kind != "NAME":
        return f"expected a layer behind `|`, found {shown(token)}", "put a layer's word there, or remove the `|`"
    if token.kind == "VBAR" and (not before.text or before.kind in ("LBRACE", "SEPARATOR")):
        return "`|` stands between two layers, and none stands before it", "begin with the first layer"
    if token.kind == "COMMA" and "NAME" in expected and "SEPARATOR" not in expected:
        return f"expected {_list(expected)}, found `,`", "remove the comma, or write the value that is missing"
    if before.kind == "COMMA" and token.kind in ("SEPARATOR", "$END", "LBRACE", "RBRACE"):
        return f"a value is missing behind the comma, before {shown(token)}", "write it, or remove the comma"
    if token.kind == "COMPARE" and token.text not in ("=",) and "COMPARE" not in expected and "SEPARATOR" in expected:
        return "comparisons do not chain", "join two of them with `and`: `a < b and b < c`"
    if token.kind in ("NAME", "PARAM") and before.kind == "RBRACE":
        return f"`{token.text}` follows a `}}` directly", "begin a new line, or put `;` between them"
    if token.kind == "LBRACE" and before.kind == "LBRACE":
        return "a second `{` stands behind the first", "remove one of the two"
    if token.kind in _VALUES | {"NAME"} and before.kind in ("RPAR", "RSQB") and "RPAR" in expected:
        return (
            f"an operator or a comma is missing before `{token.text}`",
            f"write `, {token.text}`, or `+`, `-`, `*` between the two",
        )
    if token.kind in _VALUES | {"NAME"} and before.kind in _VALUES | {"NAME", "RPAR"} and "COMMA" in expected:
        return f"expected `,` or the end of the line, found {shown(token)}", f"write `{before.text}, {token.text}`"
    if token.kind == "LPAR" and before.kind in ("NUMBER", "SIZE", "PERCENT"):
        return "a number cannot be called", f"write `{before.text} * (…)` for a product"
    return None
