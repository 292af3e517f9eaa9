"""The `column` statements of a table in, what each stretch of its encoded rows means out."""

from collections.abc import Iterable, Iterator
from typing import Any

from gendsl.frozen import dataclass
from gendsl.plan.plan import Call

Layout = tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a row, from `start` on; `part` says which one of its column's it is. `missing` is the place in the
    row that holds a 1 where the column's cell is missing, -1 where cells never are.

    | part | kind | |
    | --- | --- | --- |
    | value | scalar | one number, in -1..1 (about) where it is `bounded` |
    | mode | one_hot | which Gaussian of a mixture the value is in; the last place is that of missing cells, if any |
    | category | one_hot | the category; the last place is that of missing cells, if any |
    | missing | indicator | one number: 1 where the cell is missing (`value` is 0 then), else 0 |
    """

    column: str
    part: str
    kind: str
    start: int
    width: int
    bounded: bool = True
    missing: int = -1


def blocks_of(columns: Iterable[Call]) -> tuple[Block, ...] | None:
    """The blocks of a row in their order; None where the categories of a column are still open."""
    found: list[Block] = []
    start = 0
    for statement in columns:
        parts = list(_parts(statement))
        total = sum(width or 0 for _, _, width in parts)
        missing = start + total - 1 if statement.arguments["missing"] else -1  # always the last of a column's places
        for part, kind, width in parts:
            if width is None:
                return None
            bounded = part != "value" or statement.arguments["encoding"] != "standard"
            found.append(Block(str(statement.arguments["name"]), part, kind, start, width, bounded, missing))
            start += width
    return tuple(found)


def layout_of(columns: Iterable[Call], width: Any) -> Layout | None:
    """The blocks of a row as a plan keeps them, plain tuples; None where they are not known, or no row of `width`."""
    blocks = blocks_of(columns)
    if not blocks or sum(block.width for block in blocks) != width:
        return None
    return tuple(tuple(getattr(block, name) for name in Block.__dataclass_fields__) for block in blocks)


def numbers_in(layout: Layout) -> int:
    """How many numbers proper a row has: places that are neither of a one-hot nor indicators."""
    return sum(block.kind == "scalar" for block in blocks_in(layout))


def blocks_in(layout: Layout) -> tuple[Block, ...]:
    """The blocks of a layout."""
    return tuple(Block(*one) for one in layout)


def _parts(statement: Call) -> Iterator[tuple[str, str, int | None]]:
    given = statement.arguments
    missing = bool(given["missing"])
    if given["kind"] == "drop":
        return
    if given["kind"] == "categorical":
        count = given["categories"]
        names = given["buckets"] or (len(count) if isinstance(count, tuple) else count)
        yield "category", "one_hot", None if names is None else names + missing
        return
    yield "value", "scalar", 1
    if given["kind"] != "ordinal" and given["encoding"] in (None, "mixture"):
        yield "mode", "one_hot", given["modes"] + missing
    elif missing:
        yield "missing", "indicator", 1
