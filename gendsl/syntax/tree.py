"""The syntax tree of a spec: frozen nodes; a node's span takes no part in equality."""

import sys
from fractions import Fraction

from gendsl.frozen import dataclass, field
from gendsl.source import Source, Span

_UNESCAPED = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\"}


@dataclass(frozen=True, slots=True)
class Name:
    """A word: `image`."""

    text: str
    span: Span = field(compare=False, repr=False)


def beyond(text: str) -> bool:
    """Whether a number as written is out of the range of 64-bit floats, or longer than 400 digits."""
    digits = text.rstrip("%")
    exponent = digits.lower().partition("e")[2].replace("_", "") or "0"
    if len(digits) > 400 or len(exponent) > 9 or abs(int(exponent)) > 308:
        return True
    if len(digits) < 100 and abs(int(exponent)) < 200:
        return False  # the common case, told without arithmetic
    return bool(Fraction(digits.replace("_", "")) > Fraction(sys.float_info.max))


@dataclass(frozen=True, slots=True)
class Number:
    """`64`, `1_000`, `2e-4` or `20%`, as written."""

    text: str
    span: Span = field(compare=False, repr=False)

    @property
    def beyond(self) -> bool:
        """Whether it is too large or too small for a float of 64 bits; asked before `value`, which may be huge."""
        return beyond(self.text)

    @property
    def value(self) -> Fraction:
        """The exact rational; `20%` is 1/5."""
        digits = self.text.replace("_", "")
        return Fraction(digits[:-1]) / 100 if digits.endswith("%") else Fraction(digits)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit: `500 steps`."""

    number: Number
    unit: Name
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Size:
    """`28x28x1`, as written."""

    text: str
    span: Span = field(compare=False, repr=False)

    @property
    def value(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.text.split("x"))


@dataclass(frozen=True, slots=True)
class String:
    """A quoted text, as written, quotes included."""

    text: str
    span: Span = field(compare=False, repr=False)

    @property
    def value(self) -> str:
        """What the text says, its escapes undone."""
        body = self.text[1:-1]
        if "\\" not in body:
            return body
        out, position = [], 0
        while position < len(body):
            step = 2 if body[position] == "\\" else 1
            piece = body[position : position + step]
            out.append(_UNESCAPED.get(piece, piece))
            position += step
        return "".join(out)


@dataclass(frozen=True, slots=True)
class Switch:
    """`on` or `off`."""

    value: bool
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b, c]`."""

    items: "tuple[Value, ...]"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Member:
    """`image.channels`."""

    value: "Value"
    name: Name
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Argument:
    """A value in its place (`name` is None) or by its name (`kernel: 3`)."""

    name: Name | None
    value: "Value"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`adam(2e-4, beta_1: 0.5)`."""

    function: "Value"
    arguments: tuple[Argument, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x` or `not x`."""

    operator: str
    operand: "Value"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """`a + b`, `a < b`, `a and b`."""

    operator: str
    left: "Value"
    right: "Value"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Range:
    """`-1..1`."""

    low: "Value"
    high: "Value"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Arrow:
    """`generator(z: normal(64)) -> image`: a declaration and its result."""

    left: "Value"
    right: "Value"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Parenthesised:
    """`(a + b)`, kept so that it is printed as it was written."""

    value: "Value"
    span: Span = field(compare=False, repr=False)


Value = (
    Name
    | Number
    | Quantity
    | Size
    | String
    | Switch
    | ListOf
    | Member
    | Call
    | Unary
    | Binary
    | Range
    | Arrow
    | Parenthesised
)


@dataclass(frozen=True, slots=True)
class Block:
    """`{ … }`."""

    statements: "tuple[Statement, ...]"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One word with its arguments: `repeat 3 as i { … } as h`.

    `index` is the `as` before a block, `label` any other.
    """

    head: tuple[Name, ...]
    arguments: tuple[Argument, ...]
    index: Name | None
    block: Block | None
    label: Name | None
    span: Span = field(compare=False, repr=False)

    @property
    def word(self) -> str:
        """The head as written: `conv`, `keras.Conv3D`."""
        return ".".join(name.text for name in self.head)

    @property
    def head_span(self) -> Span:
        return self.head[0].span.to(self.head[-1].span)


@dataclass(frozen=True, slots=True)
class Chain:
    """Steps joined by `|`; most statements are a chain of one."""

    steps: tuple[Step, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binding:
    """`name = value`."""

    name: Name
    value: Value
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Draw:
    """`name ~ distribution`."""

    name: Name
    value: Value
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Parameter:
    """`param name = value`: a binding that `--set`, a variant or a sweep may replace."""

    name: Name
    value: Value
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Lost:
    """Where a statement stood that did not parse; the mistake is reported."""

    span: Span = field(compare=False, repr=False)


Statement = Chain | Binding | Draw | Parameter | Lost


@dataclass(frozen=True, slots=True)
class Comment:
    """`# …` to the end of its line; `alone` when nothing stands before it on the line."""

    text: str
    alone: bool
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole file."""

    statements: tuple[Statement, ...]
    source: Source = field(compare=False, repr=False)
    comments: tuple[Comment, ...] = field(compare=False, repr=False, default=())
    skipped: frozenset[str] = field(compare=False, repr=False, default=frozenset())  # names in text that did not parse
