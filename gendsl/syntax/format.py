"""A syntax tree in, its canonical text out: the author's lines, comments and blank lines kept, indent and spacing ours.

Only what stands between the tokens changes, so the text parses to the same tree, and formatting it again changes
nothing. Lines are broken where the author broke them; a one-line block opens up when its line passes 120 characters.
"""

from operator import attrgetter

from gendsl.diagnostics import Problems
from gendsl.frozen import dataclass
from gendsl.source import Source
from gendsl.syntax import tree
from gendsl.syntax.tokens import Token, tokens_of
from gendsl.syntax.write import written

WIDTH = 120
INDENT = 2

_OPENERS = ("LBRACE", "LPAR", "LSQB")
_CLOSERS = ("RBRACE", "RPAR", "RSQB")
_NO_SPACE_AFTER = frozenset(["LPAR", "LSQB", "DOT", "POWER", "RANGE"])
_NO_SPACE_BEFORE = frozenset(["RPAR", "RSQB", "COMMA", "COLON", "DOT", "POWER", "RANGE"])
_BEFORE_OPERAND = frozenset(
    [
        "PLUS",
        "MINUS",
        "TIMES",
        "POWER",
        "COMPARE",
        "AND",
        "OR",
        "NOT",
        "RANGE",
        "ARROW",
        "COMMA",
        "COLON",
        "EQUAL",
        "TILDE",
        "LPAR",
        "LSQB",
    ]
)


def formatted(spec: tree.Spec) -> str:
    """The text of a tree; one whose source is empty is written anew. Ends with a newline, unless there is nothing."""
    source = spec.source if spec.source.text else Source("", written(spec))
    items = _items(source)
    lines = _lines(items)
    while long := [line for line in lines if line.block is not None and len(line.code) > WIDTH]:
        for line in long:
            assert line.block is not None
            items[line.block].multiline = True
        lines = _lines(items)
    return "".join(f"{line.text()}\n" for line in lines)


@dataclass(slots=True)
class _Item:
    """A token or a comment, with what is to know of its place in the source."""

    kind: str
    text: str
    column: int  # from 0
    newlines: int  # between the item before and this one
    spaced: bool  # whether anything stands between the item before and this one
    begins: bool = False  # the first of a statement
    head: bool = False  # a name in the head of a step
    multiline: bool = False  # of an opening brace: its statements have lines of their own
    empty: bool = False  # of an opening brace: nothing is in it


@dataclass(slots=True)
class _Line:
    indent: int
    code: str = ""
    comment: str = ""
    column: int = 0  # of the comment, from 0
    block: int | None = None  # the first one-line block on it

    def text(self) -> str:
        if not self.comment:
            return self.code
        return f"{self.code:<{self.column}}{self.comment}"


@dataclass(slots=True)
class _Frame:
    """An open bracket: the indent of its closing one, and of the lines in it."""

    brace: bool
    base: int
    indent: int
    multiline: bool


def _items(source: Source) -> list[_Item]:
    text = source.text
    tokens = tokens_of(source, Problems())
    comments = [Token("COMMENT", comment.text, comment.span.start) for comment in tokens.comments]
    items: list[_Item] = []
    opened: list[tuple[_Item, int, int]] = []  # an opening brace, how many items and newlines there were at it
    end = line_start = total = 0
    begins = expects_head = True
    after_head = False
    for token in sorted([*tokens.items[:-1], *comments], key=attrgetter("start")):
        kind = token.kind
        if kind == "SEPARATOR":
            begins = True
            continue
        gap = text[end : token.start]
        newlines = gap.count("\n")
        if newlines:
            line_start = end + gap.rfind("\n") + 1
            total += newlines
        end = token.end
        item = _Item(kind, token.text, token.start - line_start, newlines, bool(gap))
        items.append(item)
        if kind == "COMMENT":
            continue
        item.begins = begins and kind != "RBRACE"
        expects_head = item.begins or expects_head
        item.head = kind == "NAME" and expects_head
        expects_head = kind in ("VBAR", "PARAM") or (kind == "DOT" and after_head)
        after_head = item.head
        begins = kind == "LBRACE"
        if kind == "LBRACE":
            opened.append((item, len(items), total))
        elif kind == "RBRACE" and opened:
            opening, count, before = opened.pop()
            opening.empty = len(items) == count + 1
            opening.multiline = total > before and not opening.empty
    return items


def _lines(items: list[_Item]) -> list[_Line]:
    lines: list[_Line] = []
    frames = [_Frame(True, 0, 0, True)]
    base = 0  # what a block or bracket that opens on this line is indented by
    shift = 0  # how far the line has moved, for its trailing comment; meaningless if `moved`
    moved = False
    previous: _Item | None = None
    for number, item in enumerate(items):
        kind = item.kind
        frame = frames[-1]
        if kind == "COMMENT" and previous is not None and not item.newlines:
            line = lines[-1]
            line.comment = item.text
            line.column = max(len(line.code) + 2, 0 if moved else item.column + shift)
            previous = item
            continue
        if previous is None or _breaks(previous, item, frame):
            indent = _indent(items, number, frame)
            if previous is not None and item.newlines > 1 and not (previous.kind in _OPENERS or kind in _CLOSERS):
                lines.append(_Line(0))
            lines.append(_Line(indent))
            line = lines[-1]
            line.code = " " * indent
            moved = previous is not None and not item.newlines
            shift = indent - item.column
            base = frame.indent if frame.brace and not (item.begins or kind in (*_CLOSERS, "VBAR")) else indent
            within = indent
        else:
            line = lines[-1]
            line.code += _between(previous, item, items, number)
        if kind == "COMMENT":
            line.code, line.comment, line.column = "", item.text, indent
            previous = item
            continue
        line.code += item.text
        if kind == "LBRACE":
            if line.block is None and not item.multiline and not item.empty:
                line.block = number
            frames.append(_Frame(True, base, base + INDENT, item.multiline))
        elif kind in _OPENERS:
            frames.append(_Frame(False, within, within + INDENT, False))
        elif kind in _CLOSERS and len(frames) > 1:
            frames.pop()
        previous = item
    return lines


def _breaks(previous: _Item, item: _Item, frame: _Frame) -> bool:
    """Whether a line ends between two items."""
    if previous.kind == "COMMENT":
        return True
    if item.begins:
        return frame.multiline
    if item.kind == "RBRACE":
        return frame.multiline
    if item.kind == "COMMENT":
        return True
    return item.newlines > 0 and not (item.kind == "RBRACE" or previous.kind == "LBRACE")


def _indent(items: list[_Item], number: int, frame: _Frame) -> int:
    item = items[number]
    following = number
    while items[following].kind == "COMMENT":
        following += 1
        if following == len(items):
            return frame.indent
    if items[following].kind in _CLOSERS:
        return frame.base if item.kind != "COMMENT" else frame.indent
    if frame.brace and not items[following].begins:
        return frame.indent + INDENT
    return frame.indent


def _between(previous: _Item, item: _Item, items: list[_Item], number: int) -> str:
    """What stands between two items on a line."""
    if item.begins and previous.kind != "LBRACE":
        return "; "
    before, kind = previous.kind, item.kind
    if before == "LBRACE" or kind in ("LBRACE", "RBRACE"):
        return " "
    if before == "MINUS" and _unary(items, number - 1):
        return ""
    if kind in ("LPAR", "LSQB") and before in ("LPAR", "LSQB"):
        return ""
    if kind == "LPAR" and not previous.head and before not in _BEFORE_OPERAND:
        return ""
    if before in _NO_SPACE_AFTER or kind in _NO_SPACE_BEFORE:
        return ""
    if "TIMES" in (before, kind):
        place = number if kind == "TIMES" else number - 1
        tight = not items[place].spaced and place + 1 < len(items) and not items[place + 1].spaced
        return "" if tight else " "
    return " "


def _unary(items: list[_Item], number: int) -> bool:
    """Whether the minus there is a sign."""
    before = number - 1
    while before >= 0 and items[before].kind == "COMMENT":
        before -= 1
    return before < 0 or items[before].kind in _BEFORE_OPERAND or items[before].head
