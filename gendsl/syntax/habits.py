"""A token that fits nowhere in, what people mean most often by it out: the message and the mend."""

from collections.abc import Callable

from gendsl.frozen import dataclass
from gendsl.syntax.tokens import Token

VALUES = frozenset(["NUMBER", "PERCENT", "SIZE", "STRING", "SWITCH", "LSQB"])
_BEGINNING = ("", "SEPARATOR", "LBRACE")
_NONE = Token("", "", 0)

Meaning = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Mistake:
    """The token at `position` among `tokens`, where only the terminals `expected` could stand."""

    tokens: tuple[Token, ...]
    position: int
    expected: frozenset[str]

    def at(self, offset: int) -> Token:
        """The token so many places on."""
        place = self.position + offset
        return self.tokens[place] if 0 <= place < len(self.tokens) else _NONE

    @property
    def token(self) -> Token:
        return self.at(0)

    @property
    def before(self) -> Token:
        return self.at(-1)

    @property
    def earlier(self) -> Token:
        return self.at(-2)

    @property
    def opening(self) -> int | None:
        """The place of the innermost parenthesis that is open here, in this statement."""
        depth = 0
        for place in range(self.position - 1, -1, -1):
            kind = self.tokens[place].kind
            if kind in ("SEPARATOR", "LBRACE", "RBRACE"):
                return None
            depth += (kind == "RPAR") - (kind == "LPAR")
            if depth < 0:
                return place
        return None


def meant(mistake: Mistake) -> Meaning | None:
    """The first reading that fits."""
    for reading in _READINGS:
        found = reading(mistake)
        if found is not None:
            return found
    return None


def _parentheses(m: Mistake) -> Meaning | None:
    """`conv(64, 3)`, `kernel: (4, 4)`."""
    if m.token.kind not in ("COMMA", "COLON") or not m.opening:
        return None
    head, behind = m.tokens[m.opening - 1], m.tokens[m.opening - 2] if m.opening > 1 else _NONE
    if head.kind == "NAME" and behind.kind in (*_BEGINNING, "VBAR"):
        return (
            f"`{head.text}` takes its arguments without parentheses",
            f"write `{head.text} 64, name: value`: the values behind the word, with commas between them",
        )
    if m.token.kind == "COMMA" and head.kind in ("COLON", "COMMA", "EQUAL"):
        return "values in parentheses are no size", "write a size, `4x4`, or a list, `[4, 4]`"
    return None


def _python(m: Mistake) -> Meaning | None:
    """`//`, `**`, `==`, `for i in`."""
    slashes = (m.token.text, m.at(1).text) == ("/", "/") or (m.before.text, m.token.text) == ("/", "/")
    if slashes:
        return "`//` begins no comment", "comments begin with `#`"
    if (m.before.text, m.token.text) == ("*", "*"):
        return "`**` is no operator", "a power is written `^`: `2^4`"
    if m.token.text == "==" and m.before.kind == "NAME" and "EQUAL" in m.expected:
        return "`==` compares, and a binding takes one `=`", f"write `{m.before.text} = …`"
    if m.token.text == "in" and m.earlier.text == "for":
        return "there is no `for`", f"write `repeat 3 as {m.before.text} {{ … }}`"
    return None


def _product(m: Mistake) -> Meaning | None:
    """`4 x width`."""
    if m.before.text != "x" or m.earlier.kind != "NUMBER" or m.token.kind not in ("NAME", "NUMBER"):
        return None
    number = m.earlier.text
    return (
        f"`{number} x {m.token.text}` is no value",
        f"a product is written `{number} * {m.token.text}`; a size has no spaces, `{number}x4`, or is a list, "
        f"`[{number}, n]`",
    )


def _colon(m: Mistake) -> Meaning | None:
    """A `:` where none stands."""
    if m.token.kind != "COLON":
        return None
    name = m.before.text
    if m.before.kind == "NAME" and m.earlier.kind in _BEGINNING:
        if m.at(1).kind in ("LBRACE", "SEPARATOR") or "\n" in m.token.text or m.at(1).start > m.token.end + 1:
            return f"`{name}` stands before a `:`", f"a block is written `{name} {{ … }}`"
        return (
            f"`{name}` stands before a `:`",
            f"a statement is written `{name} …`, without the `:`; a binding `{name} = …`",
        )
    if m.before.kind == "NAME" and m.earlier.kind in ("NUMBER", "NAME", "RPAR", "STRING", "PERCENT", "SIZE"):
        return (
            f"a comma is missing between `{m.earlier.text}` and `{name}:`",
            f"write `{m.earlier.text}, {name}: …`",
        )
    return "a `:` stands only behind an argument's name", "name one argument by one word: `kernel: 3`"


def _equal(m: Mistake) -> Meaning | None:
    """A `=` where none stands."""
    if m.token.kind != "EQUAL":
        return None
    if m.before.kind == "NAME" and m.earlier.kind in ("LPAR", "COMMA", "NAME"):
        return f"`{m.before.text}` is given by `=`", f"write `{m.before.text}: …`: arguments take `:`, bindings `=`"
    return "only a plain name can be bound by `=`", "write `name = value` on a line of its own"


def _bar(m: Mistake) -> Meaning | None:
    """A `|` with nothing on one of its sides."""
    if m.before.kind == "VBAR" and m.token.kind != "NAME":
        return "a layer is missing behind `|`", "put a layer's word there, or remove the `|`"
    if m.token.kind == "VBAR" and m.before.kind in _BEGINNING:
        return "`|` stands between two layers, and none stands before it", "begin with the first layer"
    return None


def _comma(m: Mistake) -> Meaning | None:
    """A comma too many."""
    if m.before.kind == "COMMA" and m.token.kind in (
        "SEPARATOR",
        "$END",
        "LBRACE",
        "RBRACE",
        "VBAR",
        "RPAR",
        "RSQB",
    ):
        return "a value is missing behind the comma", "write it, or remove the comma"
    if m.token.kind == "COMMA" and m.before.kind == "COMMA":
        return "two commas follow one another", "remove one of them, or write the value between them"
    if m.token.kind == "COMMA" and "NAME" in m.expected and "SEPARATOR" not in m.expected:
        return "a value is missing before the comma", "write it, or remove the comma"
    return None


def _comparison(m: Mistake) -> Meaning | None:
    """`a < b < c`."""
    if m.token.kind == "COMPARE" and "COMPARE" not in m.expected and "SEPARATOR" in m.expected:
        return "comparisons do not chain", "join two of them with `and`: `a < b and b < c`"
    return None


def _brace(m: Mistake) -> Meaning | None:
    """Braces beside one another, or a statement directly behind one."""
    if m.token.kind == m.before.kind == "LBRACE":
        return "a second `{` stands behind the first", "remove one of the two"
    if m.token.kind in ("NAME", "PARAM") and m.before.kind == "RBRACE":
        return f"`{m.token.text}` follows a `}}` directly", "begin a new line, or put `;` between them"
    if m.token.kind == "RBRACE" and m.before.kind in ("PLUS", "MINUS", "TIMES", "EQUAL", "COLON", "POWER", "COMPARE"):
        return f"a value is missing behind `{m.before.text}`", "write it before the `}`"
    return None


def _beside(m: Mistake) -> Meaning | None:
    """Two values beside one another."""
    if m.token.kind not in VALUES | {"NAME"}:
        return None
    inside = m.opening is not None or m.earlier.kind == "COLON"
    if (
        m.token.kind != "NAME"
        and m.token.kind != "LSQB"
        and m.before.kind == "NAME"
        and inside
        and "LPAR" in m.expected
    ):
        return f"a value stands behind `{m.before.text}` directly", f"write `{m.before.text}({m.token.text})`"
    if m.before.kind in ("RPAR", "RSQB") and "RPAR" in m.expected:
        return (
            f"an operator or a comma is missing before `{m.token.text}`",
            f"write `, {m.token.text}`, or `+`, `-`, `*` between the two",
        )
    if m.before.kind == "NAME" and m.earlier.kind == "NUMBER" and m.token.kind in VALUES:
        return (
            f"`{m.before.text}` follows `{m.earlier.text}` as a unit, and then `{m.token.text}` stands alone",
            f"put `|` before `{m.before.text}` if it is a layer, or a comma between values",
        )
    if m.before.kind in VALUES | {"NAME", "RPAR"} and "COMMA" in m.expected:
        return f"a comma is missing before `{m.token.text}`", f"write `{m.before.text}, {m.token.text}`"
    return None


def _operand(m: Mistake) -> Meaning | None:
    """An operator without a value on one of its sides."""
    operators = ("PLUS", "TIMES", "POWER", "COMPARE", "RANGE", "AND", "OR")
    if m.token.kind in operators and "NUMBER" in m.expected:
        return f"a value is missing before `{m.token.text}`", f"write it, or remove the `{m.token.text}`"
    if m.before.kind in (*operators, "MINUS", "NOT", "EQUAL", "TILDE") and m.token.kind in (
        "SEPARATOR",
        "$END",
        "RPAR",
        "RSQB",
    ):
        return f"a value is missing behind `{m.before.text}`", f"write it, or remove the `{m.before.text}`"
    return None


def _still_open(m: Mistake) -> Meaning | None:
    """A sign of a statement inside parentheses."""
    if m.token.kind not in ("VBAR", "SEPARATOR", "LBRACE", "EQUAL", "TILDE", "RSQB"):
        return None
    if m.opening is None and m.token.kind != "VBAR":
        return None
    return (
        f"`{m.token.text.strip() or 'the line end'}` stands inside parentheses or brackets that are still open",
        "close them first; inside, values are parted by commas",
    )


def _call(m: Mistake) -> Meaning | None:
    """`3(x)`."""
    if m.token.kind == "LPAR" and m.before.kind in ("NUMBER", "SIZE", "PERCENT"):
        return "a number cannot be called", f"write `{m.before.text} * (…)` for a product"
    return None


_READINGS: tuple[Callable[[Mistake], Meaning | None], ...] = (
    _parentheses,
    _python,
    _product,
    _colon,
    _equal,
    _bar,
    _comma,
    _comparison,
    _brace,
    _operand,
    _still_open,
    _beside,
    _call,
)
