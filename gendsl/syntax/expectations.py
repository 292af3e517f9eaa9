"""A token that fits nowhere in, a sentence out that says what was expected, or what was probably meant."""

from gendsl import rules
from gendsl.diagnostics import Problems
from gendsl.source import Source, Span
from gendsl.syntax.habits import VALUES, Mistake, meant
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
_GRAMMAR = "a statement is `word value, name: value { … }`, `name = value` or `name ~ distribution`"
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
    found = meant(Mistake(tokens, position, expected))
    message, help = found or (f"expected {_list(expected)}, found {shown(token)}", _GRAMMAR)
    problems.add(rules.syntax, place, message, help=help)


def _place(source: Source, token: Token, before: Token | None) -> Span:
    if token.kind in ("SEPARATOR", "$END") and before is not None:
        return Span(source, before.start, before.end)
    return Span(source, token.start, max(token.end, token.start + 1))


def _list(expected: frozenset[str]) -> str:
    parts = []
    if expected >= VALUES:
        parts.append("a value")
        expected = expected - VALUES - {"NAME", "LPAR", "MINUS", "NOT"}
    if len(expected & _OPERATORS) > 3:
        expected = expected - _OPERATORS
    order = list(_SHOWN)
    parts += [_SHOWN[kind] for kind in sorted(expected & _SHOWN.keys(), key=order.index)]
    parts += [f"`{kind.lower()}`" for kind in sorted(expected - _SHOWN.keys())]
    if len(parts) > 5:
        parts = [part for part in parts if part not in ("`as`", "`.`", "`|`")][:5]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}" if parts else "nothing more"
