"""The `column` statements of a table in, what each stretch of its encoded rows means out."""

from collections.abc import Iterable, Iterator

from gendsl.frozen import dataclass
from gendsl.plan.plan import Call


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a row, from `start` on; `part` says which one of its column's it is.

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


def blocks_of(columns: Iterable[Call]) -> tuple[Block, ...] | None:
    """The blocks of a row in their order; None where the categories of a column are still open."""
    found: list[Block] = []
    start = 0
    for statement in columns:
        for part, kind, width in _parts(statement):
            if width is None:
                return None
            bounded = part != "value" or statement.arguments["encoding"] != "standard"
            found.append(Block(str(statement.arguments["name"]), part, kind, start, width, bounded))
            start += width
    return tuple(found)


def _parts(statement: Call) -> Iterator[tuple[str, str, int | None]]:
    given = statement.arguments
    missing = bool(given["missing"])
    if given["kind"] == "drop":
        return
    if given["kind"] == "categorical":
        count = given["categories"]
        names = len(count) if isinstance(count, tuple) else count
        yield "category", "one_hot", None if names is None else names + missing
        return
    yield "value", "scalar", 1
    if given["kind"] != "ordinal" and given["encoding"] in (None, "mixture"):
        yield "mode", "one_hot", given["modes"] + missing
    elif missing:
        yield "missing", "indicator", 1
