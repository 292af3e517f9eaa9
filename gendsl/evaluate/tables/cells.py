"""Encoded rows in, their cells as numbers out: what a file would hold of them, so that samples and data are alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.tables.categories import Categories
from gendsl.lower.tables.table import Column, Table

Codes = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells (n, columns) float64 of a table, NaN where missing: numbers as they would be written, seconds of times,
    numbers of categories from 0."""

    table: Table
    codes: Codes

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The table's columns, in the order of `codes`."""
        return self.table.columns

    def of(self, rows: NDArray[np.integer]) -> "Cells":
        """The cells of some rows."""
        return Cells(self.table, self.codes[rows])


def cells_of(table: Table, blocks: Iterable[NDArray[Any]]) -> Cells:
    """The cells of blocks of rows (n, width), which may be a network's."""
    return Cells(table, np.concatenate([table.written(table.decode(rows)) for rows in blocks]))


def is_category(column: Column) -> bool:
    """Whether a column is of categories, in an order or in none."""
    return isinstance(column.cells, Categories)


def places_of(column: Column, codes: Codes) -> NDArray[np.int64]:
    """The category (n,) of each cell of such a column; missing cells are one more."""
    assert isinstance(column.cells, Categories)
    return np.where(np.isnan(codes), len(column.cells.names), codes).astype(np.int64)


def count_of(column: Column) -> int:
    """How many categories a column has, that of missing cells among them."""
    assert isinstance(column.cells, Categories)
    return len(column.cells.names) + 1
