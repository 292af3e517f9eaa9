"""The cells of a table's columns in, what each column is out: as declared, and inferred where nothing is.

What is inferred depends on the cells alone, in this order of rules:

1. no cell but missing ones, or no name in the header line (an index that was saved along): `drop`;
2. the same cell in all rows: `categorical`, of one category;
3. whole numbers: `integer`, but `categorical` where at most 10 different ones stand in 10 rows each, on average;
4. numbers: `continuous`;
5. one of the `FORMATS`: `datetime`;
6. anything else: `categorical`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gendsl.check.headers.paths import Refused
from gendsl.frozen import dataclass
from gendsl.plan.columns import name_text
from gendsl.plan.plan import Call
from gendsl.vocabulary import WORDS

NUMBERS = ("continuous", "integer")
MISSING = frozenset(("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"))  # in columns of numbers and times
FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
)
MOST_CATEGORIES = 1_000  # of a column that does not say more

_FEW = 10
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? *", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+(?:\.0*)? *", re.ASCII)
_PADDED = re.compile(r"[+-]?0\d", re.ASCII)  # 007 is a name, be it of digits
_TIME = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T][\d:]+Z?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a column, each with the place it stands in ("line 7"); `whole` says whether these are all."""

    name: str
    values: Sequence[str]
    lines: Sequence[int]
    whole: bool
    shown: str  # the file's name
    unit: str = "line"

    def place(self, cell: str) -> str:
        """Where a cell stands first."""
        return f'"{self.shown}" {self.unit} {self.lines[self.values.index(cell)]:,}'


def is_number(cell: str) -> bool:
    """Whether a cell is a finite number as a table writes one."""
    return _NUMBER.fullmatch(cell) is not None and abs(float(cell)) < 1e100


def is_whole(cell: str) -> bool:
    """Whether a cell is a whole number that a float64 holds."""
    return _WHOLE.fullmatch(cell) is not None and abs(float(cell)) <= 2**53


def is_time(cell: str, format: str) -> bool:
    """Whether a cell is a time, written exactly so."""
    from datetime import datetime

    try:
        return datetime.strptime(cell, format).strftime(format) == cell
    except ValueError:
        return False


def column(name: str, kind: str, **arguments: Any) -> Call:
    """A `column` statement with its defaults."""
    defaults = {one.name: one.default for one in WORDS["column"]["column"].parameters}
    return Call("column", {**defaults, "name": name, "kind": kind, **arguments})


def resolved(cells: Cells, declared: Call | None) -> Call:
    """The `column` statement of a column with nothing left open: kind, encoding, categories, missing, format.

    `Refused` where the cells are not what is declared, or where a person has to say what they are.
    """
    counts: dict[str, int] = {}
    for cell in cells.values:
        counts[cell] = counts.get(cell, 0) + 1
    statement = declared if declared is not None else _inferred(cells, counts)
    kind = str(statement.arguments["kind"])
    if kind == "drop":
        return statement
    _refuse_misfits(cells.name, statement.arguments)
    empty = MISSING if kind in (*NUMBERS, "datetime") else frozenset([""])
    present = {cell: count for cell, count in counts.items() if cell not in empty}
    if not present and cells.whole:
        raise Refused(
            f'column `{cells.name}` of "{cells.shown}" holds nothing', f"write `column {name_text(cells.name)}, drop`"
        )
    given: dict[str, Any] = dict(statement.arguments)
    given["missing"] = _missing(cells, given["missing"], [cell for cell in counts if cell in empty])
    if kind in (*NUMBERS, "datetime"):
        given["encoding"] = given["encoding"] or "mixture"
    if kind in NUMBERS:
        if declared is not None:
            _refuse_others(cells, present, kind)
    elif kind == "datetime":
        if declared is not None:
            given["format"] = _format(cells, present, given["format"])
    elif kind == "categorical" and (given["buckets"] is None or given["categories"] is not None):
        given["categories"] = _categories(cells, present, given["categories"])
    elif kind == "ordinal":
        given["categories"] = _order(cells, present, given["categories"])
    return Call("column", given)


def names_of(categories: Sequence[Any]) -> tuple[str, ...]:
    """Declared categories as the cells of a file hold them."""
    return tuple(str(name) for name in categories)


def _inferred(cells: Cells, counts: Mapping[str, int]) -> Call:
    name = cells.name
    present = {cell: count for cell, count in counts.items() if cell not in MISSING}
    if name and not present and not cells.whole:
        raise Refused(
            f'column `{name}` of "{cells.shown}" holds nothing in its first {len(cells.values):,} rows',
            f"say what it is, or leave it out: `column {name_text(name)}, drop`",
        )
    if not present or not name:
        return column(name, "drop")
    if len(counts) == 1 and cells.whole and len(cells.values) > 1:
        return column(name, "categorical")
    numbers = [cell for cell in present if _counts(cell)]
    if len(numbers) == len(present):
        if not all(_all_digits(cell) for cell in present):
            return column(name, "continuous")
        few = len(present) <= _FEW and sum(present.values()) >= 10 * len(present)
        return column(name, "categorical" if few else "integer")
    if found := _formats(present):
        return column(name, "datetime", format=_only(found, name))
    if len(present) > _FEW and 2 * sum(present[cell] for cell in numbers) > sum(present.values()):
        odd = next(cell for cell in present if cell not in set(numbers))
        raise Refused(
            f"{cells.place(odd)}: column `{name}` holds numbers, and here {_quoted(odd)}",
            f"mend the cell or leave it empty; or declare the column: `column {name_text(name)}, categorical`",
        )
    return column(name, "categorical")


def _counts(cell: str) -> bool:
    """Whether a cell is a number, and not a code of digits: 007, or an identifier of twenty digits."""
    return is_number(cell) and not _PADDED.match(cell) and (not _all_digits(cell) or is_whole(cell))


def _all_digits(cell: str) -> bool:
    return cell.strip(" +-").isdigit()


def _missing(cells: Cells, declared: Any, seen: Sequence[str]) -> bool:
    if declared is False and seen:
        raise Refused(
            f"{cells.place(seen[0])}: column `{cells.name}` has no value here",
            "leave `missing: off` out: missing cells get an indicator of their own",
        )
    return bool(declared) or bool(seen)


def _refuse_others(cells: Cells, present: Mapping[str, int], kind: str) -> None:
    fits = is_whole if kind == "integer" else is_number
    odd = next((cell for cell in present if not fits(cell)), None)
    if odd is not None:
        raise no_number(cells.place(odd), cells.name, odd, kind)


def _formats(present: Mapping[str, int]) -> list[str]:
    """The formats in which all cells are times."""
    if not all(_TIME.fullmatch(cell) for cell in present):
        return []
    found = list(FORMATS)
    for cell in present:
        found = [format for format in found if is_time(cell, format)]
        if not found:
            break
    return found


def _format(cells: Cells, present: Mapping[str, int], declared: Any) -> str:
    say = f'say how they are written: `column {name_text(cells.name)}, datetime, format: "%Y-%m-%d"`'
    if declared is not None:
        if "%z" in declared or "%Z" in declared:
            raise Refused(f"`{declared}` has a time zone, which is not kept", "write the times in one zone")
        odd = next((cell for cell in present if not is_time(cell, declared)), None)
        if odd is not None:
            raise no_time(cells.place(odd), cells.name, odd, declared)
        return str(declared)
    found = _formats(present)
    if not found or not present:
        raise Refused(f"the times of column `{cells.name}` are in no format that is known by itself", say)
    return _only(found, cells.name)


def _only(formats: Sequence[str], name: str) -> str:
    if len(formats) == 1:
        return formats[0]
    told = " or ".join(f'`column {name_text(name)}, datetime, format: "{format}"`' for format in formats)
    raise Refused(f"the times of column `{name}` may mean the day or the month first", f"write {told}")


def _categories(cells: Cells, present: Mapping[str, int], declared: Any) -> Any:
    name, seen = cells.name, len(present)
    if isinstance(declared, tuple):
        known = set(names_of(declared))
        if len(known) < len(declared):
            raise Refused(f"a category of column `{name}` is listed twice", "list each once")
        odd = next((cell for cell in present if cell not in known), None)
        if odd is not None:
            raise no_category(cells.place(odd), cells.name, odd)
        return declared
    if declared is not None:
        if seen > declared:
            raise too_many(name, seen, declared)
        return declared
    if seen > MOST_CATEGORIES:
        told = "" if cells.whole else f" in its first {len(cells.values):,} rows"
        many = f"as many with `categories: {seen}`" if cells.whole else "more with `categories: N`"
        raise Refused(
            f'column `{name}` of "{cells.shown}" has {seen:,} categories{told}',
            f"leave it out with `column {name_text(name)}, drop`; gather rare ones with `buckets: 100`; "
            f"or allow {many}, a number of the row for each",
        )
    return seen


def no_number(place: str, name: str, cell: str, kind: str) -> Refused:
    """That a cell of a column of numbers is none."""
    what = "a whole number" if kind == "integer" else "a number"
    return Refused(
        f"{place}: column `{name}` holds {_quoted(cell)}, which is not {what}",
        "mend the cell, leave it empty, or declare the column `categorical`",
    )


def no_time(place: str, name: str, cell: str, format: str) -> Refused:
    """That a cell of a column of times is not written as they are."""
    return Refused(
        f"{place}: column `{name}` holds {_quoted(cell)}, which is no time `{format}`",
        f'mend the cell, leave it empty, or say the format: `column {name_text(name)}, datetime, format: "%Y-%m-%d"`',
    )


def no_category(place: str, name: str, cell: str) -> Refused:
    """That a cell is none of the categories that are listed."""
    return Refused(
        f"{place}: {_quoted(cell)} is not among the categories of column `{name}`",
        "add it to them, or leave `categories:` out",
    )


def no_order(place: str, name: str, cell: str) -> Refused:
    """That a category of an ordinal column is no number, and no list says its place."""
    return Refused(
        f"{place}: nothing says where {_quoted(cell)} stands in the order of column `{name}`",
        f"list the categories: `column {name_text(name)}, ordinal, categories: [low, middle, high]`",
    )


def too_many(name: str, seen: int, declared: int) -> Refused:
    """That a column has more categories than it says."""
    return Refused(
        f"column `{name}` is declared with {declared:,} categories, and has {seen:,}",
        f"write `categories: {seen}`, or leave it out with `column {name_text(name)}, drop`",
    )


def _order(cells: Cells, present: Mapping[str, int], declared: Any) -> Any:
    if isinstance(declared, tuple):
        return _categories(cells, present, declared)
    odd = next((cell for cell in present if not is_number(cell)), None)
    if odd is not None:
        raise no_order(cells.place(odd), cells.name, odd)
    return None  # in the order of the numbers


_TAKEN = {
    "modes": (*NUMBERS, "datetime"),
    "encoding": (*NUMBERS, "datetime"),
    "categories": ("categorical", "ordinal"),
    "buckets": ("categorical",),
    "format": ("datetime",),
}


def _refuse_misfits(name: str, given: Mapping[str, Any]) -> None:
    """`Refused` for an argument that says nothing about a column of its kind."""
    defaults = {one.name: one.default for one in WORDS["column"]["column"].parameters}
    for argument, kinds in _TAKEN.items():
        if given[argument] != defaults[argument] and given["kind"] not in kinds:
            raise Refused(
                f"`{argument}:` says nothing about column `{name}`, which is {given['kind']}",
                f"take it out; it is for {' and '.join(kinds)} columns",
            )


def shortened(cell: str) -> str:
    """A cell as it is shown to a person, of 40 characters at most."""
    return cell if len(cell) <= 40 else cell[:39] + "…"


def _quoted(cell: str) -> str:
    return f"`{shortened(cell)}`"
