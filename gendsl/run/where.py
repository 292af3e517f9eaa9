"""What is asked of rows in (`job=clerk`), the condition that a network can be given and a test of rows out."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.check.headers.columns import is_number, is_time
from gendsl.lower.errors import UserError
from gendsl.lower.tables.categories import Categories
from gendsl.lower.tables.encoding import Codes
from gendsl.lower.tables.numbers import Numbers
from gendsl.lower.tables.one_hot import OneHot
from gendsl.lower.tables.table import Column, Table
from gendsl.lower.tables.times import Times, seconds_of
from gendsl.plan.columns import name_text
from gendsl.plan.plan import Plan
from gendsl.spelling import did_you_mean

_COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_ASKED = re.compile(r"(.+?)\s*(<=|>=|=|<|>)\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a cell of a row has to be: the place of its column, how it is compared, with which code (NaN: missing)."""

    text: str
    place: int
    compared: str
    code: float

    def met(self, codes: Codes) -> NDArray[np.bool_]:
        """Which of rows (n, columns) meet it."""
        cells = codes[:, self.place]
        if np.isnan(self.code):
            return np.isnan(cells)
        found: NDArray[np.bool_] = _COMPARED[self.compared](cells, self.code)
        return found


def wanted_of(texts: Sequence[str], table: Table) -> tuple[Wanted, ...]:
    """What `--where` asks for. UserError for a column that the table does not have, or a category never seen."""
    return tuple(_wanted(text, table) for text in texts)


def _wanted(text: str, table: Table) -> Wanted:
    match = _ASKED.fullmatch(text.strip())
    if match is None:
        raise UserError(f"`--where {text}` compares nothing", "write a column and a value: `--where job=clerk`")
    name, compared, value = match.groups()
    names = [column.name for column in table.columns]
    if name not in names:
        told = f"its columns are {', '.join(map(name_text, names[:30]))}"
        meant = did_you_mean(name, names)
        raise UserError(f"the table has no column `{name}`", f"{meant}; {told}" if meant else told)
    place = names.index(name)
    column = table.columns[place]
    if not value and compared == "=":
        if _has_missing(column):
            return Wanted(text, place, compared, float("nan"))
        raise UserError(f"column `{name}` has no missing cells", "say which value it is to have")
    wanted = Wanted(text, place, compared, _code(column, compared, value))
    _refuse_beyond(wanted, column)
    return wanted


def _refuse_beyond(wanted: Wanted, column: Column) -> None:
    """UserError for what no number or time of a column meets: they are kept within those of the training rows."""
    cells = column.cells
    if not isinstance(cells, Numbers | Times):
        return
    possible = np.array([cells.low, cells.high, min(max(wanted.code, cells.low), cells.high)])
    if not _COMPARED[wanted.compared](possible, wanted.code).any():
        least, greatest = cells.text(cells.low), cells.text(cells.high)
        raise UserError(
            f"`{column.name}` goes from {least} to {greatest} in the table and in samples: none has `{wanted.text}`",
            f"ask for what lies between, such as `{column.name}<={greatest}`",
        )


def _code(column: Column, compared: str, value: str) -> float:
    cells = column.cells
    if isinstance(cells, Categories):
        if column.kind == "categorical" and compared != "=":
            raise UserError(
                f"the categories of `{column.name}` have no order", f"write `--where {column.name}={value}`"
            )
        if value not in cells.names:
            has = "it has " + ", ".join(cells.names[:30]) + (", …" if len(cells.names) > 30 else "")
            meant = did_you_mean(value, cells.names)
            raise UserError(f"column `{column.name}` has no category `{value}`", f"{meant}; {has}" if meant else has)
        return float(cells.names.index(value))
    if isinstance(cells, Times):
        if not is_time(value, cells.format):
            raise UserError(f"`{value}` is no time as column `{column.name}` has them", f"write it as {cells.format}")
        return seconds_of(value, cells.format)
    if not is_number(value):
        raise UserError(f"`{value}` is no number, and column `{column.name}` holds numbers", "write a number")
    return float(value)


def _has_missing(column: Column) -> bool:
    encoding: Any = column.encoding
    return bool(getattr(encoding, "missing", False)) or type(encoding).__name__ == "Indicated"


@dataclass(frozen=True, slots=True)
class Given:
    """What a network is given: the condition (width,) of a field, 1 at one category."""

    field: str
    vector: NDArray[np.float32]
    wanted: Wanted


def given_of(wanted: Sequence[Wanted], plan: Plan, table: Table, counts: Sequence[int] | None) -> Given | None:
    """The condition that asks for the rarest of what is wanted; None where a sample takes no condition, or none fits.

    In training a condition was one category of one column: the others are left to a test of the rows."""
    field = next((one for one in plan.data.fields if one.kind == "condition"), None)
    inputs = plan.sample.inputs if plan.sample is not None else ()
    if field is None or field.name not in inputs or not isinstance(field.shape[0], int):
        return None
    starts, start = {}, 0
    known = {column.name: (number, column) for number, column in enumerate(table.columns)}
    for name in field.arguments["columns"]:
        number, column = known[name]
        starts[number] = start
        start += column.encoding.width
    fits = []
    for one in wanted:
        encoding = table.columns[one.place].encoding
        if one.place in starts and one.compared == "=" and isinstance(encoding, OneHot):
            (within,) = encoding.places(np.array([one.code]))
            fits.append((starts[one.place] + int(within), one))
    if not fits:
        return None
    place, rarest = min(fits, key=lambda found: counts[found[0]] if counts is not None else 0)
    vector = np.zeros(field.shape[0], np.float32)
    vector[place] = 1
    return Given(field.name, vector, rarest)
