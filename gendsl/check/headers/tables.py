"""A table's call in, its header out: which columns it has, what each is, how many numbers a row takes once encoded."""

import os
from collections.abc import Iterator, Sequence

from gendsl.check.headers.columns import Cells, is_number, resolved, shortened
from gendsl.check.headers.delimited import misread, records
from gendsl.check.headers.header import Header, HeaderField
from gendsl.check.headers.paths import Refused, inside
from gendsl.frozen import dataclass
from gendsl.plan.blocks import blocks_of
from gendsl.plan.columns import name_text
from gendsl.plan.plan import Call
from gendsl.spelling import did_you_mean

HEAD = 1 << 20  # bytes of a file that say what its columns are; what the rest holds is compared when it is loaded

_SHOWN = 5  # columns that are named
_UNKNOWN = (HeaderField("row", "row", (None,)),)


@dataclass(frozen=True, slots=True)
class Head:
    """The first records of a table: the names of its columns, rows of cells, and the line that each begins on."""

    names: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    lines: Sequence[int]
    whole: bool  # whether these are all rows
    shown: str
    unit: str = "line"


def csv_header(call: Call, folder: str) -> Header:
    """What a `csv` gives. The first MiB of the file is read."""
    path = str(call.arguments["file"])
    place = inside(folder, path)
    if not os.path.isfile(place):
        return _absent(call, path, place)
    head = head_of(place, path, str(call.arguments["separator"]))
    columns = columns_of(head, call.statements)
    row = HeaderField("row", "row", (row_width(columns),))
    examples = len(head.rows) if head.whole else None
    return Header((row,), examples=examples, looked=place, columns=columns, idle=idle_columns(head, columns, call))


def parquet_header(call: Call, folder: str) -> Header:
    """What a `parquet` gives: its columns are read when it is loaded, so the width is that of those declared."""
    path = str(call.arguments["file"])
    place = inside(folder, path)
    if not os.path.isfile(place):
        return _absent(call, path, place)
    return Header((HeaderField("row", "row", (row_width(call.statements) or None,)),), looked=place)


def head_of(place: str, shown: str, separator: str, *, limit: int = HEAD) -> Head:
    """The head of a file; `Refused` where it is no table, or has no rows."""
    found = records(place, shown, separator, limit=limit)
    names = tuple(next(found, (0, []))[1])
    rows, lines = _gathered(found)
    whole = os.path.getsize(place) <= limit
    return checked_head(Head(names, rows, lines, whole, shown), separator)


def _gathered(found: Iterator[tuple[int, list[str]]]) -> tuple[list[list[str]], list[int]]:
    rows, lines = [], []
    for line, cells in found:
        rows.append(cells)
        lines.append(line)
    return rows, lines


def checked_head(head: Head, separator: str = ",") -> Head:
    """The head itself; `Refused` where it has no names or no rows, or names that are none."""
    if not head.names:
        raise Refused(f'"{head.shown}" is empty', "a table has a header line with the columns' names, and rows")
    if all(is_number(name) for name in head.names):
        told = ", ".join(head.names[:5])
        raise Refused(f'the first line of "{head.shown}" holds numbers: {told}', "write the columns' names above them")
    if not head.rows:
        raise Refused(f'"{head.shown}" has a header line and no rows', "a table has an example in each further line")
    if help := misread(list(head.names), separator):
        raise Refused(f'"{head.shown}" has one column, `{head.names[0][:60]}`', help)
    return head


def columns_of(head: Head, declared: Sequence[Call]) -> tuple[Call, ...]:
    """The `column` statements of all columns in the order of the file, those declared and those inferred.

    `Refused` where they do not fit."""
    statements = _by_name(declared)
    unknown = [name for name in statements if name not in head.names]
    if unknown:
        told = ", ".join(f"`{name}`" for name in unknown)
        meant = did_you_mean(unknown[0], head.names)
        has = f"its columns are {', '.join(head.names[:30])}"
        raise Refused(f'"{head.shown}" has no column {told}', f"{meant}; {has}" if meant else has)
    found = []
    for number, name in enumerate(head.names):
        values = [row[number] for row in head.rows]
        cells = Cells(name, values, head.lines, head.whole, head.shown, head.unit)
        found.append(resolved(cells, statements.get(name)))
    if all(one.arguments["kind"] == "drop" for one in found):
        raise Refused(f'no column of "{head.shown}" is left', "declare one that is not dropped")
    return tuple(found)


def idle_columns(head: Head, columns: Sequence[Call], call: Call) -> tuple[str, str] | None:
    """What to say of columns whose cells are all the same, or missing, and what to write; None where there are none.

    Only of a table that is read whole, and of none that its block drops."""
    if not head.whole or len(head.rows) < 2:
        return None
    declared = _by_name(call.statements)
    told = []
    for number, (name, one) in enumerate(zip(head.names, columns, strict=True)):
        cells = {row[number] for row in head.rows}
        if one.arguments["kind"] == "drop" and name and name not in declared:
            told.append((name, f"`{name}` is empty in all rows"))
        elif one.arguments["kind"] != "drop" and len(cells) == 1:
            told.append((name, f"`{name}` is `{shortened(cells.pop())}` in all rows"))
    if not told:
        return None
    which, many = ", ".join(text for _, text in told[:_SHOWN]), len(told) - _SHOWN
    mends = "; ".join(f"column {name_text(name)}, drop" for name, _ in told[:_SHOWN])
    more = f", and so on of {many:,} more" if many > 0 else ""
    return f'"{head.shown}" has columns that teach nothing: {which}{more}', f"leave them out: `{mends}`"


def row_width(columns: Sequence[Call]) -> int | None:
    """How many numbers a row takes; None where a column's categories are still open."""
    blocks = blocks_of(columns)
    return None if blocks is None else sum(block.width for block in blocks)


def _by_name(declared: Sequence[Call]) -> dict[str, Call]:
    found: dict[str, Call] = {}
    for statement in declared:
        name = str(statement.arguments["name"])
        if name in found:
            raise Refused(f"column `{name}` is declared twice", f"keep one `column {name_text(name)}, …`")
        found[name] = statement
    return found


def _absent(call: Call, path: str, place: str) -> Header:
    told = f'there is no file "{path}"'
    return Header(_UNKNOWN, known=False, warning=told, help=f"looked in {place}", looked=place)
