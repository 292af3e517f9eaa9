"""A table and what its rows have to keep to in, which rows do out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.tables.encoding import Codes
from gendsl.lower.tables.table import Table
from gendsl.plan.columns import columns_of_rule, rule_text
from gendsl.plan.plan import Call


@dataclass(slots=True)
class Constraint:
    """One constraint, which sees rows in their order: `unique` remembers those that it has let pass.

    `broken` counts the rows that were turned away."""

    call: Call
    table: Table
    broken: int = 0
    _seen: set[tuple[float, ...]] = field(default_factory=set)

    @property
    def text(self) -> str:
        """As a spec writes it."""
        return rule_text(self.call)

    def kept(self, codes: Codes) -> NDArray[np.bool_]:
        """Which of rows (n, columns), as they are written, keep to it."""
        found = self._kept(codes)
        self.broken += int((~found).sum())
        return found

    def _kept(self, codes: Codes) -> NDArray[np.bool_]:
        names = [column.name for column in self.table.columns]
        given = self.call.arguments
        places = [names.index(name) for name in columns_of_rule(self.call)]
        cells = codes[:, places]
        if self.call.word == "ordered":
            return _ordered(cells)
        if self.call.word == "pattern":
            expression = re.compile(str(given["expression"]))
            written = self.table.columns[places[0]].cells
            unique, back = np.unique(cells[:, 0], return_inverse=True)
            fits = [bool(np.isnan(code) or expression.fullmatch(written.text(float(code)))) for code in unique]
            return np.array(fits, bool)[back]
        return self._first(cells)

    def _first(self, cells: Codes) -> NDArray[np.bool_]:
        found = np.ones(len(cells), bool)
        for number, row in enumerate(map(tuple, cells.tolist())):
            if any(value != value for value in row):
                continue  # missing cells are never the same
            found[number] = row not in self._seen
            self._seen.add(row)
        return found


def constraints_of(calls: Sequence[Call], table: Table) -> tuple[Constraint, ...]:
    """The constraints of a plan on a table's rows."""
    return tuple(Constraint(call, table) for call in calls)


def kept_by_all(constraints: Sequence[Constraint], codes: Codes) -> NDArray[np.bool_]:
    """Which of rows (n, columns) keep to all: a row that one turns away is not seen by those behind it."""
    found = np.ones(len(codes), bool)
    for one in constraints:
        found[found] = one.kept(codes[found])
    return found


def told_of(constraints: Sequence[Constraint], among: int, what: str) -> list[str]:
    """A sentence for each constraint that rows were turned away by."""
    return [f"{one.broken:,} of {among:,} {what} break `{one.text}`" for one in constraints if one.broken]


def _ordered(cells: Codes) -> NDArray[np.bool_]:
    """Whether each row's numbers never fall; missing ones are passed over."""
    highest = np.maximum.accumulate(np.where(np.isnan(cells), -np.inf, cells), axis=1)
    kept = np.isnan(cells[:, 1:]) | (cells[:, 1:] >= highest[:, :-1])
    return np.asarray(kept.all(axis=1), np.bool_)
