"""A sheet and its training rows in, a fitted table out: rows of float32 of codes, codes of rows, and texts of codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.tables.binned import Binned, binned_of, uniform_of
from gendsl.lower.tables.categories import Categories
from gendsl.lower.tables.cells import Cells
from gendsl.lower.tables.encoding import Codes, Encoding, plain_of, value_of
from gendsl.lower.tables.indicated import Indicated
from gendsl.lower.tables.logarithm import Logarithm, logarithm_of
from gendsl.lower.tables.mixture import Mixture, mixture_of
from gendsl.lower.tables.numbers import Numbers
from gendsl.lower.tables.one_hot import OneHot
from gendsl.lower.tables.quantile import Quantile, quantile_of
from gendsl.lower.tables.ranks import Ranks
from gendsl.lower.tables.scaled import Scaled, minmax_of, standard_of
from gendsl.lower.tables.sheet import Sheet, SheetColumn
from gendsl.lower.tables.times import Times
from gendsl.plan.plan import Call

_CLASSES: dict[str, Any] = {
    one.__name__: one
    for one in (Numbers, Times, Categories, Mixture, Scaled, Logarithm, Quantile, OneHot, Binned, Ranks, Indicated)
}


@dataclass(frozen=True)
class Column:
    """A column: its name and kind, how its cells are written, how its codes are encoded."""

    name: str
    kind: str
    cells: Cells
    encoding: Encoding


@dataclass(frozen=True)
class Table:
    """What a table is, fitted to its training rows.

    `encode` and `decode` are each other's inverse up to the float32 of a row: a number comes back to 2^-24 of how far
    it is from the middle of its mode or range (with `quantile`: of the gap between its quantiles, times their number).
    Categories that share a bucket come back as any of them.
    """

    columns: tuple[Column, ...]
    separator: str = ","

    @property
    def width(self) -> int:
        """How many numbers a row has."""
        return sum(column.encoding.width for column in self.columns)

    def encode(self, codes: Codes, uniform: Codes) -> NDArray[np.float32]:
        """Rows (n, width) of codes (n, columns); modes are drawn by uniform numbers (n, columns)."""
        out, start = np.empty((len(codes), self.width), np.float32), 0
        for place, column in enumerate(self.columns):
            width = column.encoding.width
            out[:, start : start + width] = column.encoding.encode(codes[:, place], uniform[:, place])
            start += width
        return out

    def decode(self, rows: NDArray[Any]) -> Codes:
        """Codes (n, columns) of rows (n, width), be they a network's."""
        values = np.asarray(rows, np.float64)
        found, start = [], 0
        for column in self.columns:
            width = column.encoding.width
            codes = column.encoding.decode(values[:, start : start + width])
            if isinstance(column.encoding, Binned):
                codes = column.encoding.spread(codes, uniform_of(rows))
            found.append(codes)
            start += width
        return np.stack(found, axis=1)

    def texts(self, codes: Codes) -> list[list[str]]:
        """The cells of codes (n, columns), row by row."""
        columns = [[one.cells.text(float(code)) for code in codes[:, place]] for place, one in enumerate(self.columns)]
        return [list(row) for row in zip(*columns, strict=True)]

    def written(self, codes: Codes) -> Codes:
        """Codes (n, columns) as their cells hold them: kept within those of the file, and rounded alike."""
        return np.stack([one.cells.written(codes[:, place]) for place, one in enumerate(self.columns)], axis=1)

    def record(self) -> dict[str, Any]:
        """The table as JSON data."""
        return {"separator": self.separator, "columns": [_column_record(column) for column in self.columns]}


def table_of(record: Mapping[str, Any]) -> Table:
    """The table of a record. Raises KeyError, TypeError or ValueError for data that is none."""
    columns = [
        Column(
            str(one["name"]), str(one["kind"]), value_of(one["cells"], _CLASSES), value_of(one["encoding"], _CLASSES)
        )
        for one in record["columns"]
    ]
    return Table(tuple(columns), str(record["separator"]))


def fitted(sheet: Sheet, codes: Codes, seed: int) -> Table:
    """The table of a sheet, its encodings fitted to the codes (n, columns) of the training rows."""
    columns = [
        Column(one.name, one.kind, one.cells, _encoding(one, codes[:, place], seed))
        for place, one in enumerate(sheet.columns)
    ]
    return Table(tuple(columns), sheet.separator)


def _column_record(column: Column) -> dict[str, Any]:
    cells: Any = column.cells
    encoding: Any = column.encoding
    return {"name": column.name, "kind": column.kind, "cells": plain_of(cells), "encoding": plain_of(encoding)}


def _encoding(column: SheetColumn, codes: Codes, seed: int) -> Encoding:
    given: Call = column.declared
    missing = bool(given.arguments["missing"])
    known = codes[~np.isnan(codes)]
    cells = column.cells
    if isinstance(cells, Categories):
        if column.kind == "ordinal":
            return Indicated(Ranks(len(cells.names))) if missing else Ranks(len(cells.names))
        if given.arguments["buckets"] is not None:
            return binned_of(known, len(cells.names), given.arguments["buckets"], missing)
        declared = given.arguments["categories"]
        width = declared if isinstance(declared, int) else len(cells.names)
        return OneHot(width + missing, len(cells.names), missing)
    assert isinstance(cells, Numbers | Times)
    encoding: Encoding
    match given.arguments["encoding"]:
        case "quantile":
            encoding = quantile_of(known)
        case "log":
            encoding = logarithm_of(known, cells.low)
        case "standard":
            encoding = standard_of(known)
        case "minmax":
            encoding = minmax_of(known)
        case _:
            return mixture_of(known, given.arguments["modes"], missing, seed)
    return Indicated(encoding) if missing else encoding
