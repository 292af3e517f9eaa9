"""Diagnostics in, text out: for people (with the lines they are about), as JSON, or as GitHub workflow commands."""

from collections.abc import Iterable

from gendsl.diagnostics import Diagnostic
from gendsl.frozen import dataclass, replace
from gendsl.source import Source, Span

WIDTH = 120  # columns of a source line that are shown
TAB = "    "
_BEFORE = 24  # columns of context before the first mark of a line that is cut

_BOLD, _RED, _YELLOW, _CYAN, _BLUE, _RESET = (
    "\x1b[1m",
    "\x1b[1;31m",
    "\x1b[1;33m",
    "\x1b[1;36m",
    "\x1b[1;34m",
    "\x1b[0m",
)
_COLORS = {"error": _RED, "warning": _YELLOW, "hint": _CYAN}


def text(diagnostics: Iterable[Diagnostic], *, color: bool = False, limit: int | None = None) -> str:
    """The diagnostics as a person reads them, an empty line behind each; of more than `limit` the first ones."""
    found = list(diagnostics)
    shown = found if limit is None else found[:limit]
    out = "".join(f"{one(diagnostic, color=color)}\n" for diagnostic in shown)
    return out + (f"… and {len(found) - len(shown):,} more\n\n" if len(found) > len(shown) else "")


def one(diagnostic: Diagnostic, *, color: bool = False) -> str:
    """One diagnostic, ended by a newline: its message, its place with the lines it is about, its help."""
    paint = _Paint(color)
    hue = _COLORS[diagnostic.severity]
    title = paint(hue, f"{diagnostic.severity}[{diagnostic.rule.code}]")
    out = [f"{title}{paint(_BOLD, ': ' + visible(diagnostic.message))}"]
    groups = _groups(diagnostic)
    width = max((len(str(mark.line)) for _, marks in groups for mark in marks), default=1)
    margin = " " * width
    bar = paint(_BLUE, "|")
    for number, (source, marks) in enumerate(groups):
        arrow = paint(_BLUE, ":::" if number else "-->")
        if not source.text:
            out.append(f"{margin}{arrow} {visible(source.path)}")
            continue
        line, column = source.position(marks[0].offset if number else diagnostic.span.start)
        out.append(f"{margin}{arrow} {visible(source.path)}:{line}:{column}")
        out.append(f"{margin} {bar}")
        shown = 0
        for line in sorted({mark.line for mark in marks}):
            if shown and line > shown + 1:
                out.append(f"{margin} {paint(_BLUE, '⋮')}")
            shown = line
            code, rows = _lines(source.line(line), [mark for mark in marks if mark.line == line], paint, hue)
            out.append(f"{paint(_BLUE, f'{line:>{width}}')} {bar} {code}".rstrip())
            out.extend(f"{margin} {bar} {row}" for row in rows)
    if diagnostic.help:
        lead = f"{margin} {paint(_BLUE, '=')} {paint(_BOLD, 'help')}: "
        out.append(lead + f"\n{margin}         ".join(visible(row) for row in diagnostic.help.split("\n")))
    return "\n".join(out) + "\n"


def visible(message: str) -> str:
    """A text with its control characters made visible, so that a spec cannot steer the terminal."""
    if message.isascii() and message.isprintable():
        return message
    return "".join(map(_character, message))


def wrapped(message: str, width: int | None, *, indent: str = "    ") -> str:
    """A line in lines of so many columns, broken at spaces, all but the first indented; None leaves it as it is.

    What stands in backticks is not broken, however long it is: it can be copied out of a terminal.
    """
    if width is None:
        return message
    lines: list[str] = []
    for piece in _pieces(message):
        if lines and _columns(f"{lines[-1]} {piece}") <= width:
            lines[-1] += f" {piece}"
        else:
            lines.append(indent + piece if lines else piece)
    return "\n".join(lines)


def _pieces(message: str) -> list[str]:
    """The words of a message; what stands in backticks is one."""
    pieces: list[str] = []
    inside = False
    for word in message.split(" "):
        if inside:
            pieces[-1] += f" {word}"
        else:
            pieces.append(word)
        inside ^= word.count("`") % 2 == 1
    return pieces


def json(diagnostics: Iterable[Diagnostic]) -> str:
    """The diagnostics as JSON, in the format that docs/check-json.md describes."""
    import json as standard

    document = {"version": 1, "diagnostics": [_record(diagnostic) for diagnostic in diagnostics]}
    return standard.dumps(document, indent=2, ensure_ascii=True) + "\n"


def github(diagnostics: Iterable[Diagnostic]) -> str:
    """The diagnostics as workflow commands, one a line, which GitHub shows beside the changed lines."""
    out = []
    for diagnostic in diagnostics:
        command = {"error": "error", "warning": "warning", "hint": "notice"}[diagnostic.severity]
        span = diagnostic.span
        (line, column), (last, end) = span.source.position(span.start), span.source.position(span.end)
        place = f"file={_property(span.source.path)},line={line},endLine={last},col={column},endColumn={end}"
        body = "\n".join(filter(None, (diagnostic.message, diagnostic.note, diagnostic.help)))
        body = body.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        out.append(f"::{command} {place},title={_property(diagnostic.rule.code)}::{body}\n")
    return "".join(out)


@dataclass(frozen=True, slots=True)
class _Mark:
    """What is underlined on one line: columns from 0 in its text, the end outside."""

    line: int
    start: int
    end: int
    text: str
    primary: bool
    offset: int


def _groups(diagnostic: Diagnostic) -> list[tuple[Source, list[_Mark]]]:
    groups: dict[int, tuple[Source, list[_Mark]]] = {}
    places = [(diagnostic.span, diagnostic.note, True)] + [
        (label.span, label.text, False) for label in diagnostic.labels
    ]
    for span, note, primary in places:
        groups.setdefault(id(span.source), (span.source, []))[1].extend(_marks(span, note, primary))
    return list(groups.values())


def _marks(span: Span, note: str, primary: bool) -> list[_Mark]:
    source = span.source
    (first, column), (last, end) = source.position(span.start), source.position(max(span.end, span.start))
    if last > first and end == 1:  # behind a line's end is still that line
        last -= 1
        end = len(source.line(last)) + 1
    if first == last:
        return [_Mark(first, column - 1, max(end - 1, column), note, primary, span.start)]
    opening, closing = source.line(first), source.line(last)
    indent = len(closing) - len(closing.lstrip())
    return [
        _Mark(first, column - 1, max(len(opening), column), "", primary, span.start),
        _Mark(last, min(indent, end - 2), end - 1, note, primary, span.start),
    ]


def _lines(code: str, marks: list[_Mark], paint: "_Paint", hue: str) -> tuple[str, list[str]]:
    """A source line as it is shown, and the rows under it: the marks, then the notes that did not fit beside them."""
    code, marks, before = _near(code, marks)
    cells = [_cell(character) for character in code]
    places = [0]
    for cell in cells:
        places.append(places[-1] + _columns(cell))

    def place(offset: int) -> int:
        return places[min(offset, len(code))] + max(offset - len(code), 0)

    spots = [(place(mark.start), max(place(mark.end), place(mark.start) + 1), mark) for mark in marks]
    shown, cut = "".join(cells), 0
    if places[-1] > WIDTH:
        first = min(start for start, _, _ in spots)
        begin = 0 if max(end for _, end, _ in spots) <= WIDTH - 1 else max(first - _BEFORE, 0)
        kept = [cell for cell, at in zip(cells, places, strict=False) if begin <= at < begin + WIDTH - 2]
        skipped = next((at for at in places if at >= begin), 0)
        ended = skipped + sum(map(_columns, kept)) >= places[-1]
        shown = ("…" if begin or before else "") + "".join(kept) + ("" if ended else "…")
        cut = skipped - (1 if begin or before else 0)
    limit = sum(map(_columns, shown)) + 1
    spots = [(min(max(a - cut, 0), limit - 1), min(max(b - cut, 1), limit), mark) for a, b, mark in spots]
    spots.sort(key=lambda spot: (not spot[2].primary, spot[0]))
    row = [" "] * max(end for _, end, _ in spots)
    owner: list[_Mark | None] = [None] * len(row)
    for start, end, mark in reversed(spots):  # the primary mark lies on top
        for column in range(start, end):
            row[column], owner[column] = "^" if mark.primary else "-", mark
    noted = sorted((spot for spot in spots if spot[2].text), key=lambda spot: spot[0])
    beside = noted.pop() if noted and noted[-1][1] == len(row) else None
    head = _painted(row, owner, paint, hue)
    if beside is not None:
        head += " " + paint(hue if beside[2].primary else _BLUE, visible(beside[2].text))
    rows = [head]
    for number in range(len(noted) - 1, -1, -1):
        start, _, mark = noted[number]
        stems = [" "] * start
        for earlier, _, _ in noted[:number]:
            stems[earlier : earlier + 1] = "|"[: start - earlier]
        rows.append("".join(stems) + paint(hue if mark.primary else _BLUE, visible(mark.text)))
    return shown, rows


def _near(code: str, marks: list[_Mark]) -> tuple[str, list[_Mark], int]:
    """Of a very long line the stretch around the first mark, and how much before it was cut."""
    if len(code) <= 8 * WIDTH:
        return code, marks, 0
    before = max(min(mark.start for mark in marks) - 2 * WIDTH, 0)
    if max(mark.end for mark in marks) < 2 * WIDTH:
        before = 0
    moved = [replace(mark, start=max(mark.start - before, 0), end=max(mark.end - before, 1)) for mark in marks]
    kept = code[before : before + 4 * WIDTH]
    return kept, [replace(mark, end=min(mark.end, 4 * WIDTH)) for mark in moved if mark.start < 4 * WIDTH], before


def _painted(row: list[str], owner: list[_Mark | None], paint: "_Paint", hue: str) -> str:
    out, position = "", 0
    while position < len(row):
        end = position
        while end < len(row) and owner[end] is owner[position]:
            end += 1
        piece, mark = "".join(row[position:end]), owner[position]
        out += piece if mark is None else paint(hue if mark.primary else _BLUE, piece)
        position = end
    return out


class _Paint:
    """Puts a text between a color and its end, or leaves it alone."""

    __slots__ = ("color",)

    def __init__(self, color: bool) -> None:
        self.color = color

    def __call__(self, code: str, piece: str) -> str:
        return f"{code}{piece}{_RESET}" if self.color and piece else piece


def _cell(character: str) -> str:
    return TAB if character == "\t" else _character(character)


def _character(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if code < 32:
        return chr(0x2400 + code)
    return "␡" if code == 127 else f"<U+{code:04X}>"


def _columns(piece: str) -> int:
    """How many columns of a terminal a text takes."""
    if piece.isascii():
        return len(piece)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in piece)


def _property(value: str) -> str:
    for character, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C")):
        value = value.replace(character, code)
    return value


def _record(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "rule": diagnostic.rule.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "note": diagnostic.note,
        "help": diagnostic.help,
        **_place(diagnostic.span),
        "labels": [{"text": label.text, **_place(label.span)} for label in diagnostic.labels],
    }


def _place(span: Span) -> dict[str, object]:
    def point(offset: int) -> dict[str, int]:
        line, column = span.source.position(offset)
        return {"offset": offset, "line": line, "column": column}

    return {"path": span.source.path, "start": point(span.start), "end": point(span.end)}
