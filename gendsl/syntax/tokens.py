"""Text in, tokens out: the basic lexer and the post-lexer that decides which line ends separate statements."""

import re
from functools import cache
from typing import NamedTuple

from gendsl import rules
from gendsl.diagnostics import Label, Problems
from gendsl.frozen import dataclass
from gendsl.source import Source, Span
from gendsl.syntax.tables import tables
from gendsl.syntax.tree import Comment, beyond

DEPTH = 100  # levels of braces, brackets and parentheses
OPERATORS = 1_000  # of one statement: expressions are trees, and every pass walks them recursively
SIZE = 2 * 1024 * 1024  # bytes of a spec

_CONTINUES_AFTER = frozenset(
    [
        "COMMA",
        "COLON",
        "EQUAL",
        "TILDE",
        "VBAR",
        "RANGE",
        "ARROW",
        "PLUS",
        "MINUS",
        "TIMES",
        "POWER",
        "COMPARE",
        "AND",
        "OR",
        "NOT",
        "LBRACE",
        "SEPARATOR",
        "",
    ]
)
_CONTINUES_BEFORE = frozenset(
    ["VBAR", "RANGE", "ARROW", "PLUS", "MINUS", "TIMES", "POWER", "COMPARE", "AND", "OR", "RBRACE", "$END"]
)
_NESTING = frozenset(["PLUS", "MINUS", "TIMES", "POWER", "COMPARE", "AND", "OR", "NOT", "RANGE", "DOT", "LPAR"])
_OPENS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
_CLOSES = {close: opening for opening, close in _OPENS.items()}
_SIGN = {"LPAR": "(", "RPAR": ")", "LSQB": "[", "RSQB": "]", "LBRACE": "{", "RBRACE": "}"}


class Token(NamedTuple):
    """A terminal's name, its text and where it starts."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a source, ended by `$END`, and its comments."""

    items: tuple[Token, ...]
    comments: tuple[Comment, ...]


@cache
def _pattern() -> tuple[re.Pattern[str], frozenset[str]]:
    terminals = tables().terminals
    pattern = re.compile("|".join(f"(?P<{name}>{expression})" for name, expression, _ in terminals))
    return pattern, frozenset(name for name, _, ignored in terminals if ignored)


def tokens_of(source: Source, problems: Problems) -> Tokens:
    """The tokens between which a parser needs no knowledge of lines; text that is no token is reported and left out."""
    attempt = Problems()
    tokens = _tokens(source, attempt, margin=False)
    if any(found.rule is rules.unclosed and found.span.text == "{" for found in attempt):
        attempt = Problems()  # the margin tells where a block should have ended
        tokens = _tokens(source, attempt, margin=True)
    for found in attempt:
        problems.add(found.rule, found.span, found.message, note=found.note, labels=found.labels, help=found.help)
    return tokens


def _tokens(source: Source, problems: Problems, *, margin: bool) -> Tokens:
    """As `tokens_of`; with `margin`, a line ends the open blocks that begin on lines indented as much or more."""
    text, length = source.text, len(source.text)
    pattern, ignored = _pattern()
    match = pattern.match
    out: list[Token] = []
    comments: list[Comment] = []
    opened: list[Token] = []
    previous = ""  # the kind of the last token kept
    pending: Token | None = None  # a separator that has not proved needed yet
    position = 0
    operators = 0
    while position < length:
        found = match(text, position)
        if found is None:
            position = _unreadable(source, position, problems)
            continue
        kind, start, position = found.lastgroup or "", position, found.end()
        if kind in ignored:
            if kind == "COMMENT":
                alone = text[text.rfind("\n", 0, start) + 1 : start].strip() == ""
                comments.append(Comment(found.group().rstrip(), alone, Span(source, start, position)))
            continue
        token = Token(kind, found.group(), start)
        if margin and opened and kind in ("NAME", "PARAM") and (indent := _indent(text, start)) is not None:
            while opened and (_line_indent(text, opened[-1].start) >= indent):
                out.append(_unclosed(source, opened.pop(), token, problems, behind=out[-1]))
                previous, pending = "RBRACE", pending or Token("SEPARATOR", "\n", start)
        if kind == "SEPARATOR":
            inside = opened and opened[-1].kind != "LBRACE"
            if token.text == ";":
                if not inside and previous not in _CONTINUES_AFTER:
                    pending = token
                elif previous not in ("", "LBRACE", "SEPARATOR") or inside:
                    out.append(token)  # a `;` always separates, so that here it is in the way: the parser says so
                    previous = kind
            elif not inside and previous not in _CONTINUES_AFTER and pending is None:
                pending = token
            continue
        if pending is not None:
            if kind not in _CONTINUES_BEFORE or (pending.text == ";" and kind not in ("RBRACE", "$END")):
                if kind == "LBRACE":
                    place = Span(source, start, position)
                    problems.add(
                        rules.brace_on_own_line,
                        place,
                        "a `{` stands on a line of its own",
                        note="the statement above ended with its line",
                        help="move the `{` to the end of the line before",
                    )
                else:
                    out.append(pending)
                    operators = 0
            pending = None
        if kind in _NESTING:
            operators += 1
            if operators == OPERATORS:
                problems.add(
                    rules.too_deep,
                    Span(source, start, position),
                    f"more than {OPERATORS:,} operators in one statement",
                    help="bind parts of it to names",
                )
                return _beyond(length, comments)
        elif kind in ("NUMBER", "SIZE", "PERCENT"):
            position = _tail(source, token, position, problems)
        elif kind == "STRING":
            _escapes(source, token, problems)
        if kind in _OPENS:
            if kind == "LBRACE":
                while opened and opened[-1].kind != "LBRACE":
                    out.append(_unclosed(source, opened.pop(), token, problems))
            opened.append(token)
            if len(opened) > DEPTH:
                problems.add(
                    rules.too_deep,
                    Span(source, start, position),
                    f"more than {DEPTH} levels of nesting",
                    help="name inner parts with `block`",
                )
                return _beyond(length, comments)
        elif kind in _CLOSES:
            while opened and opened[-1].kind not in (_CLOSES[kind], "LBRACE") and kind == "RBRACE":
                out.append(_unclosed(source, opened.pop(), token, problems))
            if opened and opened[-1].kind == _CLOSES[kind]:
                opened.pop()
            else:
                problems.add(
                    rules.unopened,
                    Span(source, start, position),
                    f"`{token.text}` closes nothing",
                    help=f"remove it, or add the `{_SIGN[_CLOSES[kind]]}` that it closes",
                )
                continue
        out.append(token)
        previous = kind
    end = Token("$END", "", length)
    for token in reversed(opened):
        out.append(_unclosed(source, token, end, problems))
    return Tokens((*out, end), tuple(comments))


def _beyond(length: int, comments: list[Comment]) -> Tokens:
    """Of a text beyond the limits nothing more is told, and nothing is parsed."""
    return Tokens((Token("$END", "", length),), tuple(comments))


def _line_indent(text: str, position: int) -> int:
    """The indentation of the line in which a position lies."""
    start = end = text.rfind("\n", 0, position) + 1
    while end < len(text) and text[end] in " \t":
        end += 1
    return end - start


def _indent(text: str, start: int) -> int | None:
    """The indentation of a token that begins its line, else None."""
    line = text.rfind("\n", 0, start) + 1
    return start - line if not text[line:start].strip() else None


def _unclosed(source: Source, token: Token, before: Token, problems: Problems, *, behind: Token | None = None) -> Token:
    """Reports an opening sign without its counterpart, and gives one, so that nothing else is missed."""
    close = _SIGN[_OPENS[token.kind]]
    where = f" before this `{before.text}`" if before.text else " before the end of the file"
    problems.add(
        rules.unclosed,
        Span(source, token.start, token.end),
        f"`{token.text}` is never closed",
        note=f"no `{close}` follows{where}",
        labels=(Label(Span(source, behind.start, behind.end), f"the `{close}` belongs behind this"),)
        if behind is not None and behind.end > behind.start
        else (),
        help=f"add the `{close}` where the part that begins here ends",
    )
    return Token(_OPENS[token.kind], "", before.start)


def _tail(source: Source, token: Token, position: int, problems: Problems) -> int:
    """Behind a number or a size no letter may follow directly."""
    end = position
    text = source.text
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    if end == position:
        if token.kind != "SIZE" and beyond(token.text):
            problems.add(
                rules.number_range,
                Span(source, token.start, position),
                f"`{token.text[:24]}{'…' if len(token.text) > 24 else ''}` is beyond the range of numbers",
                help="numbers reach from 1e-308 to 1e308",
            )
        elif token.kind == "SIZE" and max(map(len, token.text.split("x"))) > 9:
            problems.add(
                rules.number_range,
                Span(source, token.start, position),
                "a side of this size is beyond a billion",
                help="write the size of one example, height x width x channels",
            )
        return position
    tail = text[position:end]
    problems.add(
        rules.number_tail,
        Span(source, token.start, end),
        f"`{token.text}{tail}` is neither a number nor a name",
        help=(
            f"write `{token.text} {tail}`, with a space before the unit"
            if token.kind != "SIZE" and tail.isalpha()
            else "a name begins with a letter; a size is written like 28x28x1"
        ),
    )
    return end


def _escapes(source: Source, token: Token, problems: Problems) -> None:
    position = token.text.find("\\")
    while position >= 0:
        escape = token.text[position : position + 2]
        if escape not in ('\\"', "\\\\", "\\n", "\\t"):
            start = token.start + position
            problems.add(
                rules.unknown_escape,
                Span(source, start, start + 2),
                f"`{escape}` is no escape",
                help='the escapes are \\" \\\\ \\n \\t; a backslash itself is written \\\\',
            )
        position = token.text.find("\\", position + 2)


def _unreadable(source: Source, position: int, problems: Problems) -> int:
    """Reports one stretch of text that is no token; gives where to go on."""
    text = source.text
    character = text[position]
    if character == '"':
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        problems.add(
            rules.unclosed,
            Span(source, position, end),
            "a text is never closed",
            note='no `"` follows on this line',
            help='add the closing `"`; a text stands on one line, with \\n for a line end',
        )
        return end
    end = position + 1
    while end < len(text) and text[end] == character:
        end += 1
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    mends = {
        "'": 'texts stand in double quotes: "…"',
        "“": 'texts stand in straight double quotes: "…"',
        "”": 'texts stand in straight double quotes: "…"',
        "×": "write a size with the letter x, as in 28x28x1, and a product with *",
        "−": "write the minus sign as -",
        "–": "write the minus sign as -",
        "&": "write `and`",
        "!": "write `not`",
        "@": "remove it",
        "`": 'texts stand in double quotes: "…"',
        ".": "a number has digits on both sides of its point, and a range two points: 0..1",
    }
    problems.add(
        rules.unknown_character,
        Span(source, position, end),
        f"`{shown}` has no meaning here",
        help=mends.get(character, 'remove it, or put it into a text: "…"'),
    )
    return end
